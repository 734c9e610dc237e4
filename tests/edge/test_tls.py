"""TLS as deploy/tls has it: certificates in nginx, and a redirect that no request can change."""

import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.edge.conftest import ECHO
from tests.rig import tls_files
from tests.rig.asking import answers, free_port, received
from tests.rig.certificate import make
from tests.rig.servers import Servers, prepared

HOST = "login.example.org"


@pytest.fixture(scope="module")
def tls() -> Iterator[tuple[Servers, int, int]]:
    """Servers with all files of deploy/tls, the port with TLS and the port that redirects."""
    secure, plain = free_port(), free_port()
    with prepared(application=ECHO, workers=1, PUBLIC_URL=f"https://{HOST}") as servers:
        certificate, key = make(servers.state_dir, HOST)
        tls_files.install(servers.nginx_dir, certificate, key, port=secure, plain=plain)
        servers.start()
        yield servers, secure, plain


def _over_tls(port: int, request: bytes) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        closing(context.wrap_socket(connection)) as secured,
    ):
        secured.sendall(request)
        return received(secured)


def test_the_service_answers_over_tls(tls: tuple[Servers, int, int]) -> None:
    """Over TLS the answer is the service's, with HSTS exactly once, and the log names the protocol."""
    servers, secure, _ = tls
    said = _over_tls(secure, b"GET /over-tls HTTP/1.1\r\nHost: login.example.org\r\nConnection: close\r\n\r\n")

    assert answers(said) == [200]
    assert said.count(b"Strict-Transport-Security: max-age=63072000; includeSubDomains") == 1
    line = re.compile(r'"path":"/over-tls".*"tls":"TLSv1.3"')
    servers.wait_until(lambda: line.search(servers.log("nginx")) is not None, "nginx logged the protocol")


def test_plain_http_on_the_tls_port_gets_400(tls: tuple[Servers, int, int]) -> None:
    """Who speaks plainly to the port with TLS gets a 400 of ours (nginx's own 497)."""
    servers, secure, _ = tls
    said = servers.raw(b"GET / HTTP/1.1\r\nHost: login.example.org\r\n\r\n", port=secure)

    assert answers(said) == [400]
    assert b"That request could not be read" in said


@pytest.mark.parametrize("host", [b"login.example.org", b"evil.test"])
def test_plain_http_leads_to_the_public_address_whoever_was_asked(tls: tuple[Servers, int, int], host: bytes) -> None:
    """The redirect goes to the address in the settings, never to the Host of the request (HD-17)."""
    servers, _, plain = tls
    request = b"GET /account?x=1 HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    said = servers.raw(request, port=plain)

    assert answers(said) == [303]
    assert b"\r\nLocation: https://login.example.org/account?x=1\r\n" in said
    assert b"evil" not in said
    assert said.count(b"Strict-Transport-Security") == 1


@pytest.mark.parametrize(
    "target",
    [b"/%0d%0aSet-Cookie:%20x=1", b"//evil.test", b"/\\evil.test", b"http://evil.test/", b"http://evil.test?x",
     b"@evil.test", b".evil.test", b"/\x7f", b"/\xff", b"/a\tb",
     b"http://login.example.org.evil.test/x", b"https:evil.test", b"?@evil.test"],
)  # fmt: skip
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_no_target_bends_the_redirect(tls: tuple[Servers, int, int], method: bytes, target: bytes) -> None:
    """Whatever is asked of the plain port leads to our own origin or is 400, without a cookie (HD-14, CK-13)."""
    servers, _, plain = tls
    request = method + b" " + target + b" HTTP/1.1\r\nHost: evil.test\r\nCookie: a=b\r\nContent-Length: 0\r\n"
    said = servers.raw(request + b"Connection: close\r\n\r\n", port=plain)

    head = said.partition(b"\r\n\r\n")[0].split(b"\r\n")
    found = [line for line in head if line.lower().startswith((b"location:", b"set-cookie:"))]
    assert answers(said) in ([303], [400])
    assert len(found) == (answers(said) == [303])
    assert all(re.match(rb"Location: https://login\.example\.org[/?][!-~]*$", line) for line in found)


def test_an_old_protocol_is_refused(tls: tuple[Servers, int, int]) -> None:
    """Nothing older than TLS 1.2 gets through."""
    _, secure, _ = tls
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    refused = pytest.raises(OSError, match=r"(?i)ssl|reset")
    with socket.create_connection(("127.0.0.1", secure), timeout=20) as connection, refused:
        context.wrap_socket(connection)
