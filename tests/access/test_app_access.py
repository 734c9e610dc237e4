"""Which apps an account may open, and where its password is asked for again."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from service.access.app_access import Entrance, app_of, asks_again, entrances
from service.access.apps import App
from service.access.judged_set import JudgedSet
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule
from service.login.sessions import SignedIn
from tests.rig.people import NOW, alice, session_of

ADDRESS = "192.0.2.7"
ALICE = alice(groups=("staff",))


def app(name: str, *rules: Rule, title: str = "") -> App:
    address = PublicAddress("https", f"{name}.example.test", 443)
    return App(name, address, "http://127.0.0.1:3000", title or name.title(), rules)


EVERYBODY = Rule(number=1, allow=Allow.SIGNED_IN)
WIKI = app("wiki", Rule(number=2, path="/admin", fresh=600, groups=("staff",)), EVERYBODY)


def opens(*apps: App) -> list[str]:
    return [entrance.url for entrance in entrances(apps, ALICE, address=ADDRESS, now=NOW)]


@pytest.mark.parametrize(
    ("rules", "url"),
    [
        ([EVERYBODY], "https://a.example.test/"),
        ([Rule(number=1, allow=Allow.EVERYONE)], "https://a.example.test/"),
        ([Rule(number=1, groups=("staff",), fresh=1)], "https://a.example.test/"),
        ([Rule(number=1, users=("bob",))], None),
        (
            [Rule(number=1, users=("bob",)), Rule(number=2, path="/so größe", groups=("staff",))],
            "https://a.example.test/so%20gr%C3%B6%C3%9Fe",
        ),
        ([Rule(number=1, methods=("POST",), allow=Allow.SIGNED_IN)], None),
        ([replace(EVERYBODY, networks=(ip_network("192.0.2.0/24"),))], "https://a.example.test/"),
        ([replace(EVERYBODY, networks=(ip_network("198.51.100.0/24"),))], None),
        ([replace(EVERYBODY, report_only=True)], None),
        ([], None),
    ],
)
def test_what_an_account_may_open(rules: list[Rule], url: str | None) -> None:
    """An app opens at its root, else at the first path whose rules admit the account; else it is not shown."""
    assert opens(app("a", *rules)) == ([url] if url else [])


def test_apps_stand_by_their_titles() -> None:
    """Apps are listed by title, whatever its case, with the address that people know."""
    apps = [app("b", EVERYBODY, title="zebra"), app("c", EVERYBODY, title="Yak"), app("a", EVERYBODY, title="Apes")]

    found = entrances(apps, ALICE, address=ADDRESS, now=NOW)

    assert [entrance.title for entrance in found] == ["Apes", "Yak", "zebra"]
    assert found[0] == Entrance("Apes", "a.example.test", "https://a.example.test/")


def test_the_app_of_a_return_address() -> None:
    """A return address belongs to the app at its origin."""
    apps = JudgedSet([WIKI])

    assert app_of("https://wiki.example.test//a%2Fb?x", apps) == WIKI
    assert [app_of(url, apps) for url in (None, "/account", "https://other.example.test/")] == [None] * 3


@pytest.mark.parametrize(
    ("path", "age", "fresh", "asked"),
    [
        ("/admin/x?y", 600, None, True),
        ("/admin/x?y", 599, None, False),
        ("/", 600, None, False),
        ("//admin", 600, None, True),
        ("/", 600, 600, True),
        ("/", 599, 600, False),
        ("/admin", 600, 900, True),
        ("/", -5, 600, False),
    ],
)
def test_where_the_password_is_asked_for_again(path: str, age: int, fresh: int | None, *, asked: bool) -> None:
    """Where the rules of the page say so, or where the refused request needed a session younger than this one."""
    signed_in = SignedIn(session_of(ALICE, now=NOW - age), ALICE)
    url = f"https://wiki.example.test{path}"

    assert asks_again(WIKI, url, signed_in, fresh=fresh, address=ADDRESS, now=NOW) is asked


def test_a_person_who_may_not_open_a_page_is_not_asked() -> None:
    """Typing the password again would not help an account that the rules do not admit."""
    stranger = alice()
    signed_in = SignedIn(session_of(stranger, now=NOW - 900), stranger)

    assert not asks_again(WIKI, "https://wiki.example.test/admin", signed_in, fresh=None, address=ADDRESS, now=NOW)
