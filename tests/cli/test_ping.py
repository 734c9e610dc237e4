"""`vestibule ping`: a probe that finds the socket by itself and costs next to nothing."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service import healthcheck
from service.app import main
from service.settings import load
from tests.rig.parts import ROOT
from tests.rig.servers import state_directory


@contextmanager
def _answering(said: bytes) -> Iterator[Path]:
    """Yield a state directory whose socket answers one question with these bytes."""
    with state_directory() as state_dir:
        path = state_dir / "run" / "gunicorn.sock"
        path.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()

            def answer() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(said)

            thread = threading.Thread(target=answer)
            thread.start()
            yield state_dir
            thread.join()


def _environ(state_dir: Path) -> dict[str, str]:
    return {"VESTIBULE_STATE_DIR": str(state_dir), "VESTIBULE_CONFIG": str(state_dir / "none.toml")}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 0),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 3),
        (b"", 3),
        (b"nonsense", 3),
    ],
)
def test_only_a_200_is_an_answer(said: bytes, code: int) -> None:
    """Exit code 0 for a 200, 3 for anything else."""
    with _answering(said) as state_dir:
        assert healthcheck.main([], _environ(state_dir)) == code


def test_no_answer_is_3_and_names_the_socket(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a listener the exit code is 3, and the words say where it was looked for."""
    with state_directory() as state_dir:
        code = healthcheck.main([], _environ(state_dir))

    assert code == 3
    assert str(state_dir / "run" / "gunicorn.sock") in capsys.readouterr().out


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the answer is an object."""
    with state_directory() as state_dir:
        healthcheck.main(["--json"], _environ(state_dir))

    assert capsys.readouterr().out == '{"answers": false}\n'


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("ping --help", 0, "Check whether the service answers."),
        ("ping --loud", 2, "No such option"),
        ("proxy metrics --help", 0, "Count nginx's requests"),
        ("proxy metrics --loud", 2, "No such option"),
        ("proxy metrics /one /two", 2, "Got unexpected extra argument (/two)"),
    ],
)
def test_help_and_usage_errors_are_those_of_every_command(
    typed: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Help ends with 0, what a command does not know with 2, also for those that start without the command line."""
    monkeypatch.setattr(sys, "argv", ["vestibule", *typed.split()])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == code
    assert said in "".join(capfd.readouterr())


@pytest.mark.parametrize("length", [1, 60, 75, 76, 77, 78, 79, 80, 81, 150])
def test_it_looks_where_the_settings_say(length: int) -> None:
    """For state directories of any length it finds the very socket of the settings."""
    environ = {"VESTIBULE_STATE_DIR": "/" + "d" * length}

    assert healthcheck.socket_path(environ) == str(load(environ).socket_path)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"VESTIBULE_SERVER__SOCKET": "/run/vestibule/gunicorn.sock"},
        {"VESTIBULE_SERVER__SOCKET": "/run/x.sock", "VESTIBULE_STATE_DIR": "/srv/state"},
        {"VESTIBULE_STATE_DIR": "/srv/state/"},
        {"VESTIBULE_STATE_DIR": "/srv//state"},
    ],
)
@pytest.mark.parametrize(
    "table",
    [
        "",
        'state_dir = "/srv/other"',
        '[server]\nsocket = "/run/other.sock"',
        'state_dir = "/srv/other"\n[server]\nthreads = 4',
    ],
)
def test_it_reads_the_file_as_the_settings_do(environ: dict[str, str], table: str, tmp_path: Path) -> None:
    """Environment, file and default decide for the probe as for the service."""
    config = tmp_path / "vestibule.toml"
    config.write_text(table)
    environ = environ | {"VESTIBULE_CONFIG": str(config)}

    assert healthcheck.socket_path(environ) == str(load(environ).socket_path)


@pytest.mark.parametrize(
    "content",
    [
        '\ufeffstate_dir = "/srv/other"\r\n'.encode(),
        'state_dir = "/srv/other"\n'.encode("utf-16"),
    ],
    ids=["BOM", "UTF-16"],
)
def test_it_reads_what_editors_write(content: bytes, tmp_path: Path) -> None:
    """Byte order marks, and quotes and comments of environment files, mean the same to the probe as to the service."""
    config = tmp_path / "vestibule.toml"
    config.write_bytes(content)
    environ = {"VESTIBULE_CONFIG": f'"{config}" # ours'}

    assert healthcheck.socket_path(environ) == str(load(environ).socket_path) == "/srv/other/run/gunicorn.sock"


@pytest.mark.parametrize("content", [b"secret = CANARY\n", b"\xff", b"[server]\nsocket = 5\n", b"a = " + b"[" * 5000])
def test_a_file_that_cannot_be_read_is_said_without_a_traceback(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 3, and one line says which command tells more; what stands in the file is not repeated."""
    config = tmp_path / "vestibule.toml"
    config.write_bytes(content)

    assert healthcheck.main([], {"VESTIBULE_CONFIG": str(config)}) == 3
    said = capsys.readouterr().out
    assert "To see every fault: vestibule config check" in said
    assert "CANARY" not in said


def test_it_imports_the_standard_library_alone() -> None:
    """No framework and no settings library are loaded for a probe that runs every few seconds."""
    code = (
        "import sys; b = {*sys.modules}; from service import healthcheck as h; h.main([]); print(*{*sys.modules} - b)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}

    assert loaded - {"service"} <= sys.stdlib_module_names
    assert not loaded & {"asyncio", "ssl", "http", "email", "logging", "pathlib"}
