"""Sign-ins that all come from one private address: a proxy that is not trusted yet is reported."""

import itertools
from typing import Final

import pytest
from flask import Flask

from service.services import OuterLimit
from service.settings import load
from service.web.telemetry.self_checks import WARN_EVERY_SECONDS, WINDOW, SignIns, Suspicion, advice
from tests.rig import scraped
from tests.rig.wire import ask, post
from tests.rig.world import HTTPS, World
from tests.web.telemetry.conftest import Lines, lines, served

__all__ = ["lines", "served"]

PROXY: Final = "10.0.0.5"
NAME: Final = "vestibule_untrusted_proxy_suspected"
PRIVATE: Final = ("10.1.2.3", "172.31.255.1", "192.168.1.1", "100.64.0.9", "127.0.0.1", "169.254.1.1")
PRIVATE_IPV6: Final = ("fd00::5", "::1", "fe80::1")
PUBLIC: Final = ("192.0.2.7", "172.32.0.1", "11.0.0.1", "100.128.0.1", "2001:db8::1", "::2", "unknown", "")


def after(*addresses: str) -> Suspicion:
    """Return what is noticed after sign-ins from these addresses, a second apart."""
    sign_ins, noticed = SignIns(), Suspicion(None, is_due=False)
    for now, address in enumerate(addresses):
        noticed = sign_ins.come_from(address, now=now)
    return noticed


@pytest.mark.parametrize("address", [*PRIVATE, *PRIVATE_IPV6])
def test_one_private_address_is_noticed(address: str) -> None:
    """Whichever kind of private network the proxy is in, its own address is named, once enough came from there."""
    assert after(*[address] * (WINDOW - 1)) == Suspicion(None, is_due=False)
    assert after(*[address] * WINDOW) == Suspicion(address, is_due=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_office_behind_one_public_address_is_none(address: str) -> None:
    """Many clients share a public address; a text that is no address is no proxy."""
    assert after(*[address] * (2 * WINDOW)).address is None


def test_an_address_is_named_as_it_is_set() -> None:
    """The setting refuses IPv4-mapped IPv6, so the address is named as IPv4."""
    address = after(*[f"::ffff:{PROXY}"] * WINDOW).address

    assert address == PROXY
    assert [str(each) for each in load({"VESTIBULE_TRUSTED_PROXIES": PROXY}).trusted_proxies] == [f"{PROXY}/32"]


@pytest.mark.parametrize(("others", "is_noticed"), [(0, True), (1, True), (2, False), (10, False)])
def test_a_twentieth_may_come_from_elsewhere(others: int, *, is_noticed: bool) -> None:
    """One health check or one client inside does not hide the proxy; two networks among twenty are no proxy's work."""
    addresses = [*["192.0.2.7"] * others, *[PROXY] * (WINDOW - others)]

    assert (after(*addresses).address == PROXY) is is_noticed


def test_many_private_addresses_are_none() -> None:
    """People on a private network, each from an address of their own, need no proxy."""
    assert after(*(f"10.0.0.{number}" for number in range(2 * WINDOW))).address is None


def test_it_is_over_when_people_are_told_apart() -> None:
    """Only the last ones count: two from elsewhere end it."""
    assert after(*[PROXY] * 100, "192.0.2.7", "192.0.2.8").address is None


def test_it_is_said_at_most_once_an_hour() -> None:
    """However many sign-ins a flood brings, one line an hour; and at once when it is seen first."""
    sign_ins = SignIns()
    moments = [*range(WINDOW), 100, WARN_EVERY_SECONDS + WINDOW - 2, WARN_EVERY_SECONDS + WINDOW - 1]

    said = [moment for moment in moments if sign_ins.come_from(PROXY, now=moment).is_due]

    assert said == [WINDOW - 1, WARN_EVERY_SECONDS + WINDOW - 1]


def sign_in(app: Flask, address: str, times: int) -> list[int]:
    """Send so many sign-ins, as nginx hands them over; their statuses."""
    body = "username=alice&password=x"
    return [post(app, "/", body, HTTP_X_FORWARDED_FOR=address).status for _ in range(times)]


def gauge(app: Flask) -> float:
    """Return what a scrape says."""
    return scraped.series(scraped.text(app))[NAME, frozenset()]


def test_a_proxy_shows_in_the_metrics_and_in_one_line(world: World, lines: Lines) -> None:
    """Throttled ones count too, since all of them share one limit by then; the line names setting and address."""
    app = world.app(public=HTTPS, outer_limit=OuterLimit(5, "memory://", {}, b"a key"))
    before = gauge(app)

    statuses = sign_in(app, PROXY, 3 * WINDOW)

    warnings = [line for line in lines() if line["level"] == "warning" and "client" in line]
    assert (before, gauge(app), set(statuses)) == (0, 1, {401, 429})
    assert [(line["event"], line["client"]) for line in warnings] == [(advice(PROXY), PROXY)]
    assert "VESTIBULE_TRUSTED_PROXIES" in advice(PROXY)


def test_it_goes_when_people_have_addresses(world: World) -> None:
    """The gauge falls as soon as sign-ins come from where people are."""
    app = world.app(public=HTTPS)
    said = []
    for address in (PROXY, "192.0.2.7"):
        sign_in(app, address, WINDOW)
        said.append(gauge(app))

    assert said == [1, 0]


def test_on_ones_own_machine_it_is_normal(world: World) -> None:
    """On http://localhost every client has the same address, so nothing is suspected."""
    app = world.app()
    sign_in(app, "127.0.0.1", WINDOW)

    assert gauge(app) == 0


def test_only_sign_ins_count(world: World) -> None:
    """Pages, probes, forms of other sites and other forms say nothing of where people sign in."""
    app = world.app(public=HTTPS)
    evil = [("Origin", "https://evil.test")]
    for _, (method, target) in itertools.product(
        range(WINDOW), [("GET", "/"), ("GET", "/healthz"), ("POST", "/logout"), ("POST", "/account/password")]
    ):
        ask(app, method, target, HTTP_X_FORWARDED_FOR=PROXY)
    for _ in range(WINDOW):
        ask(app, "POST", "/", headers=evil, HTTP_X_FORWARDED_FOR=PROXY)

    assert gauge(app) == 0
