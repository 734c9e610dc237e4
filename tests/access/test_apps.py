"""At which addresses an app can stand."""

import pytest

from service.access.apps import demo, receives_session_cookie
from service.access.decision import Outcome, Request, decide
from service.access.public_address import PublicAddress, parse
from service.login.accounts import Account
from tests.rig.people import alice

HTTPS = PublicAddress("https", "auth.example.test", 443)
LOCAL = PublicAddress("http", "localhost", 8080)


@pytest.mark.parametrize(
    ("address", "public", "domain", "receives"),
    [
        ("https://wiki.example.test", HTTPS, "example.test", True),
        ("https://a.b.example.test:8443", HTTPS, "example.test", True),
        ("https://example.test", HTTPS, "example.test", True),
        ("https://notexample.test", HTTPS, "example.test", False),
        ("https://example.test.evil.test", HTTPS, "example.test", False),
        ("https://wiki.example.test", HTTPS, None, False),
        ("https://auth.example.test:8443", HTTPS, None, True),
        ("https://x.auth.example.test", HTTPS, None, False),
        ("http://localhost:3000", HTTPS, "example.test", False),
        ("http://localhost:3000", LOCAL, None, True),
        ("http://127.0.0.1:3000", LOCAL, None, False),
        ("https://localhost:3000", LOCAL, None, False),
    ],
)
def test_an_app_stands_where_browsers_send_the_session_cookie(
    address: str,
    public: PublicAddress,
    domain: str | None,
    receives: bool,  # noqa: FBT001 - a case
) -> None:
    """Inside the cookie's domain, or on the login's own host at another port; never by another scheme."""
    parsed = parse(address)

    assert isinstance(parsed, PublicAddress)
    assert receives_session_cookie(parsed, public, domain) == receives


def test_the_demo_is_an_app_on_the_logins_own_address() -> None:
    """It admits people who are signed in to /demo, and to no other page of the login."""
    page = demo(LOCAL)

    def outcome(path: str, account: Account | None) -> Outcome:
        return decide(page, Request("GET", path, "192.0.2.7"), account, signed_in_at=0, now=0).enforced.outcome

    assert page.address == LOCAL
    assert [outcome("/demo/", who) for who in (alice(), None)] == [Outcome.ALLOWED, Outcome.SIGN_IN]
    assert outcome("/account", alice()) is Outcome.NO_RULE
