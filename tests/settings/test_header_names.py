"""The names of identity headers that an app may choose."""

from dataclasses import astuple

import pytest

from service.access.identity_headers import STRIPPED, IdentityHeaders
from service.settings.header_names import header_name
from service.settings.kinds import InvalidValue


@pytest.mark.parametrize(
    "name",
    [*astuple(IdentityHeaders()), "X-WEBAUTH-USER", "X-Forwarded-User", "X-Forwarded-Preferred-Username", "auth-user"],
)
def test_names_that_apps_know_are_taken(name: str) -> None:
    """As they are written: an app may compare letters with their case."""
    assert header_name(name) == name


@pytest.mark.parametrize("name", ["X_User", "X.User", "X-User:", "X User", "1-User", "-User", "Üser", "X" * 65, "", 7])
def test_what_programs_read_differently_is_no_name(name: object) -> None:
    """A hyphen, an underscore and a dot are one letter to a program that reads headers as variables."""
    with pytest.raises(InvalidValue):
        header_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "Connection", "TE", "Transfer-Encoding", "Content-Length", "Expect", "Date", "Via", "If-Match"),
        *("Cookie", "Authorization", "Proxy-Authorization", "proxy", "Accept", "Accept-Language", "Range", "Depth"),
        *("Origin", "Referer", "User-Agent", "Sec-Fetch-Site", "Access-Control-Request-Method", "upgrade"),
        *("Forwarded", "X-FORWARDED-FOR", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "X-Original-URL"),
        *("X-HTTP-Method-Override", "X-Accel-Redirect", "X-Request-ID", "Vestibule-Credential"),
    ],
)
def test_what_others_use_is_no_name(name: str) -> None:
    """An app's identity would overwrite what the app, or a proxy before it, reads there."""
    with pytest.raises(InvalidValue, match="use themselves"):
        header_name(name)


def test_no_name_says_how_a_request_was_sent() -> None:
    """Of the headers that are taken from clients, only those that name a person may be chosen."""
    about_people = ("user", "name", "email", "groups", "login", "role", "uid", "subject", "token")

    for name in STRIPPED:
        if not any(word in name.lower() for word in about_people):
            with pytest.raises(InvalidValue):
                header_name(name)
