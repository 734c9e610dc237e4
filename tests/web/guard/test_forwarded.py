"""What a client claims about itself, its address and ours is no more than a claim (HD)."""

from typing import Any, Final

import pytest

from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import ask, post
from tests.rig.world import HTTPS, World

RIGHT: Final = f"username=alice&password={PASSWORD.replace(' ', '+')}"
CLAIMS: Final = [
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Port", "444"),
    ("X-Forwarded-Server", "evil.test"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Uri", "/account"),
    ("X-Forwarded-Method", "POST"),
    ("X-Original-URL", "/account"),
    ("X-Original-URI", "/account"),
    ("X-Original-Method", "DELETE"),
    ("X-Rewrite-URL", "/account"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Real-IP", "6.6.6.6"),
    ("Client-IP", "6.6.6.6"),
    ("True-Client-IP", "6.6.6.6"),
    ("CF-Connecting-IP", "6.6.6.6"),
    ("Forwarded", "for=6.6.6.6;host=evil.test;proto=https"),
    ("Remote-User", "alice"),
    ("Remote-Groups", "admins"),
    ("X-Forwarded-User", "alice"),
    ("X-WEBAUTH-USER", "alice"),
    ("Authorization", "Basic YWxpY2U6eA=="),
    ("Connection", "close, X-Forwarded-For, Cookie"),
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[0])
def test_a_claim_changes_nothing(world: World, claim: tuple[str, str]) -> None:
    """Every page answers as without the header: no session, no other route, no echo of its value."""
    app = world.app()
    for target in ("/", "/account", "/logout", "/nope"):
        plain, answer = kept(ask(app, "GET", target)), kept(ask(app, "GET", target, headers=[claim]))
        assert (answer.status, answer.get("Location")) == (plain.status, plain.get("Location"))
        assert "evil" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[0])
def test_a_session_remembers_the_real_address(world: World, claim: tuple[str, str]) -> None:
    """The address kept with a session is the one that nginx wrote, whatever else is claimed."""
    post(world.app(), "/", RIGHT, headers=[claim])

    assert [session.address for session in world.rows.sessions.values()] == ["192.0.2.7"]


@pytest.mark.parametrize(
    ("forwarded", "kept_address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80::1%" + "x" * 5000, "fe80::1"),
        ("1.2.3.4:99", "unknown"),
        ("a" * 10_000, "unknown"),
        ("<script>", "unknown"),
        (",", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_is_kept_in_one_spelling_or_not_at_all(world: World, forwarded: str, kept_address: str) -> None:
    """What is no address goes neither into a row nor into the log."""
    answer = post(world.app(), "/", RIGHT, HTTP_X_FORWARDED_FOR=forwarded)

    assert answer.status == 303
    assert [session.address for session in world.rows.sessions.values()] == [kept_address]


def test_a_browsers_name_is_cut_and_cleaned(world: World) -> None:
    """Of what a browser calls itself the printable beginning is kept."""
    post(world.app(), "/", RIGHT, headers=[("User-Agent", "\x00\x1b[31mA\r\n" + "b" * 5000)])

    assert [session.user_agent for session in world.rows.sessions.values()] == ["[31mA" + "b" * 195]


@pytest.mark.parametrize("environ", [{"SCRIPT_NAME": "/evil"}, {"SERVER_NAME": "evil.test"}, {"SERVER_PORT": "444"}])
def test_the_server_around_it_changes_no_address(world: World, environ: dict[str, Any]) -> None:
    """Redirects and pages name paths, whatever the connection, or a header that became SCRIPT_NAME, is called."""
    app = world.app()
    answers = [ask(app, **environ), post(app, "/", RIGHT, **environ), ask(app, "GET", "/account", **environ)]

    assert [answer.get("Location") for answer in answers] == [None, "/account", "/?rd=/account"]
    assert [answer for answer in answers if "evil" in answer.text + str(answer.headers)] == []


@pytest.mark.parametrize("host", ["localhost:8080", "LOCALHOST:8080"])
def test_our_own_name_is_ours_in_any_case(world: World, host: str) -> None:
    """A Host in capitals is the same host."""
    assert ask(world.app(), HTTP_HOST=host).status == 200


@pytest.mark.parametrize("host", ["auth.example.test", "auth.example.test:443"])
def test_a_default_port_may_be_said(world: World, host: str) -> None:
    """With or without its default port an https address is the same address."""
    assert ask(world.app(public=HTTPS), HTTP_HOST=host).status == 200


@pytest.mark.parametrize(
    ("address", "is_told"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("2606:4700::1", False),
        ("", False),
    ],
)
def test_who_is_told_which_setting_to_change(world: World, address: str, *, is_told: bool) -> None:
    """A wrong Host from a private network is told the setting and the address; the internet learns neither."""
    answer = kept(ask(world.app(), HTTP_HOST="evil.test", HTTP_X_FORWARDED_FOR=address))

    assert answer.status == 421
    assert ("VESTIBULE_PUBLIC_URL" in answer.text) is is_told
    assert ("localhost:8080" in answer.text) is is_told


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_only_ops_paths_answer_to_any_host(world: World, path: str) -> None:
    """A probe asks by whatever name it has; every other spelling of its path is no probe."""
    app = world.app()

    assert kept(ask(app, "GET", path, HTTP_HOST="10.0.0.1:9180")).status == 200
    assert {
        kept(ask(app, "GET", other, HTTP_HOST="10.0.0.1:9180")).status for other in (f"{path}/", f"{path}x", "/")
    } == {421}
    assert kept(ask(app, "GET", f"/{path}", HTTP_HOST="10.0.0.1:9180")).status == 404
