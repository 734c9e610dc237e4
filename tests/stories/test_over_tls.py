"""As in production: https, the cookie that belongs to one host, and HSTS."""

from collections.abc import Iterator

import pytest

from tests.rig import tls_files
from tests.rig.certificate import make
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, free_port, prepared
from tests.stories.conftest import Visit
from tests.stories.people import move_in


@pytest.fixture(scope="module")
def secured() -> Iterator[tuple[Servers, str]]:
    """Servers with people behind nginx with TLS as deploy/tls has it, and their public address."""
    port = free_port()
    with prepared(PUBLIC_URL=f"https://localhost:{port}") as servers:
        certificate, key = make(servers.state_dir, "localhost")
        tls_files.install(servers.nginx_dir, certificate, key, port=port)
        servers.start()
        move_in(servers)
        yield servers, f"https://localhost:{port}"


def test_the_cookie_of_this_host_alone(secured: tuple[Servers, str], visit: Visit) -> None:
    """Chromium takes a __Host- cookie, keeps to https from then on, and forgets everything at the end."""
    servers, origin = secured
    anna = visit(servers, base_url=origin, ignore_https_errors=True)
    answers: list[str] = []
    anna.context.on("response", lambda it: answers.append(it.headers.get("strict-transport-security", "none")))

    anna.open("/").sign_in("anna", PASSWORD)
    (cookie,) = anna.session_cookies

    found = (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["secure"], cookie["domain"], cookie["path"])
    assert found == ("__Host-vestibule", True, "Lax", True, "localhost", "/")
    assert set(answers) == {"max-age=63072000; includeSubDomains"}
    assert anna.press("Sign out").notice == "You are signed out."
    assert anna.session_cookies == []
    anna.page.go_back(wait_until="commit")
    assert anna.heading == "Sign in"
