"""What an app may ask for besides its address and its rules."""

from pathlib import Path

import pytest

from service.access.identity_headers import IdentityHeaders
from service.settings import load
from service.settings.app_files import apps
from tests.settings.apps_d import HEAD, SHARED, WHOLE, faults


def test_an_app_may_hold_every_key(directory: Path) -> None:
    """Its header names, of which each has a default, and what it allows besides; a certificate for nginx."""
    (directory / "wiki.toml").write_text(
        f"{HEAD}app_passwords = true\npreflight = true\nown_sessions = true\n"
        'certificate = "/etc/tls/wiki.pem"\ncertificate_key = "/etc/tls/wiki.key"\n'
        '[[rules]]\nallow = "signed-in"\n[headers]\nuser = "X-WEBAUTH-USER"\ngroups = "X-Groups"\n'
    )

    (app,) = apps(load(SHARED))

    assert (app.app_passwords, app.preflight, app.own_sessions) == (True, True, True)
    assert (app.certificate, app.certificate_key) == ("/etc/tls/wiki.pem", "/etc/tls/wiki.key")
    assert app.headers == IdentityHeaders(user="X-WEBAUTH-USER", groups="X-Groups")


def test_what_an_app_does_not_ask_for_is_off(directory: Path) -> None:
    """No app passwords, no preflights, no certificate of its own, the usual headers."""
    (directory / "wiki.toml").write_text(WHOLE)

    (app,) = apps(load(SHARED))

    assert (app.app_passwords, app.preflight, app.own_sessions) == (False, False, False)
    assert (app.certificate, app.certificate_key, app.headers) == (None, None, IdentityHeaders())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"app_passwords = 'yes'\n{WHOLE}", "app_passwords in {} must be true or false, without quotes"),
        (f"app_password = true\n{WHOLE}", "app_password in {} is unknown: did you mean app_passwords?"),
        (f"certificate = 'tls/a.pem'\n{WHOLE}", "certificate in {} must be an absolute path"),
        (f"certificate_key = '/a;b'\n{WHOLE}", "certificate_key in {} must be a path without any of"),
        (f"certificate = '/a'\n{WHOLE}", "{} has certificate and no certificate_key: write certificate_key = "),
        (f"certificate_key = '/a'\n{WHOLE}", "{} has certificate_key and no certificate: write certificate = "),
        (f"email = 'X-Email'\n{WHOLE}", "email in {} is a header's: write it below a line [headers]"),
        (f"headers = 'X-User'\n{WHOLE}", "headers in {} must be a table: write [headers], and user = "),
        (f"{WHOLE}[headers]\nuser = 7", "user in [headers] of {} must be text in quotes"),
        (f"{WHOLE}[headers]\nuser = 'X_User'", "user in [headers] of {} must be the name of a header"),
        (f"{WHOLE}[headers]\nuser = 'Cookie'", "user in [headers] of {} is a header that HTTP, browsers or"),
        (f"{WHOLE}[headers]\nusers = 'X-User'", "users in [headers] of {} belongs to a rule"),
        (f"{WHOLE}[headers]\ntitle = 'X-User'", "title in [headers] of {} belongs to the app: write it above"),
        (f"{WHOLE}[headers]\nusername = 'X-User'", "username in [headers] of {} is unknown: did you mean user?"),
        (
            f"{WHOLE}[headers]\nuser = 'X-Who'\nname = 'x-who'",
            "[headers] of {} has x-who for user and for name: give each a header of its own",
        ),
        (f"{WHOLE}[headers]\nname = 'remote-user'", "[headers] of {} has remote-user for user and for name"),
    ],
)
def test_a_fault_of_a_key_is_named(directory: Path, content: str, words: str) -> None:
    """With its file, its table, its key, and what would be right."""
    found = faults(directory, content)

    assert [each for each in found if words.format(directory / "wiki.toml") in each]


def test_a_certificate_needs_https(directory: Path) -> None:
    """On plain http://localhost nginx would use none."""
    content = WHOLE.replace("https://wiki.example.org", "http://localhost:3000")

    (fault,) = faults(directory, f"certificate = '/a'\ncertificate_key = '/b'\n{content}", environ={})

    assert fault.startswith(f"certificate in {directory / 'wiki.toml'} is for an address with https://")
