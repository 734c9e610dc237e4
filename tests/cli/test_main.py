"""What ends a command from outside: its output cannot be written, or an operator interrupts it while it starts."""

import subprocess
from pathlib import Path

import pytest

from service.app import main
from tests.rig.servers import VESTIBULE, state_directory


@pytest.mark.parametrize(
    ("words", "code"),
    [("--version", 3), ("db --help", 3), ("db upgrade", 3), ("account list --json", 3), ("status", 2)],
)
def test_output_on_a_full_disk_is_said_in_one_line(words: str, code: int) -> None:
    """A command whose output is lost says so, without a traceback; `status` keeps to its exit codes."""
    with state_directory() as state_dir, Path("/dev/full").open("wb") as full:
        environ = {"VESTIBULE_STATE_DIR": str(state_dir)}
        ended = subprocess.run(
            [*VESTIBULE, *words.split()], env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    said = "not available: the output, or a file: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (code, said)


@pytest.mark.parametrize(("words", "code"), [("db upgrade", 3), ("status", 2)])
def test_the_exit_code_stays_where_nothing_can_be_said(words: str, code: int) -> None:
    """Both streams may go to one file on the full disk: a deployment reads the code alone."""
    with state_directory() as state_dir, Path("/dev/full").open("wb") as full:
        environ = {"VESTIBULE_STATE_DIR": str(state_dir)}
        ended = subprocess.run([*VESTIBULE, *words.split()], env=environ, stdout=full, stderr=full, check=False)

    assert ended.returncode == code


def test_an_interrupted_start_is_130_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while modules are still loaded ends a command as a shell expects: 128 and the signal's number."""

    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["vestibule", "status"])
    monkeypatch.setattr("service.cli.vestibule", interrupted)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130
