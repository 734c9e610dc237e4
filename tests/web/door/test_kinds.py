"""The kind of a request that may not pass, by Fetch metadata, else by Accept and method."""

import pytest

from tests.web.door.asking import Proxy
from tests.web.door.kinds import BROWSER, DOCUMENT, FORM, FRAME, SCRIPT, Sent, kind


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", DOCUMENT, "page"),
        ("HEAD", DOCUMENT, "page"),
        ("GET", {"Sec_Fetch_Mode": "navigate"}, "page"),
        ("GET", DOCUMENT | {"Accept": "*/*"}, "page"),
        ("POST", DOCUMENT, "form"),
        ("GET", FRAME, "frame"),
        *(("GET", FRAME | {"Sec_Fetch_Dest": each}, "frame") for each in ("frame", "embed", "object")),
        ("GET", SCRIPT, "program"),
        ("GET", SCRIPT | {"Accept": BROWSER}, "program"),
        ("POST", SCRIPT | {"Accept": BROWSER, "Content_Type": FORM}, "program"),
        ("GET", {"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image", "Accept": "image/avif,*/*"}, "program"),
        ("GET", {"Sec_Fetch_Mode": "websocket", "Sec_Fetch_Dest": "websocket"}, "program"),
        ("GET", {"Accept": BROWSER}, "page"),
        ("HEAD", {"Accept": BROWSER}, "page"),
        ("POST", {"Accept": BROWSER, "Content_Type": FORM}, "form"),
        ("POST", {"Accept": BROWSER, "Content_Type": "multipart/form-data; boundary=x"}, "form"),
        ("POST", {"Accept": BROWSER, "Content_Type": "application/json"}, "program"),
        ("PROPFIND", {"Accept": BROWSER, "Content_Type": "text/xml"}, "program"),
        ("GET", {"Accept": BROWSER, "X_Requested_With": "XMLHttpRequest"}, "program"),
        ("GET", {"Accept": "application/json"}, "program"),
        ("GET", {"Accept": "text/html;q=0.5, application/json"}, "program"),
        ("GET", {"Accept": "text/html, application/json;q=0.5"}, "page"),
        ("GET", {"Accept": "text/html;q=0"}, "program"),
        ("GET", {"Accept": "text/html;q=x"}, "program"),
        ("GET", {"Accept": f"text/html{' ' * 300}"}, "program"),
        ("GET", {"Accept": "*/*"}, "program"),
        ("GET", {}, "program"),
    ],
)
def test_kinds(method: str, headers: Sent, expected: str) -> None:
    """A page that is opened is redirected, a form and a frame get a page, all else JSON: no program is redirected."""
    answer = Proxy().forward("/x", method=method, **headers)

    assert (answer.status_code, kind(answer)) == (303 if expected == "page" else 401, expected)
