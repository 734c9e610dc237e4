"""Where a browser is sent: to a path of ours or a listed origin, from every place that takes `rd` (RD)."""

import re
from typing import Final
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rig.answer import Answer
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import ask, post
from tests.rig.world import HTTPS, World

APP_ORIGIN: Final = "https://app.test"
RIGHT: Final = f"username=alice&password={PASSWORD.replace(' ', '+')}"
# What every browser's parser reads as a path of ours, or as the one listed origin (WHATWG URL, 4.4).
SAFE: Final = re.compile(r"(?:https://app\.test)?/(?![/\\])[!-~]*", re.ASCII)

OFF_SITE: Final = [
    *("//evil.test", "///evil.test", "////evil.test", "//evil.test/%2e%2e", "/%2fevil.test", "/.//evil.test"),
    *(
        "/\\evil.test",
        "\\\\evil.test",
        "/\\/evil.test",
        "\\/\\/evil.test",
        "//\\evil.test",
        "/%5cevil.test",
        "\\evil.test",
    ),
    *(" //evil.test", "\t//evil.test", "\0//evil.test", "\x1f//evil.test", "\xa0//evil.test", "\ufeff//evil.test"),
    *("/\t/evil.test", "/\n/evil.test", "/\r/evil.test", "/\x0b/evil.test", "/ /evil.test", "/\u2028/evil.test"),
    *(
        "https:evil.test",
        "https:/evil.test",
        "https:///evil.test",
        "http:\\\\evil.test",
        "hTTps://evil.test",
        "https:app.test",
    ),
    *(
        "//https:///evil.test",
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://app.test/",
    ),
    *(
        "https://app.test@evil.test/",
        "https://app.test:443@evil.test",
        "https://app.test%40evil.test",
        "https://a@b@evil.test",
    ),
    *("//app.test@evil.test", "https://user@app.test/", "https://:@app.test/", "https://evil.test#@app.test"),
    *(
        "https://evil.test?.app.test",
        "https://evil.test/.app.test",
        "https://evil.test;.app.test",
        "https://app.test.evil.test",
    ),
    *(
        "https://evilapp.test/",
        "https://app.test-evil.test/",
        "https://appxtest/",
        "https://app-test/",
        "https://app.tes/",
    ),
    *(
        "https://app.test./",
        "https://app.test%2e/",
        "https://ａpp.test/",
        "https://app。test/",
        "https://xn--app.test/",
    ),
    *(
        "https://[",
        "https://[::1",
        "https://[::1]/",
        "https://a＃@b.test",
        "https://%00.test",
        "http://:@/",
        "https://",
        "https:",
    ),
    *(
        "https://app.test:99999/",
        "https://app.test:abc/",
        "https://app.test:444/",
        "https://app.test:/",
        "https://app.test:0443/",
    ),
    *(
        "http://app.test/",
        "HTTP://APP.TEST/",
        "//app.test/",
        "app.test/",
        "https//app.test",
        "https://app.test\\@evil.test",
    ),
    *(
        "/a\r\nSet-Cookie: x=1",
        "/a\u560a\u560dX:1",
        "/a%0d%0aSet-Cookie:x=1",
        "/" + "a" * 8000,
        "",
        "account",
        "?",
        "#",
        ".",
    ),
    *(
        "/..//evil.test",
        "/%2e%2e//evil.test",
        "/./\\evil.test",
        "/;//evil.test",
        "//evil.test:80%40app.test/",
        "/〱evil.test",
    ),
]


APP: Final = World().app(return_origins=frozenset({APP_ORIGIN}))
SIGNED_IN: Final = ("Cookie", (post(APP, "/", RIGHT).get("Set-Cookie") or "").partition(";")[0])


def places(rd: str) -> list[Answer]:
    """Send `rd` wherever it is read: signing in, being in already, and where it is not read, signing out."""
    encoded = quote(rd, safe="")
    return [
        kept(answer)
        for answer in (
            post(APP, "/", f"{RIGHT}&rd={encoded}"),
            post(APP, f"/?rd={encoded}", RIGHT),
            ask(APP, "GET", f"/?rd={encoded}", headers=[SIGNED_IN]),
            post(APP, f"/logout?rd={encoded}", f"rd={encoded}"),
        )
    ]


@pytest.mark.parametrize("rd", OFF_SITE, ids=ascii)
def test_no_target_leads_off_site(rd: str) -> None:
    """Every target that is not plainly ours leads home, and is not kept in the form either."""
    form = kept(ask(APP, "GET", "/?rd=" + quote(rd, safe="")))

    assert [answer.get("Location") for answer in places(rd)] == [*("/account", "/account", "/account", "/")]
    assert 'name="rd"' not in form.text


@pytest.mark.parametrize(
    ("rd", "expected"),
    [
        ("/account/password", "/account/password"),
        ("/x?", "/x?"),
        ("/?rd=//evil.test", "/account"),
        ("/?rd=/?rd=/account/password", "/account"),
        ("/x?a[]=1&b={c|d}^`e`\\f&g=100%&h=%zz#%[i]{j|k}", "/x?a[]=1&b={c|d}^`e`\\f&g=100%&h=%zz#%[i]{j|k}"),
        ("https://app.test/x?a[]=1&b={c|d}^`e`\\f&g=100%", "https://app.test/x?a[]=1&b={c|d}^`e`\\f&g=100%"),
        ("/a/b;c=d?e=f/g&h#i", "/a/b;c=d?e=f/g&h#i"),
        ("http://localhost:8080/x", "/x"),
        ("HTTP://LOCALHOST:8080", "/account"),
        ("https://app.test", "https://app.test/"),
        ("https://app.test:443/board?x=1#y", "https://app.test/board?x=1#y"),
        ("HTTPS://APP.TEST/a", "https://app.test/a"),
    ],
)
def test_people_come_back(rd: str, expected: str) -> None:
    """A path of ours and a listed origin are followed, in their one spelling; what is behind it is not touched."""
    answers = places(rd)

    assert [answers[0].get("Location"), answers[2].get("Location")] == [expected, expected]


@pytest.mark.parametrize(
    "query", ["rd=/ok&rd=//evil.test", "rd=//evil.test&rd=/ok", "rd%5B%5D=//evil.test", "RD=//evil.test"]
)
def test_of_two_targets_the_checked_one_is_used(query: str) -> None:
    """Repeated in the address the first counts, in the form the request is refused; the checked one is used."""
    asked, posted = ask(APP, "GET", f"/?{query}", headers=[SIGNED_IN]), post(APP, "/", f"{RIGHT}&{query}")

    assert asked.get("Location") in {"/ok", "/account"}
    assert (posted.status, posted.get("Location")) in {(400, None), (303, "/account")}


def test_a_way_back_never_leaves_https() -> None:
    """A listed origin counts with its scheme: its plain-http namesake is another site (RD-19)."""
    secure = World().app(public=HTTPS, return_origins=frozenset({APP_ORIGIN}))

    answers = [
        post(secure, "/", f"{RIGHT}&rd={quote(rd, safe='')}").get("Location")
        for rd in ("http://auth.example.test/x", "https://auth.example.test/x", "http://app.test/", "https://app.test/")
    ]

    assert answers == ["/account", "/x", "/account", "https://app.test/"]


pieces = st.sampled_from(
    [
        *"/\\:@?#%.;&= \t\r\n\0ab[]{}|^`",
        "//",
        "https:",
        "http:",
        "app.test",
        "evil.test",
        "localhost:8080",
        "%2f",
        "%5c",
        "%00",
        "。",
    ]
)


@given(st.one_of(st.lists(pieces, max_size=12).map("".join).map(str.encode), st.binary(max_size=40)))
def test_any_target_leads_somewhere_safe(raw: bytes) -> None:
    """Whatever bytes come as `rd`, the Location is a path of ours or the listed origin, as every parser reads it."""
    answer = kept(ask(APP, "GET", "/?rd=" + quote_from_bytes(raw, safe=""), headers=[SIGNED_IN]))

    assert answer.status == 303
    assert SAFE.fullmatch(str(answer.get("Location")))
