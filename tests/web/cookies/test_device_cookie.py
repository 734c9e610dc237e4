"""The device cookie: a limit of its own for the account that signed in, and nothing else (RL)."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.login.device_cookies import LIFETIME
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW, PASSWORDS, alice
from tests.rig.wire import ask, post
from tests.rig.world import HTTPS, World, browser
from tests.web.attack import DEVICE, HOME, LIMITS, attack, cookie_of, known_browser, sign_in

VALUE = re.compile(r"[A-Za-z0-9_-]{16}\.[0-9]{10}\.[A-Za-z0-9_-]{43}")


@pytest.fixture
def app(world: World) -> Flask:
    """An app with small limits, in which bob has alice's password."""
    world.rows.accounts["b1"] = alice(id="b1", username="bob")
    return world.app(throttles=LIMITS)


def test_the_cookie_is_this_hosts_alone(world: World) -> None:
    """Kept for half a year, out of scripts' reach; over https secure, and never shared with sub-domains."""
    plain, secure = (
        next(cookie for cookie in sign_in(app, PASSWORD).all("Set-Cookie") if "device" in cookie)
        for app in (world.app(), world.app(public=HTTPS, cookie_domain="example.test"))
    )

    name, *attributes = plain.split("; ")
    assert name.startswith(f"{DEVICE}=")
    assert VALUE.fullmatch(name.partition("=")[2])
    assert {f"Max-Age={LIFETIME}", "HttpOnly", "Path=/", "SameSite=Lax"} == {
        each for each in attributes if not each.startswith("Expires=")
    }
    assert secure.startswith("__Host-vestibule-device=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(secure.split("; "))
    assert "Domain" not in secure


def test_only_a_right_password_makes_a_browser_known(app: Flask) -> None:
    """Neither a page nor a refusal sets it."""
    answers = [ask(app), sign_in(app), sign_in(app, username="nobody"), ask(app, "GET", "/account")]

    assert [cookie for answer in answers for cookie in answer.all("Set-Cookie") if "device" in cookie] == []


def test_an_attack_keeps_the_owner_out_of_no_known_browser(app: Flask) -> None:
    """While the account is throttled for new browsers, the owner signs in from a known one, in any network."""
    known = known_browser(app)
    attack(app)

    assert sign_in(app, PASSWORD).status == 429
    assert sign_in(app, PASSWORD, address="192.0.2.99", cookie=known).status == 303
    assert sign_in(app, cookie=known).status == 401


def test_its_own_allowance_is_small_and_exact(app: Flask, world: World) -> None:
    """A device cookie allows its own limit of guesses and no more; the limits of other browsers stay as they were."""
    known = known_browser(app)

    statuses = [sign_in(app, password, cookie=known).status for password in ("wrong", "wrong", "wrong", PASSWORD)]
    without = sign_in(app).status
    world.now = NOW + 900

    assert (statuses, without) == ([401, 401, 429, 429], 401)
    assert sign_in(app, PASSWORD, cookie=known).status == 303


def test_it_outlives_signing_out_and_stays_the_same_browser(app: Flask, world: World) -> None:
    """A new sign-in renews it for the same browser, which so has one allowance, however often it signs in."""
    client = browser(app)

    def sign_in_again() -> tuple[str, str]:
        client.post("/", data={"username": "alice", "password": PASSWORD})
        device, moment, _ = device_of(client).split(".")
        return device, moment

    first = sign_in_again()
    client.post("/logout")
    world.now = NOW + 60
    second = sign_in_again()

    assert (first[0], first[1], second[1]) == (second[0], str(NOW), str(NOW + 60))


def device_of(client: FlaskClient) -> str:
    """Return what makes a browser known, from its jar."""
    cookie = client.get_cookie(DEVICE, domain="localhost")
    assert cookie is not None
    return cookie.value


def test_it_is_of_use_for_one_account(app: Flask) -> None:
    """A colleague who signs in here, too, gets no limit of a known device from it."""
    known = known_browser(app)
    attack(app, "bob")

    assert sign_in(app, PASSWORD, username="bob", cookie=known).status == 429
    assert sign_in(app, PASSWORD, username="nobody", cookie=known).status == 401


def forgeries(known: str) -> dict[str, str]:
    """Return values that are nearly right, by what is wrong with them."""
    device, moment, signature = known.removeprefix(f"{DEVICE}=").split(".")
    return {
        "another browser's": f"{'A' * 16}.{moment}.{signature}",
        "a later time": f"{device}.{int(moment) + 1}.{signature}",
        "no signature": f"{device}.{moment}.",
        "another signature": f"{device}.{moment}.{'A' * 43}",
        "a signature cut short": f"{device}.{moment}.{signature[:-1]}",
        "one more": f"{device}.{moment}.{signature}.{signature}",
        "quoted": f'"{device}.{moment}.{signature}"',
        "nothing": "",
        "very long": "A" * 4000,
        "no text": "\xff\xfe",
    }


@pytest.mark.parametrize("forgery", list(forgeries(f"{DEVICE}=a.0.b")))
def test_a_forged_device_cookie_counts_as_none(app: Flask, forgery: str) -> None:
    """A browser with a forged cookie is an unknown one: no error, no limit of its own, no harm to other browsers."""
    value = forgeries(known_browser(app))[forgery]
    before = sign_in(app, PASSWORD, cookie=f"{DEVICE}={value}").status
    attack(app)

    assert (before, sign_in(app, PASSWORD, cookie=f"{DEVICE}={value}").status) == (303, 429)


@pytest.mark.parametrize(("later", "status"), [(LIFETIME - 1, 303), (LIFETIME, 429), (-1, 429)])
def test_it_is_good_for_half_a_year(app: Flask, world: World, later: int, status: int) -> None:
    """And not before it was made."""
    known = known_browser(app)
    world.now = NOW + later
    attack(app)

    assert sign_in(app, PASSWORD, cookie=known).status == status


def test_a_new_password_makes_every_browser_unknown_but_the_one_that_chose_it(app: Flask, world: World) -> None:
    """A stolen device cookie loses its effect."""
    stolen = known_browser(app)
    session = cookie_of(sign_in(app, PASSWORD), "vestibule_session")
    world.now = NOW + 60
    body = f"current={PASSWORD}&password={OTHER_PASSWORD}&repeat={OTHER_PASSWORD}".replace(" ", "+")
    own = cookie_of(post(app, "/account/password", body, HTTP_COOKIE=session))
    attack(app)

    assert sign_in(app, OTHER_PASSWORD, cookie=stolen).status == 429
    assert sign_in(app, OTHER_PASSWORD, cookie=own).status == 303


def test_a_hash_made_anew_leaves_browsers_known(app: Flask, world: World) -> None:
    """Other parameters are not another password."""
    known = known_browser(app)
    world.rows.accounts["a1"] = alice(password_hash=PASSWORDS.hash(PASSWORD))
    attack(app)

    assert sign_in(app, PASSWORD, address=HOME, cookie=known).status == 303
