"""A browser that keeps no cookie like the session's, and how Chromium reads the addresses that people return to."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.access.public_address import PublicAddress
from service.access.return_to import destination, origin_of
from tests.rig import tls_files
from tests.rig.certificate import make
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, free_port, prepared
from tests.stories.conftest import Visit
from tests.stories.people import move_in

AUTH = PublicAddress("https", "auth.example.test", 443)
LISTED, APPS = frozenset({"https://app.example.test"}), frozenset({"https://files.example.test:8443"})


def test_cookies_that_are_gone(house: Servers, visit: Visit) -> None:
    """A browser that lost its cookies while the form was open is told so, keeps what was typed, and may try again."""
    anna = visit(house)
    anna.open("/?rd=/account/password")
    anna.context.clear_cookies()

    assert anna.sign_in("anna", PASSWORD).problem == "Your browser keeps no cookie"
    assert anna.page.get_by_label("Username").input_value() == "anna"
    assert anna.sign_in("anna", PASSWORD).path == "/account/password"


@pytest.fixture
def suffixed() -> Iterator[tuple[Servers, str]]:
    """Servers whose cookie_domain is a public suffix, and their public address."""
    port = free_port()
    origin = f"https://auth.co.uk:{port}"
    with prepared(PUBLIC_URL=origin, SESSIONS__COOKIE_DOMAIN="co.uk", workers=1) as servers:
        certificate, key = make(servers.state_dir, "auth.co.uk")
        tls_files.install(servers.nginx_dir, certificate, key, port=port)
        servers.start()
        move_in(servers)
        yield servers, origin


def test_a_public_suffix(suffixed: tuple[Servers, str], visit: Visit) -> None:
    """Chromium keeps no cookie of a public suffix; the page names the setting before a password is checked."""
    servers, origin = suffixed
    anna = visit(servers, base_url=origin, ignore_https_errors=True)

    assert anna.open("/").sign_in("anna", PASSWORD).problem == "Your browser keeps no cookie"
    assert "VESTIBULE_SESSIONS__COOKIE_DOMAIN" in anna.text
    assert "authn_login" not in servers.log("gunicorn")
    anna.troubles = [each for each in anna.troubles if "co.uk" not in each]


BEGINNINGS = ["", "/", "https://files.example.test:8443", "https://app.example.test/", "https://auth.example.test"]
PIECES = [
    *(
        "https://evil.test",
        "//",
        "/",
        "\\",
        "@",
        ":",
        "?",
        "#",
        ".",
        "..",
        ";",
        "%2f",
        "%5c",
        "%2e",
        "%25",
        "%252e",
        "%09",
        "\t",
        "\n",
    ),
    *("a", "evil.test", "é", "[", "]", "|", "{", "^", "`", "%", "&b=c", " "),
]


def test_browsers_stay_at_the_origin(house: Servers, visit: Visit) -> None:
    """Chromium reads every return address as one of the origin that was looked up, and keeps an app's as it is."""
    page = visit(house).open("/").page
    pieces = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
    targets = st.builds(str.__add__, st.sampled_from(BEGINNINGS), pieces)

    @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(targets, min_size=50, max_size=100))
    def holds(tried: list[str]) -> None:
        found = [destination(each, public=AUTH, origins=LISTED, apps=APPS) for each in tried]
        urls = [each for each in found if each]
        read = page.evaluate(
            "(urls) => urls.map((url) => (new URL(url, 'https://auth.example.test/'))).map((u) => [u.origin, u.href])",
            urls,
        )
        for url, (origin, href) in zip(urls, read, strict=True):
            assert origin == (origin_of(url) or AUTH.origin)
            path, *_ = url.partition("?")[0].partition("#")
            assert href.startswith(path if origin_of(url) else AUTH.origin + path)

    holds()
