"""What nginx remembers: a yes, for exactly the requests that it was said about. Here it does so for a minute."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.door.conftest import PATHS
from tests.door.guarded import SIGNED_IN, Guarded, guarded

OPS_ALONE = '[[rules]]\ngroups = ["ops"]'
ELSEWHERE = "127.0.0.2"


@pytest.fixture(scope="module")
def long() -> Iterator[Guarded]:
    """Servers of which nginx remembers for a minute."""
    apps = {
        "wiki": SIGNED_IN,
        "ops": OPS_ALONE,
        "paths": PATHS,
        "programs": "app_passwords = true\n" + SIGNED_IN,
        "cors": "preflight = true\n" + SIGNED_IN,
    }
    with guarded(apps, DOOR__CACHE_SECONDS="60", LIMITS__POST_PER_MINUTE="600") as servers:
        yield servers


@pytest.fixture(scope="module")
def people(long: Guarded) -> dict[str, str]:
    """Cookie headers: of sessions, of none, and of doubled cookies."""
    alice, bob = long.sign_in("alice"), long.sign_in("bob")
    junk = f"vestibule_session={'x' * 43}"
    return {
        "alice": alice,
        "bob": bob,
        "none": "a=1",
        "junk": junk,
        "junk first": f"{junk}; {alice}",
        "junk last": f"{alice}; {junk}",
        "junk twice": f"{junk}; {junk}",
        "short": f"{alice[:-1]}",
        "long": f"{alice}x",
    }


def asked(it: Guarded, people: dict[str, str], app: str, path: str, who: str, **more: Any) -> int:
    return it.ask(app, path, Cookie=people[who], **more).status


def counted(it: Guarded, people: dict[str, str], *requests: tuple[str, str, str], **more: Any) -> int:
    """Return how often the service was asked about these requests, which all pass."""
    before = it.checks()
    assert {asked(it, people, *request, **more) for request in requests} == {200}
    return it.checks() - before


def test_a_yes_is_remembered(long: Guarded, people: dict[str, str]) -> None:
    """The service is asked once for a session and a rule path, whatever the page; the app is told the same."""
    first = long.ask("wiki", "/first", Cookie=people["alice"])
    before = long.checks()

    told = [
        long.ask("wiki", path, Cookie=people["alice"]) for path in ("/a", "/a/b?c=%2F", "/index.html", "/", "/?d=//")
    ]

    assert long.checks() == before
    who = ["Remote-User", "alice"], ["Remote-Groups", "ops,staff"]
    assert all(pair in answer.json["headers"] for answer in (first, *told) for pair in who)


def test_another_session_is_another_question(long: Guarded, people: dict[str, str]) -> None:
    """Each session is asked about, and the app is told whose each one is."""
    told = [long.ask("wiki", "/who", Cookie=people[who]) for who in ("alice", "bob", "alice", "bob")]

    names = [dict(answer.json["headers"])["Remote-User"] for answer in told]
    assert names == ["alice", "bob", "alice", "bob"]


@pytest.mark.parametrize(
    ("allowed", "denied"),
    [
        (("wiki", "/x", "alice"), ("wiki", "/x", "none", 401)),
        (("wiki", "/x", "alice"), ("wiki", "/x", "junk", 401)),
        (("wiki", "/x", "alice"), ("wiki", "/x", "short", 401)),
        (("wiki", "/x", "alice"), ("wiki", "/x", "long", 401)),
        (("wiki", "/x", "junk first"), ("wiki", "/x", "junk", 401)),
        (("wiki", "/x", "junk last"), ("wiki", "/x", "junk twice", 401)),
        (("wiki", "/x", "bob"), ("ops", "/x", "bob", 403)),
        (("ops", "/x", "alice"), ("ops", "/x", "bob", 403)),
        (("paths", "/x", "bob"), ("paths", "/admin", "bob", 403)),
        (("paths", "/admin/x", "alice"), ("paths", "/admin/x", "bob", 403)),
        (("paths", "/administration", "bob"), ("paths", "/admin/istration", "bob", 403)),
        (("paths", "/x?/admin", "bob"), ("paths", "/admin?/x", "bob", 403)),
    ],
)
@pytest.mark.parametrize("first", ["allowed", "denied"])
def test_a_yes_is_about_nothing_else(
    long: Guarded, people: dict[str, str], first: str, allowed: tuple[str, str, str], denied: tuple[str, str, str, int]
) -> None:
    """Another cookie, app, path group or account gets its own answer, in both orders (FA-21, FA-25)."""
    *refused, status = denied
    for turn in ("denied", "allowed") if first == "denied" else ("allowed", "denied"):
        if turn == "allowed":
            assert asked(long, people, *allowed) == 200
        else:
            assert asked(long, people, *refused) == status


@pytest.mark.parametrize("first", ["allowed", "denied"])
@pytest.mark.parametrize(
    ("path", "denied"),
    [("/read", {"method": "POST"}), ("/read", {"method": "OPTIONS"}), ("/near", {"source": ELSEWHERE})],
)
def test_a_yes_is_about_a_method_and_a_client(
    long: Guarded, people: dict[str, str], first: str, path: str, denied: dict[str, str]
) -> None:
    """A rule for GET says nothing about POST, one for a network nothing about another client; in both orders."""
    for turn in ("denied", "allowed") if first == "denied" else ("allowed", "denied"):
        more = denied if turn == "denied" else {}
        assert asked(long, people, "paths", path, "alice", **more) == (403 if more else 200)


# What a program could take for /admin when it decodes, ignores case, or removes dots, blanks and parameters.
LIKE_ADMIN = [
    *("/Admin", "/ADMIN/x", "/aDmin?x", "/%61dmin", "/admin/", "/admin/%2e", "/%41dmin", "/admin%2f", "/admin%2Fx"),
    *("/x/../admin", "/x/%2e%2e/admin", "/x/..%2fadmin", "/./admin", "//admin", "///admin/x", "/x//../admin"),
    *("/admin;a=1", "/;a/admin", "/x;/../admin", "/admin\\x", "/x\\..\\admin", "/admin%5cx", "/admin%01", "/admin%0a"),
    *("/admin%20", "/admin.", "/admin./x", "/admin%2e", "/%EF%BD%81dmin", "/adm%C4%B1n", "/%2561dmin", "/%252e/admin"),
    *("/admin%23", "/admin%3f", "/x%2f..%2fadmin", "/x/..;/admin", "/public/..;/admin", "/public/%2e%2e/admin"),
    *("/public/../admin", "/public/..%2fadmin", "/public%2f..%2fadmin", "/public//../admin", "/Public/../admin"),
]  # fmt: skip


@pytest.mark.parametrize("path", LIKE_ADMIN)
def test_no_spelling_of_a_path_finds_another_ones_yes(long: Guarded, people: dict[str, str], path: str) -> None:
    """After yeses for other paths, and to another account for the same one, this account is refused (FA-13)."""
    assert {asked(long, people, "paths", before, "bob") for before in ("/x", "/public", "/read", "/")} == {200}
    reached = long.echo.seen()

    assert asked(long, people, "paths", path, "alice") == 200
    assert long.echo.seen() == reached + 1
    assert asked(long, people, "paths", path, "bob") == 403
    assert long.echo.seen() == reached + 1


@pytest.mark.parametrize("path", ["/x%2f", "/x//y", "/x/./y", "/x/..", "/x;y", "/x%5cy", "/x%25", "/x%0a", "/x\\y"])
def test_a_doubtful_path_is_asked_about_each_time(long: Guarded, people: dict[str, str], path: str) -> None:
    """It neither finds a yes nor leaves one."""
    assert counted(long, people, *[("wiki", path, "alice")] * 3) == 3


def test_letters_of_other_scripts_are_remembered_page_by_page(long: Guarded, people: dict[str, str]) -> None:
    """A page with other letters than ASCII in its address is asked about once, and by itself."""
    pages = [("wiki", f"/{name}", "alice") for name in ("%C3%A4", "%C3%A4", "%C3%B6", "%C3%B6", "%C3%A4?a=1")]

    assert counted(long, people, *pages) == 2


def test_clients_without_a_session_are_asked_about_each_time(long: Guarded, people: dict[str, str]) -> None:
    """Nothing is remembered under an empty token, which all of them share."""
    assert counted(long, people, *[("paths", "/public", "none")] * 3) == 3
    assert counted(long, people, *[("wiki", "/x", "junk first")] * 3) == 3


def test_authorization_counts_where_programs_sign_in_alone(long: Guarded, people: dict[str, str]) -> None:
    """An app that takes app passwords is asked about each one; another one has an Authorization of its own."""
    counted(long, people, ("programs", "/x", "alice"), ("wiki", "/x", "alice"))

    assert counted(long, people, *[("programs", "/x", "alice")] * 2, Authorization="Bearer x") == 2
    assert counted(long, people, *[("wiki", "/x", "alice")] * 2, Authorization="Bearer x") == 0
    assert counted(long, people, ("programs", "/x", "alice")) == 0


def test_a_preflight_leaves_no_yes(long: Guarded, people: dict[str, str]) -> None:
    """It passes without a session, and what resembles it does not, for the same client or another one."""
    preflight = {"method": "OPTIONS", "Origin": "http://other.test", "Access_Control_Request_Method": "PUT"}
    for who in ("none", "junk"):
        assert asked(long, people, "cors", "/x", who, **preflight) == 200
        assert asked(long, people, "cors", "/x", who, method="OPTIONS") == 401
        assert asked(long, people, "cors", "/x", who) == 401


def test_a_no_is_not_remembered(long: Guarded, people: dict[str, str]) -> None:
    """A refused client is asked about each time: what opens the door works at once."""
    before = long.checks()
    assert [asked(long, people, "ops", "/no", "bob") for _ in range(3)] == [403] * 3

    assert long.checks() == before + 3


def test_a_yes_lies_in_files_of_nginx_alone(long: Guarded, people: dict[str, str]) -> None:
    """The files hold tokens, so that only their owner may enter and read."""
    asked(long, people, "wiki", "/x", "alice")
    folder = long.servers.nginx_dir / "door_cache"
    files = [path for path in folder.rglob("*") if path.is_file()]

    assert files
    assert {path.stat().st_mode & 0o077 for path in (folder, *files)} == {0}
