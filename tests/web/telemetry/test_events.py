"""Security events, each a line of its own under OWASP's names: who, from where, why (OB-13)."""

from typing import Any, Final

from service.login.links import Purpose, hand_out
from service.services import OuterLimit
from tests.rig.memory_store import MemoryLinks
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.world import World, browser
from tests.web.telemetry.conftest import Lines

RIGHT: Final = {"username": "alice", "password": PASSWORD}


def security(lines: Lines) -> list[dict[str, Any]]:
    """Return the lines of security events since the last look."""
    return [line for line in lines() if line.get("kind") == "security"]


def facts(line: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Return some of a line's facts."""
    return tuple(line.get(name) for name in ("event", "account", *names))


def test_signing_in_and_out_are_events(world: World, lines: Lines) -> None:
    """Each success, refusal and end is one line with who, from where, and why."""
    world.rows.accounts["b"] = alice(id="b", username="bob", disabled_at=NOW)
    client = browser(world.app())
    for name, password in [("alice", "x"), ("nobody", "x"), ("bob", PASSWORD), ("ALICE", PASSWORD)]:
        client.post("/", data={"username": name, "password": password})
    session = next(iter(world.rows.sessions.values())).id
    client.post("/logout")

    found = security(lines)
    assert [facts(line, "reason", "session") for line in found] == [
        ("authn_login_fail", "alice", "wrong_password", None),
        ("authn_login_fail", None, "unknown", None),
        ("authn_login_fail", "bob", "disabled", None),
        ("authn_login_success", "alice", None, session),
        ("session_expired", "alice", "signed_out", session),
    ]
    assert {line["client"] for line in found} == {"127.0.0.1"}
    assert all(len(line["request_id"]) == 32 for line in found)


def test_a_stored_hash_that_cannot_be_checked_is_said(world: World, lines: Lines) -> None:
    """Each refused attempt, bounded by the limits on attempts, says what is wrong with the hash, and not the hash."""
    world.rows.accounts["a1"] = alice(password_hash="$argon2id$v=19$m=12,t=20,p=2$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")

    browser(world.app()).post("/", data=RIGHT)

    (line,) = security(lines)
    assert facts(line, "reason") == ("authn_login_fail", "alice", "unusable_hash")
    assert line["hash_flaw"] == "has m=12, which is too little for p=2: argon2 needs at least m=16"


def test_new_passwords_are_events(world: World, lines: Lines) -> None:
    """A change, a refused change, an invitation, a reset and a first administrator each leave one line."""
    app, new = world.app(), {"password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD}
    client = browser(app)
    client.post("/", data=RIGHT)
    lines()
    client.post("/account/password", data=new | {"current": "x"})
    client.post("/account/password", data=new | {"current": PASSWORD})
    for purpose in Purpose:
        token = hand_out(purpose, None if purpose is Purpose.SET_UP else "a1", links=MemoryLinks(world.rows), now=NOW)
        browser(app).post("/setup", data=new | {"token": token, "username": "root"})

    assert [facts(line, "reason", "by") for line in security(lines)] == [
        ("authn_password_change_fail", "alice", "wrong_password", None),
        ("authn_password_change", "alice", None, None),
        ("user_created", "root", None, "set-up"),
        ("authn_password_change", "alice", None, "invitation"),
        ("authn_password_change", "alice", None, "reset"),
    ]


def test_attacks_are_events(world: World, lines: Lines) -> None:
    """Another site's form, too many tries and a session after its end each leave one line, and no library another."""
    app = world.app(outer_limit=OuterLimit(1, "memory://", {}, b"a key"))
    client = browser(app)
    client.post("/", data=RIGHT)
    client.post("/", data=RIGHT, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"})
    client.post("/", data=RIGHT)
    world.now += 101
    client.get("/account")

    written = [line for line in lines() if line["event"] != "request"]
    assert [facts(line, "origin", "scope") for line in written[1:]] == [
        ("malicious_csrf", None, "https://evil.test", None),
        ("excess_rate_limit_exceeded", None, None, "posts"),
        ("session_use_after_expire", "alice", None, None),
    ]
