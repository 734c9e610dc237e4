"""Rules that change while people are signed in. nginx remembers for a minute here, and no rule holds for so long."""

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings.apps_in_force import FILE
from tests.door.guarded import SIGNED_IN, Guarded, guarded
from tests.rig import scraped
from tests.rig.asking import ask, free_port
from tests.rig.processes import children

OPS = '[[rules]]\ngroups = ["ops"]'


@pytest.fixture(scope="module")
def servers() -> Iterator[Guarded]:
    """Two apps before one worker: two may differ for a second."""
    with guarded({"wiki": SIGNED_IN, "notes": SIGNED_IN}, DOOR__CACHE_SECONDS="60") as started:
        yield started


@pytest.fixture(scope="module")
def alice(servers: Guarded) -> str:
    """The Cookie header of alice, in the group ops."""
    return servers.sign_in("alice")


@pytest.fixture(scope="module")
def bob(servers: Guarded) -> str:
    """The Cookie header of bob, who is not."""
    return servers.sign_in("bob")


@pytest.fixture
def it(servers: Guarded, bob: str) -> Iterator[Guarded]:
    """The servers, where people who are signed in may use both apps; as before after each test."""
    yield servers
    for name in ("wiki", "notes"):
        rewrite(servers, name, SIGNED_IN)
    servers.servers.render()
    servers.servers.processes["nginx"].send_signal(signal.SIGHUP)
    for name in ("wiki", "notes"):
        becomes(servers, name, bob, 200)
    servers.servers.wait_until(lambda: remembers(servers, "wiki", bob), "nginx and the service agree")


def file_of(it: Guarded, app: str) -> Path:
    """Return an app's file in apps.d."""
    return Path(it.servers.environ["VESTIBULE_ACCESS__APPS_DIR"]) / f"{app}.toml"


def rewrite(it: Guarded, app: str, rules: str) -> None:
    """Give an app other rules."""
    file = file_of(it, app)
    file.write_text(file.read_text().partition("[[rules]]")[0] + rules)


def render(it: Guarded, *options: str) -> str:
    """Put what the files say in force; return what changed."""
    done = it.servers.vestibule("proxy", "render", *options)
    assert done.returncode == 0, done.stderr
    return done.stderr


def shown(it: Guarded, name: str, **labels: str) -> float:
    """Return what the service's metrics say."""
    return scraped.total(it.servers.ops("/metrics").text, f"vestibule_{name}", **labels)


def checks(it: Guarded) -> float:
    """Return how many questions of nginx's the service answered."""
    return shown(it, "door_checks_total", enforced="true")


def becomes(it: Guarded, app: str, cookie: str, status: int) -> None:
    """Wait until the service's verdict about a page is this one. Its path is doubtful: nginx never remembers it."""
    it.servers.wait_until(lambda: it.ask(app, "/;", Cookie=cookie).status == status, f"{app} answers {status}")


def remembers(it: Guarded, app: str, cookie: str) -> bool:
    """Whether a page is answered without the service."""
    before = checks(it)
    return it.ask(app, "/", Cookie=cookie).status == 200 and checks(it) == before


def test_a_rule_changes_and_sessions_live_on() -> None:
    """What nginx remembers by the old rule ends with it; no worker starts again, and people stay signed in."""
    with guarded({"wiki": SIGNED_IN, "notes": SIGNED_IN}, workers="2", DOOR__CACHE_SECONDS="60") as it:
        bob = it.sign_in("bob")
        assert [it.ask(app, "/", Cookie=bob).status for app in ("wiki", "notes")] == [200, 200]
        it.servers.wait_until(
            lambda: len(children(it.servers.processes["gunicorn"].pid)) == 2, "both workers are there"
        )
        workers = children(it.servers.processes["gunicorn"].pid)
        rewrite(it, "wiki", OPS)

        said = render(it, "--reload")

        assert said.splitlines() == [
            "app wiki changed",
            "  rule 1 removed: /: signed-in",
            "  rule 1 added: /: group ops",
        ]
        it.servers.wait_until(lambda: {it.ask("wiki", "/", Cookie=bob).status for _ in range(20)} == {403}, "all know")
        assert it.ask("notes", "/", Cookie=bob).status == 200
        assert children(it.servers.processes["gunicorn"].pid) == workers


def test_rules_hold_before_nginx_reads_its_files(it: Guarded, alice: str, bob: str) -> None:
    """The service decides by the new ones, nginx remembers no answer, and a gauge says so until it reads its files."""
    rewrite(it, "wiki", OPS)

    render(it)

    becomes(it, "wiki", bob, 403)
    before = checks(it)
    assert [it.ask("wiki", "/", Cookie=alice).status for _ in range(3)] == [200, 200, 200]
    assert checks(it) - before == 3
    assert shown(it, "door_edge_outdated") == 1
    assert it.servers.vestibule("proxy", "diff").returncode == 0
    render(it, "--reload")
    it.servers.wait_until(lambda: remembers(it, "wiki", alice), "nginx remembers again")
    assert shown(it, "door_edge_outdated") == 0


def test_apps_come_and_go(it: Guarded, alice: str) -> None:
    """A file and a command make an app; without the file the same command takes it away, and its address with it."""
    port, new = free_port(), file_of(it, "new")
    new.write_text(f'address = "http://localhost:{port}"\nupstream = "{it.echo.upstream}"\n{SIGNED_IN}')

    assert render(it, "--reload").splitlines() == ["app new added", "  rule 1 added: /: signed-in"]

    signed_in = {"Cookie": alice}
    it.servers.wait_until(lambda: ask(port, "/", headers=signed_in).status == 200, "the new app answers")
    new.unlink()
    assert render(it, "--reload").splitlines() == ["app new removed", "  rule 1 removed: /: signed-in"]
    it.servers.wait_until(lambda: is_closed(port), "nothing listens any more")
    assert not (it.servers.nginx_dir / "apps/new.conf").exists()


def is_closed(port: int) -> bool:
    """Whether no server listens on a port."""
    try:
        ask(port, "/")
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("damage", ["", '{"format": 1, "apps": ['])
def test_a_damaged_set_leaves_the_last_one(it: Guarded, bob: str, damage: str) -> None:
    """A gauge says so. The next rendering replaces it."""
    (it.servers.nginx_dir / FILE).write_text(damage)

    it.servers.wait_until(lambda: shown(it, "config_last_reload_successful") == 0, "the worker sees it")

    assert [it.ask("wiki", "/;", Cookie=who).status for who in (bob, "a=1")] == [200, 401]
    render(it)
    it.servers.wait_until(lambda: shown(it, "config_last_reload_successful") == 1, "the worker sees the new one")


def test_without_the_set_nothing_passes(it: Guarded, alice: str) -> None:
    """What is not known to be allowed is refused, also to people who are signed in."""
    (it.servers.nginx_dir / FILE).unlink()

    becomes(it, "wiki", alice, 403)

    assert it.ask("wiki", "/").status == 403


def test_a_fault_leaves_all_as_it_was(it: Guarded) -> None:
    """The judged set and nginx's files, also where the fault is another app's."""
    rewrite(it, "wiki", OPS)
    rewrite(it, "notes", f"{SIGNED_IN}\ncolour = 'red'\n")
    there = {path: path.stat().st_ino for path in it.servers.nginx_dir.rglob("*.*")}

    done = it.servers.vestibule("proxy", "render", "--reload")

    assert (done.returncode, done.stdout) == (1, "")
    assert f"colour in [[rules]] 1 of {file_of(it, 'notes')} is unknown" in done.stderr
    assert {path: path.stat().st_ino for path in it.servers.nginx_dir.rglob("*.*")} == there


def test_a_used_port_leaves_all_as_it_was(it: Guarded) -> None:
    """An app at a port where another program listens: nginx would go on with its old files, and only its log say so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        place, new = f"127.0.0.1:{other.getsockname()[1]}", file_of(it, "new")
        address = place.replace("127.0.0.1", "localhost")
        new.write_text(f'address = "http://{address}"\nupstream = "http://{place}"\n{SIGNED_IN}')
        before = (it.servers.nginx_dir / FILE).read_bytes()

        done = it.servers.vestibule("proxy", "render", "--reload")
        new.unlink()

    assert done.returncode == 1
    assert f"another program listens at {place}: choose another port" in done.stderr
    assert (it.servers.nginx_dir / FILE).read_bytes() == before


def test_hits_are_those_of_the_service(it: Guarded) -> None:
    """`rules hits` asks the ops listener of the settings."""
    it.ask("wiki", "/")

    said = it.servers.vestibule("rules", "hits").stdout

    assert re.search(r"^wiki +1 +[1-9][0-9]* +[0-9]+  /: signed-in$", said, re.MULTILINE), said
