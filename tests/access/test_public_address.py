"""Which texts are a public address, in which spelling, and why the others are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.public_address import Flaw, PublicAddress, parse

_LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
_NAMES = st.lists(_LABELS, min_size=1, max_size=4).map(".".join)
_HOSTS = st.one_of(
    _NAMES,
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda ip: f"[{ip}]"),
)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://login.example.org", "https://login.example.org"),
        ("HTTPS://Login.Example.ORG", "https://login.example.org"),
        ("https://login.example.org/", "https://login.example.org"),
        ("https://login.example.org:443", "https://login.example.org"),
        ("https://login.example.org:8443", "https://login.example.org:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://intranet", "https://intranet"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://LOCALHOST:08080", "http://localhost:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
    ],
)
def test_an_address_has_one_spelling(text: str, origin: str) -> None:
    """Case, default ports, the bare slash and long forms of IPv6 disappear, as browsers write an origin."""
    found = parse(text)

    assert isinstance(found, PublicAddress)
    assert found.origin == origin


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", Flaw.SCHEME),
        ("login.example.org", Flaw.SCHEME),
        ("//login.example.org", Flaw.SCHEME),
        ("ftp://login.example.org", Flaw.SCHEME),
        ("javascript://login.example.org", Flaw.SCHEME),
        (" https://login.example.org", Flaw.SCHEME),
        ("https:/login.example.org", Flaw.SCHEME),
        ("https://a[b]", Flaw.SCHEME),
        ("https://me@login.example.org", Flaw.USER_INFORMATION),
        ("https://me:secret@login.example.org", Flaw.USER_INFORMATION),
        ("https://@login.example.org", Flaw.USER_INFORMATION),
        ("https://login.example.org@evil.example", Flaw.USER_INFORMATION),
        ("https://login.example.org/login", Flaw.MORE_THAN_AN_ORIGIN),
        ("https://login.example.org//", Flaw.MORE_THAN_AN_ORIGIN),
        ("https://login.example.org?", Flaw.MORE_THAN_AN_ORIGIN),
        ("https://login.example.org#top", Flaw.MORE_THAN_AN_ORIGIN),
        ("https://login.example.org/\n", Flaw.MORE_THAN_AN_ORIGIN),
        ("https://", Flaw.HOST),
        ("https://:8443", Flaw.HOST),
        ("https://.example.org", Flaw.HOST),
        ("https://login.example.org.", Flaw.HOST),
        ("https://login..example.org", Flaw.HOST),
        ("https://-login.example.org", Flaw.HOST),
        ("https://login_in.example.org", Flaw.HOST),
        ("https://*.example.org", Flaw.HOST),
        ("https://login.example.org\\evil", Flaw.HOST),
        ("https://login%2eexample.org", Flaw.HOST),
        ("https://login.example.org\n", Flaw.HOST),
        ("https://lo gin", Flaw.HOST),
        ("https://" + "a" * 64, Flaw.HOST),
        ("https://" + ".".join(["a" * 60] * 5), Flaw.HOST),
        ("https://256.0.0.1", Flaw.HOST),
        ("https://127.1", Flaw.HOST),
        ("https://0x7f000001", Flaw.HOST),
        ("https://2130706433", Flaw.HOST),
        ("https://[::1", Flaw.SCHEME),
        ("https://[127.0.0.1]", Flaw.HOST),
        ("https://[fe80::1%25eth0]", Flaw.HOST),
        ("https://[]", Flaw.HOST),
        ("https://bücher.example", Flaw.NOT_ASCII),
        ("https://login\u3002example.org", Flaw.NOT_ASCII),
        ("https://login.example.org:", Flaw.PORT),
        ("https://login.example.org:0", Flaw.PORT),
        ("https://login.example.org:65536", Flaw.PORT),
        ("https://login.example.org:+443", Flaw.PORT),
        ("https://login.example.org:４４３", Flaw.PORT),
        ("https://login.example.org:443:443", Flaw.PORT),
        ("http://login.example.org", Flaw.PLAIN_HTTP),
        ("http://127.0.0.2", Flaw.PLAIN_HTTP),
        ("http://localhost.example.org", Flaw.PLAIN_HTTP),
        ("http://[2001:db8::1]", Flaw.PLAIN_HTTP),
    ],
)
def test_what_is_no_public_address_says_why(text: str, flaw: Flaw) -> None:
    """Nothing is repaired: what two parsers could read in two ways is refused, with the reason."""
    assert parse(text) == flaw


def test_an_address_says_what_follows_from_it() -> None:
    """Scheme, host and port, the Host header, the Origin header and TLS are one parse away."""
    plain, secure = parse("http://localhost:8080"), parse("https://Login.Example.org")

    assert isinstance(plain, PublicAddress)
    assert isinstance(secure, PublicAddress)
    assert (
        plain.scheme,
        plain.host,
        plain.port,
        plain.netloc,
        plain.is_https,
    ) == ("http", "localhost", 8080, "localhost:8080", False)
    assert (
        secure.host,
        secure.port,
        secure.netloc,
        secure.is_https,
    ) == ("login.example.org", 443, "login.example.org", True)


@given(host=_HOSTS, port=st.integers(1, 65535))
def test_every_origin_of_an_https_server_is_taken(host: str, port: int) -> None:
    """Any name, IPv4 or IPv6 address with any port is an address, and its origin parses to the same."""
    found = parse(f"https://{host}:{port}")

    assert isinstance(found, PublicAddress)
    assert found.port == port
    assert parse(found.origin) == found


@given(st.one_of(st.text(), st.text(alphabet="htps:/[]@.?#\\%0a1-é \n").map(lambda rest: f"https://{rest}")))
def test_any_text_has_an_answer(text: str) -> None:
    """Whatever is given is an address or a flaw; what is accepted holds nothing that a header could stumble over."""
    found = parse(text)

    assert isinstance(found, Flaw) or (
        found.origin.isascii() and found.origin.isprintable() and "@" not in found.origin
    )
