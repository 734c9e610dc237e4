"""`vestibule proxy render nginx|caddy|traefik`: what is printed for which app, and what is refused."""

import json
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result

from service.cli import Operator, vestibule
from service.edge.others import OTHERS

APP = 'address = "http://localhost:{}"\nupstream = "http://127.0.0.1:{}"\n[[rules]]\nallow = "signed-in"\n'


@pytest.fixture(autouse=True)
def apps_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two apps, and a listener for other proxies."""
    (tmp_path / "wiki.toml").write_text(APP.format(3001, 3000))
    (tmp_path / "git.toml").write_text(APP.format(4001, 4000))
    monkeypatch.setenv("VESTIBULE_ACCESS__APPS_DIR", str(tmp_path))
    monkeypatch.setenv("VESTIBULE_DOOR__LISTEN", "0.0.0.0:9181")
    return tmp_path


def _never(*_: object) -> NoReturn:
    raise AssertionError("nothing is written, and no store is asked")


def typed(*words: str) -> Result:
    """Type the command."""
    operator = Operator(_never, _never, _never, _never, OTHERS)
    return CliRunner().invoke(vestibule, ["proxy", "render", *words], obj=operator)


@pytest.mark.parametrize("proxy", ["nginx", "caddy", "traefik"])
def test_each_app_or_one_is_printed(proxy: str) -> None:
    """All apps, or the named one; with --json the text and its apps. A whole site is more than a part."""
    both, one, whole = typed(proxy), typed(proxy, "--app", "wiki"), typed(proxy, "--app", "wiki", "--full")

    assert [each.exit_code for each in (both, one, whole)] == [0, 0, 0]
    assert ":4001" in both.stdout
    assert ":4001" not in one.stdout
    assert len(whole.stdout) > len(one.stdout)
    told = json.loads(typed(proxy, "--app", "wiki", "--json").stdout)
    assert (told["proxy"], told["apps"], told["text"].strip()) == (proxy, ["wiki"], one.stdout.strip())


@pytest.mark.parametrize("proxy", ["nginx", "caddy", "traefik"])
def test_the_door_is_where_the_proxy_reaches_it(proxy: str) -> None:
    """On this machine it is the first of door.listen; elsewhere the operator says."""
    assert "127.0.0.1:9181" in typed(proxy).stdout
    elsewhere = typed(proxy, "--door", "edge:9181").stdout
    assert "edge:9181" in elsewhere
    assert "127.0.0.1:9181" not in elsewhere


def test_what_cannot_be_printed_is_refused(apps_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown app, no app, no listener: a sentence that says what to write, and code 1."""
    unknown = typed("caddy", "--app", "wik")
    monkeypatch.delenv("VESTIBULE_DOOR__LISTEN")
    closed = typed("caddy")
    for file in apps_dir.iterdir():
        file.unlink()
    empty = typed("caddy")

    assert [each.exit_code for each in (unknown, closed, empty)] == [1, 1, 1]
    assert unknown.stderr == "There is no app wik. The apps are git, wiki.\n"
    assert "VESTIBULE_DOOR__LISTEN=" in closed.stderr
    assert str(apps_dir) in empty.stderr


@pytest.mark.parametrize(
    "words", [("--output", "x", "caddy"), ("--json", "caddy"), ("caddy", "--door", "edge"), ("apache",)]
)
def test_an_option_that_would_do_nothing_is_wrong_usage(words: tuple[str, ...]) -> None:
    """What belongs to nginx's own files is refused beside the name of another proxy."""
    assert typed(*words).exit_code == 2
