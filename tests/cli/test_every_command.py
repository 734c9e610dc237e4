"""What holds for every command: exit codes, JSON, help, and nothing secret on any stream."""

import json
from collections.abc import Iterator
from typing import Final

import click
import pytest

from service.access.block_list import Block
from service.cli import vestibule
from service.services import Unavailable
from tests.cli.terminal import Terminal
from tests.rig.memory_store import MemoryAccounts, MemorySessions
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW
from tests.rig.world import browser

# One way to call each command that speaks to the stores, with what is typed on standard input.
CALLS: Final = {
    ("account", "add", "bob", "--password-stdin"): PASSWORD,
    ("account", "add", "bob", "--invite"): None,
    ("account", "edit", "alice", "--admin"): None,
    ("account", "list"): None,
    ("account", "show", "alice"): None,
    ("account", "disable", "alice"): None,
    ("account", "offboard", "alice", "--yes"): None,
    ("account", "enable", "alice"): None,
    ("account", "invite", "alice"): None,
    ("account", "reset-link", "alice"): None,
    ("account", "delete", "alice", "--yes"): None,
    ("account", "import", "FILE"): None,
    ("account", "unlock", "alice"): None,
    ("app-password", "add", "alice", "--name", "phone", "--app", "wiki"): None,
    ("app-password", "list", "alice"): None,
    ("app-password", "end", "alice", "--all"): None,
    ("attempts", "list"): None,
    ("attempts", "clear", "--all"): None,
    ("audit", "list"): None,
    ("block", "add", "192.0.2.0/24", "--for", "2h"): None,
    ("block", "list"): None,
    ("block", "remove", "192.0.2.0/24"): None,
    ("session", "list"): None,
    ("session", "end", "--all"): None,
    ("setup", "link"): None,
    ("db", "upgrade"): None,
    ("db", "rehearse"): None,
}
# What runs a process, writes files or asks no store: their own tests try them.
ELSEWHERE: Final = {
    ("serve",),
    ("doctor",),
    ("status",),
    ("ping",),
    ("calibrate",),
    ("config", "check"),
    ("config", "show"),
    ("db", "backup"),
    ("db", "restore"),
    ("db", "verify"),
    ("proxy", "render", "caddy"),
    ("proxy", "render", "nginx"),
    ("proxy", "render", "traefik"),
    ("proxy", "diff"),
    ("proxy", "metrics"),
    ("rules", "list"),
    ("rules", "check"),
    ("rules", "hits"),
}
every_call = pytest.mark.parametrize("call", CALLS, ids=" ".join)


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield every command below a group by the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of people."""
    path = tmp_path_factory.mktemp("people") / "people.csv"
    path.write_text("username\ncarol\n")
    return str(path)


def typed(call: tuple[str, ...], file: str) -> list[str]:
    """Return a call's words with a file where one is asked for."""
    return [file if word == "FILE" else word for word in call]


def test_the_table_is_complete() -> None:
    """Every command there is stands in the table, so that what holds for all is tried on all."""
    named = {tuple(word for word in call[:2]) for call in CALLS}

    assert set(commands(vestibule)) == named | ELSEWHERE


@every_call
def test_done_is_0_in_words_and_in_json(terminal: Terminal, call: tuple[str, ...], file: str) -> None:
    """What works exits with 0, says so in a line, and with --json in one document that parses."""
    other = Terminal()
    for one in (terminal, other):
        if call[:2] == ("block", "remove"):
            one.world.rows.blocks["192.0.2.0/24"] = Block("192.0.2.0/24", NOW + 60, NOW)
    said = terminal.said(*typed(call, file), stdin=CALLS[call])
    parsed = other.json(*typed(call, file), stdin=CALLS[call])

    assert said.strip() or parsed == []
    assert isinstance(parsed, dict | list)


class Gone:
    """A store that cannot be reached, whatever it is asked."""

    def __getattr__(self, name: str) -> object:
        raise Unavailable(f"the database does not answer ({name})")


@every_call
def test_unavailable_is_3(terminal: Terminal, call: tuple[str, ...], file: str) -> None:
    """A database that does not answer is 3 with one sentence, for every command that needs it."""
    terminal.database_is_there = False
    gone = {name: Gone() for name in ("accounts", "sessions", "links", "app_passwords", "attempts", "audit", "blocks")}

    said = terminal.refused(*typed(call, file), stdin=CALLS[call], code=3, **gone)

    assert said.startswith("not available: the database does not answer")
    assert len(said.splitlines()) == 1


@every_call
def test_usage_is_2(terminal: Terminal, call: tuple[str, ...], file: str) -> None:
    """An option that does not exist is 2, before anything is read or written."""
    terminal.refused(*typed(call, file), "--frobnicate", code=2)

    assert len(terminal.world.rows.accounts) == 1


@every_call
def test_faults_in_the_settings_are_1(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, call: tuple[str, ...], file: str
) -> None:
    """Every fault is named at once, and nothing is done."""
    monkeypatch.setenv("VESTIBULE_PUBLIC_URL", "http://example.test")
    monkeypatch.setenv("VESTIBULE_SERVER__THREADS", "many")

    said = terminal.refused(*typed(call, file), stdin=CALLS[call])

    assert "VESTIBULE_PUBLIC_URL" in said
    assert "VESTIBULE_SERVER__THREADS" in said
    assert len(terminal.world.rows.accounts) == 1


@every_call
def test_every_command_explains_itself(call: tuple[str, ...]) -> None:
    """--help works without settings or stores, and says more than the command's name."""
    said = Terminal().said(*call[:2], "--help")

    assert said.startswith("Usage: vestibule ")
    assert len(said.splitlines()) >= 6


def test_nouns_explain_themselves(terminal: Terminal) -> None:
    """The list of nouns says of each what it is about; a noun alone lists its verbs; nonsense is 2."""
    listed = terminal.said("--help")

    for noun in vestibule.list_commands(click.Context(vestibule)):
        assert [line for line in listed.splitlines() if line.split()[:1] == [noun] and len(line.split()) > 2]
    assert terminal.run("account").exit_code == 2
    assert "No such command 'frobnicate'" in terminal.refused("frobnicate", code=2)


@pytest.mark.parametrize(("typed", "meant"), [("acount", "account"), ("sesion", "session"), ("block lst", "list")])
def test_a_mistyped_command_is_suggested(terminal: Terminal, typed: str, meant: str) -> None:
    """A mistyped noun or verb is usage (2), and the message names the command that is near."""
    assert f"Did you mean {meant!r}?" in terminal.refused(*typed.split(), code=2)


@pytest.mark.parametrize("noun", ["account", "attempts", "audit", "block", "session"])
def test_an_empty_list_says_so(terminal: Terminal, noun: str) -> None:
    """In one line on standard error: standard output has as many lines as there are items, and JSON is `[]`."""
    terminal.world.rows.accounts.clear()

    shown = terminal.run(noun, "list")

    assert (shown.exit_code, shown.stdout, len(shown.stderr.splitlines())) == (0, "", 1)
    assert terminal.run(noun, "list", "--json").output == "[]\n"


@every_call
def test_nothing_says_a_secret(terminal: Terminal, call: tuple[str, ...], file: str) -> None:
    """No stream of any command shows a password, a hash, a session's token or its digest."""
    client = browser(terminal.world.app())
    client.post("/", data={"username": "alice", "password": PASSWORD})
    cookie = client.get_cookie("vestibule_session", domain="localhost")
    assert cookie is not None
    digest = next(iter(terminal.world.rows.sessions)).hex()

    shown = [terminal.run(*typed(call, file), *more, stdin=CALLS[call]).output for more in ([], ["--json"])]

    secrets = (PASSWORD, "$argon2", cookie.value, digest, "password_hash")
    assert [secret for secret in secrets if secret in "".join(shown)] == []


def test_lists_are_not_held_in_memory(terminal: Terminal) -> None:
    """What a list prints first is out before the last is read, also as JSON."""

    class Breaking(MemoryAccounts):
        def all(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            yield from super().all()
            raise Unavailable("gone in the middle")

    broken = terminal.run("account", "list", "--json", accounts=Breaking(terminal.world.rows))

    assert (broken.exit_code, '"alice"' in broken.stdout) == (3, True)


def test_a_list_in_json_is_one_object_a_line(terminal: Terminal) -> None:
    """The document parses as a whole, and line tools find each account in a line of its own."""
    terminal.said("account", "add", "bob", "--password-stdin", stdin=PASSWORD)

    said = terminal.said("account", "list", "--json")

    assert [one["username"] for one in json.loads(said)] == ["alice", "bob"]
    assert [line.count('"username"') for line in said.splitlines()] == [1, 1]


@pytest.mark.parametrize("verb", [["disable"], ["offboard", "--yes"]])
def test_disabling_is_one_transaction(terminal: Terminal, verb: list[str]) -> None:
    """When sessions cannot be ended, the account is not half disabled."""

    class Failing(MemorySessions):
        def end_of_account(self, account_id: str, *, but: bytes | None = None) -> int:  # noqa: ARG002
            raise Unavailable("gone")

    terminal.refused("account", *verb, "alice", code=3, sessions=Failing(terminal.world.rows))

    assert not terminal.account("alice").is_disabled
