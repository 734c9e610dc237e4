"""One-time links on the command line: the first administrator, invitations, resets."""

from urllib.parse import parse_qs, urlsplit

import pytest

from service.login.links import LIFETIME, Purpose
from service.login.sessions import hash_of
from tests.cli.terminal import Terminal
from tests.rig.memory_store import Rows
from tests.rig.passwords import OTHER_PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.world import HTTPS, browser

NEW = {"password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD}
WAYS = {
    Purpose.SET_UP: ("setup", "link"),
    Purpose.INVITATION: ("account", "invite", "Alice"),
    Purpose.RESET: ("account", "reset-link", "alice"),
}
every_purpose = pytest.mark.parametrize("purpose", WAYS)


def token_of(url: str) -> str:
    """Return the token in a link."""
    return parse_qs(urlsplit(url).query)["token"][0]


@every_purpose
def test_a_link_is_printed_once_and_works(terminal: Terminal, purpose: Purpose) -> None:
    """Standard output is the address and nothing else; the person who opens it chooses a password and signs in."""
    if purpose is Purpose.SET_UP:
        terminal.world.rows = Rows()

    result = terminal.run(*WAYS[purpose])
    url = result.stdout.removesuffix("\n")
    client = browser(terminal.world.app())
    chosen = client.post("/setup", data=NEW | {"token": token_of(url), "username": "root"})

    assert (result.exit_code, url.startswith("http://localhost:8080/setup?token=")) == (0, True)
    assert "The link works once, until" in result.stderr
    assert chosen.status_code == 303
    assert [a.is_admin for a in terminal.world.rows.accounts.values()] == [purpose is Purpose.SET_UP]


@every_purpose
def test_only_a_digest_is_kept(terminal: Terminal, purpose: Purpose) -> None:
    """The token is in what was printed and nowhere else, with the life that its purpose has."""
    url = terminal.said(*WAYS[purpose]).strip()

    link = terminal.world.rows.links[hash_of(token_of(url))]
    assert token_of(url) not in repr(terminal.world.rows)
    assert (link.purpose, link.expires_at) == (purpose, NOW + LIFETIME[purpose])


@every_purpose
def test_a_new_link_replaces_the_old_one(terminal: Terminal, purpose: Purpose) -> None:
    """Asking twice leaves one link that works, the last one."""
    old, new = (token_of(terminal.said(*WAYS[purpose]).strip()) for _ in range(2))

    assert terminal.world.rows.links.keys() == {hash_of(new)}
    assert old != new


@every_purpose
def test_a_link_in_json(terminal: Terminal, purpose: Purpose) -> None:
    """The address, what it is for, for whom, and when it ends, for a program that sends it on."""
    said = terminal.json(*WAYS[purpose])

    assert said.keys() == {"url", "purpose", "account", "expires_at"}
    assert (said["purpose"], said["expires_at"]) == (purpose.value, NOW + LIFETIME[purpose])
    assert said["account"] == (None if purpose is Purpose.SET_UP else "alice")


def test_a_link_names_the_public_address(terminal: Terminal) -> None:
    """What people get in the mail is the address that the settings name."""
    said = terminal.run("setup", "link", public=HTTPS).stdout

    assert said.startswith("https://auth.example.test/setup?token=")


def test_an_account_starts_with_an_invitation(terminal: Terminal) -> None:
    """`account add --invite` asks for no password and prints the link; no password works until it is used."""
    url = terminal.said("account", "add", "bob", "--invite").strip()

    assert terminal.account("bob").password_hash is None
    client = browser(terminal.world.app())
    assert client.post("/", data={"username": "bob", "password": ""}).status_code == 401
    assert client.post("/setup", data=NEW | {"token": token_of(url)}).status_code == 303
    assert client.post("/", data={"username": "bob", "password": OTHER_PASSWORD}).status_code == 303


def test_an_invitation_takes_no_password(terminal: Terminal) -> None:
    """Both at once is a mistake in the command, not something to guess about."""
    terminal.refused("account", "add", "bob", "--invite", "--password-stdin", stdin=OTHER_PASSWORD, code=2)

    assert len(terminal.world.rows.accounts) == 1


def test_there_is_one_first_administrator(terminal: Terminal) -> None:
    """Once there is an administrator, `setup link` says what to use instead; a disabled one does not count."""
    terminal.world.rows.accounts["a1"] = alice(is_admin=True)
    assert "account reset-link NAME" in terminal.refused("setup", "link")

    terminal.world.rows.accounts["a1"] = alice(is_admin=True, disabled_at=NOW)
    assert "/setup?token=" in terminal.said("setup", "link")


@pytest.mark.parametrize("verb", ["invite", "reset-link"])
def test_no_link_for_who_is_shut_out(terminal: Terminal, verb: str) -> None:
    """A link that would not work is not printed; the command to change that is."""
    terminal.world.rows.accounts["a1"] = alice(disabled_at=NOW)

    assert "vestibule account enable alice" in terminal.refused("account", verb, "alice")
    assert terminal.world.rows.links == {}
