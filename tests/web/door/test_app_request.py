"""What the door's answer tells a proxy that is not ours to put into the app's request."""

from base64 import b64encode
from dataclasses import replace

import pytest

from service.access.identity_headers import IdentityHeaders
from tests.web.door.asking import NAME, WIKI, Proxy

ASKED = {
    "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "wiki.example.test",
    "X-Forwarded-Uri": "/", "X-Forwarded-For": "192.0.2.7",
}  # fmt: skip


@pytest.fixture
def proxy() -> Proxy:
    """The app's names are its own, one of them the usual name of something else."""
    names = IdentityHeaders(user="X-WEBAUTH-USER", name="X-Name", email="remote-user", groups="Remote-Groups")
    return Proxy(replace(WIKI, headers=names), groups=("staff",), display_name="Alice", email="alice@example.test")


def test_the_app_s_own_names_are_told(proxy: Proxy) -> None:
    """Each name once, with the value that the app takes it for."""
    answer = proxy.ask("/auth/forward", ASKED | {"Cookie": f"{NAME}={proxy.token}"})

    names = ("X-WEBAUTH-USER", "X-Name", "Remote-User", "Remote-Groups")
    assert [answer.headers.getlist(name) for name in names] == [["alice"], ["Alice"], ["alice@example.test"], ["staff"]]


def test_what_the_client_sent_is_told_without_ours(proxy: Proxy) -> None:
    """The app's cookies and its own Authorization come back; without any there is no such header."""
    both = {"Cookie": f"a=1; {NAME}={proxy.token}; b=2", "Authorization": "Bearer of-the-app"}
    told = proxy.ask("/auth/forward", ASKED | both).headers
    bare = proxy.ask("/auth/forward", ASKED | {"Cookie": f"{NAME}={proxy.token}"}).headers

    assert (told["Cookie"], told["Authorization"]) == ("a=1; b=2", "Bearer of-the-app")
    assert not {"Cookie", "Authorization"} & {*bare.keys()}


@pytest.mark.parametrize("sent", ["Bearer {}", "Basic {basic}", "Token {}"])
def test_no_app_is_told_an_app_password(proxy: Proxy, sent: str) -> None:
    """Also where the app takes none: it may open another one."""
    secret = f"vst_{'x' * 43}"
    header = sent.format(secret, basic=b64encode(f"alice:{secret}".encode()).decode())

    answer = proxy.ask("/auth/forward", ASKED | {"X-Forwarded-Uri": "/public", "Authorization": header})

    assert (answer.status_code, answer.headers.get("Authorization")) == (200, None)


def test_our_nginx_is_told_no_more_than_the_identity(proxy: Proxy) -> None:
    """It cuts and renames by itself, and what it remembers holds no client's headers."""
    answer = proxy.verify("/", Authorization="Bearer of-the-app")

    assert answer.headers["Remote-User"] == "alice"
    assert not {"Cookie", "Authorization", "X-WEBAUTH-USER"} & {*answer.headers.keys()}


def test_no_refusal_repeats_what_the_client_sent(proxy: Proxy) -> None:
    """A no goes to the client: it has none of these headers."""
    refused = proxy.ask("/auth/forward", ASKED | {"Cookie": "a=1", "Authorization": "Bearer of-the-app"})

    assert refused.status_code == 401
    assert not {"Cookie", "Authorization", "Remote-User"} & {*refused.headers.keys()}
