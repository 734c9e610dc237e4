"""The sign-in page: in, out, and everything in between."""

import pytest
from flask.testing import FlaskClient

from service.login.sessions import hash_of
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW
from tests.rig.world import HTTPS, World, browser

RIGHT = {"username": "alice", "password": PASSWORD}


def token(client: FlaskClient) -> str:
    cookie = client.get_cookie("vestibule_session", domain="localhost")
    assert cookie is not None
    return cookie.value


def test_the_page_has_a_form_for_a_name_and_a_password(client: FlaskClient) -> None:
    """GET / shows the form and sets no cookie but the probe."""
    response = client.get("/")

    assert response.status_code == 200
    assert 'name="username"' in response.text
    assert 'name="password"' in response.text
    assert [cookie.partition("=")[0] for cookie in response.headers.getlist("Set-Cookie")] == [
        "vestibule_session_probe"
    ]


def test_the_right_password_lets_in(client: FlaskClient, world: World) -> None:
    """303 to the account, with a cookie whose hash is the one session's."""
    response = client.post("/", data=RIGHT)

    assert (response.status_code, response.headers["Location"]) == (303, "/account")
    assert list(world.rows.sessions) == [hash_of(token(client))]
    assert "alice" in client.get("/account").text


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"username": "nobody"}, {"username": "no body"}, {"password": ""}]
)
def test_everything_else_gets_the_same_401(client: FlaskClient, wrong: dict[str, str]) -> None:
    """Wrong, unknown, impossible and empty look alike: status, headers and page, but for the name that was typed."""
    form = RIGHT | wrong
    reference = client.post("/", data={"username": "alice", "password": "something else"})

    response = client.post("/", data=form)

    assert response.status_code == 401
    assert list(response.headers.keys()) == list(reference.headers.keys())
    assert response.text.replace(f'value="{form["username"]}"', 'value="alice"') == reference.text


@pytest.mark.parametrize(
    ("rd", "expected"),
    [("/account/password", "/account/password"), ("//evil.test", "/account"), ("https://evil.test", "/account")],
)
def test_people_come_back_to_where_they_were(client: FlaskClient, rd: str, expected: str) -> None:
    """A valid rd is followed after signing in and when signed in already; anything else leads home."""
    signing_in = client.post("/", data=RIGHT | {"rd": rd})
    already_in = client.get("/", query_string={"rd": rd})

    assert [signing_in.headers["Location"], already_in.headers["Location"]] == [expected, expected]
    assert already_in.status_code == 303


def test_a_listed_origin_may_be_returned_to(world: World) -> None:
    """The page's form may end at the one validated origin, and the redirect goes there."""
    client = browser(world.app(return_origins=frozenset({"https://app.example.test"})))
    rd = "https://app.example.test/board?x=1"

    page, answer = client.get("/", query_string={"rd": rd}), client.post("/", data=RIGHT | {"rd": rd})

    assert "form-action 'self' https://app.example.test" in page.headers["Content-Security-Policy"]
    assert answer.headers["Location"] == rd


def test_a_planted_token_is_never_adopted(client: FlaskClient) -> None:
    """Signing in always makes a new token (session fixation)."""
    client.set_cookie("vestibule_session", "A" * 43, domain="localhost")

    client.post("/", data=RIGHT)

    assert token(client) != "A" * 43


def test_signing_in_again_ends_the_old_session(client: FlaskClient, world: World) -> None:
    """One browser has one session."""
    client.post("/", data=RIGHT)
    first = token(client)
    client.post("/", data=RIGHT)

    assert token(client) != first
    assert len(world.rows.sessions) == 1


def test_stay_signed_in_outlives_the_browser(client: FlaskClient, world: World) -> None:
    """Without the tick the cookie ends with the browser; with it, when the session does."""
    plain = client.post("/", data=RIGHT).headers["Set-Cookie"]
    remembered = client.post("/", data=RIGHT | {"remember": "on"}).headers["Set-Cookie"]

    assert "Max-Age" not in plain
    assert "Max-Age=9000" in remembered
    assert [s.remembered for s in world.rows.sessions.values()] == [True]


def test_signing_out_ends_the_row(client: FlaskClient, world: World) -> None:
    """After POST /logout the token opens nothing, and the browser has no cookie."""
    client.post("/", data=RIGHT)
    old = token(client)

    response = client.post("/logout")
    client.set_cookie("vestibule_session", old, domain="localhost")

    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert world.rows.sessions == {}
    assert client.get("/account").status_code == 303


def test_asking_to_sign_out_changes_nothing(client: FlaskClient, world: World) -> None:
    """GET /logout shows a question; a link cannot end a session."""
    client.post("/", data=RIGHT)

    assert client.get("/logout").status_code == 200
    assert len(world.rows.sessions) == 1


def test_signing_out_twice_ends_well(client: FlaskClient) -> None:
    """The second tab's sign-out, and the question without a session, lead to the sign-in page."""
    assert client.post("/logout").status_code == 303
    assert client.get("/logout").headers["Location"] == "/"


def test_an_idle_session_ends(client: FlaskClient, world: World) -> None:
    """Coming back too late leads to signing in and back, and takes the dead cookie away."""
    client.post("/", data=RIGHT)
    world.now = NOW + 101

    response = client.get("/account")

    assert response.headers["Location"] == "/?rd=/account"
    assert "Max-Age=0" in response.headers["Set-Cookie"]


def test_using_a_session_keeps_it(client: FlaskClient, world: World) -> None:
    """Use writes the time of use, at most once a minute."""
    client.post("/", data=RIGHT)
    seen = []
    for seconds in (30, 60, 90, 150):
        world.now = NOW + seconds
        client.get("/account")
        seen += [s.seen_at - NOW for s in world.rows.sessions.values()]

    assert seen == [0, 60, 60, 150]


def test_a_form_left_open_overnight_still_works(client: FlaskClient, world: World) -> None:
    """Nothing in the page expires."""
    client.get("/")
    world.now = NOW + 100_000

    assert client.post("/", data=RIGHT).status_code == 303


def test_the_cookie_is_locked_to_an_https_address(world: World) -> None:
    """On https the cookie has the __Host- prefix, Secure, HttpOnly and SameSite."""
    client = browser(world.app(public=HTTPS))

    cookie = client.post("/", data=RIGHT).headers["Set-Cookie"]

    assert cookie.startswith("__Host-vestibule=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_subdomains_share_a_cookie_only_when_told(world: World) -> None:
    """A shared cookie says so in its name."""
    client = browser(world.app(public=HTTPS, cookie_domain="example.test"))

    cookie = client.post("/", data=RIGHT).headers["Set-Cookie"]

    assert cookie.startswith("__Secure-vestibule=")
    assert "Domain=example.test" in cookie


@pytest.mark.parametrize(
    ("header", "is_in"),
    [
        ("vestibule_session={t}", True),
        ("x=1; vestibule_session={t}; y=2", True),
        ("vestibule_session={t}; vestibule_session=bad", True),
        ("vestibule_session=bad; vestibule_session={t}", True),
        ("vestibule_session=" + "D" * 43 + "; vestibule_session={t}", True),
        ("vestibule_session={t}; vestibule_session=" + "D" * 43, True),
        ("=vestibule_session=bad; vestibule_session={t}", True),
        ("vestibule_session; vestibule_session={t}", True),
        ("vestibule_session =bad; vestibule_session={t}", True),
        ('vestibule_session="{t}"', False),
        ('$Version=1; x="a; vestibule_session=bad"; vestibule_session={t}', True),
        ("VESTIBULE_SESSION={t}", False),
        ("vestibule_session={t}=", False),
        ("", False),
    ],
)
def test_the_live_cookie_of_the_exact_name_counts(world: World, header: str, *, is_in: bool) -> None:
    """One reading of the header: no quotes, no other spelling; of two cookies the live one, and neither is deleted."""
    app = world.app()
    first = browser(app)
    first.post("/", data=RIGHT)

    other = app.test_client(use_cookies=False)
    response = other.get("/account", headers={"Cookie": header.format(t=token(first))})

    assert (response.status_code == 200) is is_in
    assert not (is_in and response.headers.getlist("Set-Cookie"))
