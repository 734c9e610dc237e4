"""Methods: what the service knows reaches it, everything else is refused here, always with Allow."""

import pytest

from tests.rig.asking import answers
from tests.rig.servers import Servers


@pytest.mark.parametrize(
    "method", ["FOOBAR", "PROPFIND", "MKCOL", "TRACE", "TRACK", "PURGE", "LINK", "A", "G" * 30, "GET-X"]
)
def test_an_unknown_method_is_refused_at_the_edge(echo: Servers, method: str) -> None:
    """A method that the service does not know gets 405 with Allow from nginx, and no label anywhere (MT-04, MT-05)."""
    answer = echo.get("/", method=method)

    assert answer.status == 405
    assert "GET" in answer.one("allow")
    assert b"That does not work here" in answer.body


def test_connect_opens_nothing(echo: Servers) -> None:
    """CONNECT is refused whichever way this nginx reads it."""
    assert answers(echo.raw(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n")) in ([400], [405])


@pytest.mark.parametrize("method", ["get", "Get", "gET", "FOOBAR1", "G@T"])
def test_a_method_that_is_no_word_in_capitals_gets_400(echo: Servers, method: str) -> None:
    """nginx takes methods of capital letters for methods; anything else is an unreadable request to it."""
    assert answers(echo.raw(f"{method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())) == [400]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/logout", "/account", "/account/password", "/setup"])
def test_a_known_verb_where_it_does_not_belong_gets_the_methods_of_that_page(
    service: Servers, method: str, path: str
) -> None:
    """PUT, PATCH and DELETE are answered by the service, 405 with that page's own Allow (MT-13)."""
    answer = service.get(path, method=method)

    assert answer.status == 405
    assert "GET" in answer.one("allow")
    assert "DELETE" not in answer.one("allow")


@pytest.mark.parametrize("path", ["/", "/logout", "/account", "/account/password", "/setup"])
def test_options_says_what_a_page_answers(service: Servers, path: str) -> None:
    """OPTIONS is answered with Allow, and grants no other site anything (MT-03)."""
    answer = service.get(path, method="OPTIONS", Origin="https://evil.test", Access_Control_Request_Method="POST")

    assert answer.status in {200, 204}
    assert "GET" in answer.one("allow")
    assert not [name for name, _ in answer.headers if name.startswith("access-control-")]


def test_files_answer_get_head_and_options(service: Servers) -> None:
    """Static files know three methods, and say so."""
    (version,) = (path.name for path in (service.nginx_dir / "static").iterdir())
    sheet = f"/static/{version}/style.css"
    found = {method: service.get(sheet, method=method) for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "FOO")}

    assert {method: answer.status for method, answer in found.items()} == {
        "GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405, "PUT": 405, "FOO": 405,
    }  # fmt: skip
    assert {found[method].one("allow") for method in ("OPTIONS", "POST", "PUT", "FOO")} == {"GET, HEAD, OPTIONS"}
    assert found["HEAD"].body == b""


def test_a_method_cannot_be_overridden(echo: Servers) -> None:
    """X-HTTP-Method-Override and its kin do not reach the service (MT-07)."""
    answer = echo.get(
        "/?_method=PUT", method="POST", body=b"_method=DELETE", X_HTTP_Method_Override="DELETE", X_Method_Override="PUT"
    )

    assert b'"REQUEST_METHOD": "POST"' in answer.body
    assert b"OVERRIDE" not in answer.body
