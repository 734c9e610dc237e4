"""The pages of refusals, which stand at the address of an app."""

import base64
import hashlib
import re
from dataclasses import replace
from typing import Final

import pytest

from tests.web.door.asking import WIKI, Proxy
from tests.web.door.kinds import ALL, DOCUMENT, FRAME, Sent, links
from tests.web.rendered import Page

WIKI_URL: Final = "https://wiki.example.test"


@pytest.mark.parametrize(("url", "sent"), [case for case in ALL if case[1].get("Sec_Fetch_Mode") == "navigate"][1:])
def test_a_page_brings_all_that_it_needs(url: str, sent: Sent) -> None:
    """A page at an app's address fetches nothing, sends nothing and runs nothing; its one style is allowed by hash."""
    answer = Proxy(display_name="Zoë").forward(url, **sent)

    page, policy = Page(answer.text), answer.headers["Content-Security-Policy"]
    (style,) = re.findall("<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; ")
    assert "form-action 'none'" in policy
    assert {link.attributes["href"] for link in page.all("link")} == {"data:,"}
    assert page.all("script", "form", "base") == []
    assert [len(page.all("h1")), len(page.all("main")), len(page.all("title"))] == [1, 1, 1]
    assert all(link["href"].startswith("https://auth.example.test/") for link in links(answer))
    assert answer.headers["X-Request-ID"] in answer.text


def test_a_logo_is_inside_the_page() -> None:
    """The brand's picture is part of the page, as its mark is."""
    proxy = Proxy()
    brand = replace(proxy.flask.extensions["vestibule"].brand, logo=b"\x89PNG of ours")
    answer = Proxy(services={"brand": brand}).forward("/", **FRAME)

    (picture,) = Page(answer.text).all("img")
    assert picture.attributes["src"] == f"data:image/png;base64,{base64.b64encode(brand.logo).decode()}"


def test_titles_are_text() -> None:
    """Markup in the title of an app is shown as text."""
    answer = Proxy(replace(WIKI, title="<i>{app}")).forward("/", **FRAME)

    assert "&lt;i&gt;{app}" in answer.text


def test_a_form() -> None:
    """A form that was sent too late: nothing was sent, and signing in in another tab keeps it here."""
    answer = Proxy().forward("/save", method="POST", Referer=f"{WIKI_URL}/edit", **DOCUMENT)

    (link,) = links(answer)
    assert Page(answer.text).all("h1")[0].text == "Nothing was sent"
    assert "What you filled in has not reached Wiki." in answer.text
    assert "come back to this tab and reload it" in answer.text
    assert (link["target"], link["rel"]) == ("_blank", "noopener")


def test_a_frame() -> None:
    """The one link of a frame leads the whole tab to sign in, and other pages may show it."""
    answer = Proxy().forward("/board", **FRAME)

    (link,) = links(answer)
    assert link["target"] == "_top"
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
