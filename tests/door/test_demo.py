"""/demo/: a page behind the door on the login's own address, which shows whom an app would be told of."""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.rig import accounts
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, prepared

PAGE: Final[Any] = {"Accept": "text/html", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Yield running servers that know zoe."""
    with prepared(workers=1) as found:
        accounts.add(found, {"zoe": {"display_name": "Zoë <b>", "groups": ("ops",)}})
        found.start()
        yield found


def signed_in(servers: Servers) -> str:
    """Return the cookie of a session of zoe."""
    form = urlencode({"username": "zoe", "password": PASSWORD}).encode()
    answer = servers.get("/", method="POST", body=form, Content_Type="application/x-www-form-urlencoded")
    return next(each for each in answer.all("set-cookie") if "session=" in each).partition(";")[0]


def test_it_shows_what_an_app_is_told(servers: Servers) -> None:
    """The headers as an app would get them; nothing in them is read as HTML, and none is a client's."""
    page = servers.get("/demo/", Cookie=signed_in(servers), Remote_User="root")

    shown = re.findall(r'<dd dir="ltr">(.*?)</dd>', page.text)
    assert (page.status, shown) == (200, ["zoe", "Zo%C3%AB &lt;b&gt;", "", "ops"])


def test_signing_in_leads_there_and_back(servers: Servers) -> None:
    """A browser without a session is sent to sign in, with the way back; a program gets JSON."""
    page, program = servers.get("/demo/", **PAGE), servers.get("/demo/")

    assert (page.status, program.status, program.json["reason"]) == (303, 401, "sign-in")
    assert page.get("location") == program.json["login_url"] == f"{servers.origin}/?rd=%2Fdemo%2F"


@pytest.mark.parametrize("path", ["/demo/page.html", "/demo/x", "/demonstration", "/.well-known/vestibule/verify"])
def test_nothing_else_is_there(servers: Servers, path: str) -> None:
    """The file behind the page, and the question, have no address of their own."""
    assert servers.get(path, Cookie=signed_in(servers)).status == 404


def test_away_with_the_service(servers: Servers) -> None:
    """Without the service the page is refused (503): the door fails closed. Comes last."""
    cookie = signed_in(servers)
    servers.end("gunicorn")

    assert servers.get("/demo/", Cookie=cookie.replace("=", "=x")).status == 503
