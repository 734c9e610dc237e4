"""Where a browser may be sent back to."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.public_address import PublicAddress
from service.access.return_to import MAXIMUM_LENGTH, destination, origin_of

AUTH = PublicAddress("https", "auth.example.test", 443)
ORIGINS = frozenset({"https://app.example.test", "https://wiki.example.test:8443"})


APPS = frozenset({"https://files.example.test", "https://git.example.test:8443"})


def goes(target: str | None) -> str | None:
    return destination(target, public=AUTH, origins=ORIGINS, apps=APPS)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/account", "/account"),
        ("/a/b/?q=1&r=/x//y#part", "/a/b/?q=1&r=/x//y#part"),
        ("/a?[x]={1|2}^`3`\\4%&p=100%#%[a]{b|c}^`d`\\#e", "/a?[x]={1|2}^`3`\\4%&p=100%#%[a]{b|c}^`d`\\#e"),
        ("https://app.example.test?q=[1]//x", "https://app.example.test/?q=[1]//x"),
        ("/x?#", "/x?#"),
        ("/x?//evil.test/\\evil.test@", "/x?//evil.test/\\evil.test@"),
        ("https://auth.example.test/account", "/account"),
        ("https://AUTH.example.test:443/x", "/x"),
        ("https://app.example.test/x%20y", "https://app.example.test/x%20y"),
        ("HTTPS://APP.EXAMPLE.TEST", "https://app.example.test/"),
        ("https://wiki.example.test:8443/?page=1", "https://wiki.example.test:8443/?page=1"),
    ],
)
def test_paths_of_ours_and_listed_origins_are_kept(target: str, expected: str) -> None:
    """People come back to where they were, under the one spelling of its origin."""
    assert goes(target) == expected


@pytest.mark.parametrize(
    "target",
    [
        None, "", "account", "?x=1", "#x", "//evil.test", "//evil.test/%2e%2e", "///evil.test", "////evil.test",
        "/\\evil.test", "\\\\evil.test", "/\\/evil.test", "\\/\\/evil.test", "//\\evil.test",
        "/\t/evil.test", "/\n/evil.test",
        " //evil.test", "\t//evil.test", "\x00//evil.test", "\x1f//evil.test", "\u00a0//evil.test", "\ufeff//evil.test",
        "/\x0b/evil.test", "https:evil.test", "https:/evil.test", "https:///evil.test", "http:\\\\evil.test",
        "hTTps://evil.test", "//https:///evil.test", "javascript:alert(1)", "data:text/html,x", "java\nscript:alert(1)",
        "https://app.example.test@evil.test/", "https://app.example.test:443@evil.test",
        "https://a@b@evil.test",
        "https://app.example.test%40evil.test", "//app.example.test@evil.test", "https://evil.test#@app.example.test",
        "https://evil.test?.app.example.test", "https://evil.test/.app.example.test",
        "https://evil.test;.app.example.test",
        "https://appxexample.test/", "https://app-example.test/", "https://app.example.test./",
        "https://app.example.test%2e/",
        "https://app.example.test.evil.test:8443", "http://app.example.test/", "http://auth.example.test/",
        "https://app.example.test:8443/", "https://app.example.test:0443/", "https://app.example.test:99999/",
        "https://app.example.test:abc/", "https://app.example.test:/", "https://[", "https://[::1", "https://a＃@b.test",
        "https://ⓔvil.test/", "https://%00.test", "http://:@/", "https://", "/a\r\nSet-Cookie: x=1", "/嘊嘍X:1",
        "/..//evil.test", "/.//evil.test", "/%2e%2e//evil.test", "/a/../b", "/a/%2E./b", "/a/..;/b", "/a%2fb",
        "/a%5cb", "/%09/x",
        "/%0d%0ax", "/a%zz", "/a%", "/%252fevil.test", "/ok\n", "/" + "a" * MAXIMUM_LENGTH, "/<script>", '/"x',
        "/a b", "/é", "/", "/?rd=/x", "/#x", "https://auth.example.test", "https://AUTH.example.test:443/?rd=/?rd=/x",
        "/[a]", "/a|b", "/a^b", "/{a}", "/`a`", "/a?b c", '/a?b"c', "/a?<b>", "/a#b c", "/a?\x7f", "/a?é", "https://app.example.test[?x",
    ],
)  # fmt: skip
def test_everything_else_goes_home(target: str | None) -> None:
    """What any parser could read as another site, or repair into one, is refused and not repaired."""
    assert goes(target) is None


@pytest.mark.parametrize(
    "target",
    [
        "https://files.example.test/",
        "https://files.example.test/a%2Fb%2fc/%252e%252E/100%25?x=%2F#%25",
        "https://files.example.test//",
        "https://files.example.test///a//b//?//c",
        "https://files.example.test//evil.test/%2fevil.test",
        "https://files.example.test/a%2F..%2Fb",
        "https://git.example.test:8443/group%2Fproject/-/tree//main",
    ],
)
def test_the_pages_of_apps_are_returned_to_byte_for_byte(target: str) -> None:
    """Behind the origin of an app encoded slashes, percent signs and empty segments stay as the app wrote them."""
    assert goes(target) == target


@pytest.mark.parametrize("path", ["/a//b", "/%2Fb", "/a%25", "//evil.test/", "/%252e%252e/"])
@pytest.mark.parametrize("origin", ["", "https://auth.example.test", "https://app.example.test", "https://evil.test"])
def test_only_apps_have_such_pages(origin: str, path: str) -> None:
    """Not this service, nor an origin that an operator listed; and no other one."""
    assert goes(origin + path) is None


@pytest.mark.parametrize(
    "path", ["/../a", "/a/./b", "/%2e%2e/a", "/a\\b", "/a%5cb", "/a%0d%0ab", "/a%2", "/..;/a", "/a b"]
)
def test_nor_do_apps_have_pages_that_browsers_rewrite(path: str) -> None:
    """Dot segments, backslashes, ends of lines and broken escapes are no return address of an app either."""
    assert goes("https://files.example.test" + path) is None


def test_no_app_opens_the_origin_of_this_service() -> None:
    """An app at the public address would not loosen the rules of its paths."""
    where = destination("https://auth.example.test//evil.test", public=AUTH, origins=ORIGINS, apps={AUTH.origin})

    assert where is None


@given(st.text(alphabet="/\\.:@%?#;ehtpsvil2f5c \t\n[]" + "aut", max_size=30))
def test_no_text_leads_off_site(target: str) -> None:
    """Whatever comes out resolves, as browsers resolve it, to an origin that is allowed."""
    where = goes(target)
    if where is None:
        return

    resolved = urlsplit(
        urljoin("https://auth.example.test/", where.replace("\\", "/").replace("\t", "").replace("\n", ""))
    )

    assert f"{resolved.scheme}://{resolved.netloc}" in ORIGINS | APPS | {AUTH.origin}


PIECES = [
    *(
        "https://",
        "HTTPS://",
        "http://",
        "//",
        "/",
        "\\",
        "app.example.test",
        "files.example.test",
        "%25",
        "%252f",
        "wiki.example.test",
        "auth.example.test",
    ),
    *("evil.test", ":8443", ":443", ":0", "@", "?", "#", "%2f", "%5C", "%2e", "%00", ".", "..", ";", "a", "&b=c", "\t"),
    *("{", "}", "|", "^", "`", "%", "\u3002", "\uff0f", "\uff0e", "\xad", "\xe9", "\u24d0", "[", "]", " ", "xn--"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text())
def test_what_comes_out_is_plain_and_stays_as_it_is(target: str) -> None:
    """A destination is short printable ASCII with one reading, of a listed origin, and is accepted again as it is."""
    where = goes(target)
    if where is None:
        return

    of_app = r"https://(?:files\.example\.test|git\.example\.test:8443)/[!-~]*"
    listed = r"(?:https://(?:app\.example\.test|wiki\.example\.test:8443))?/(?![/\\])[!-~]*"
    assert re.fullmatch(f"{of_app}|{listed}", where)
    assert "\\" not in re.split(r"[?#]", where)[0]
    assert len(where) <= MAXIMUM_LENGTH + 1
    assert goes(where) == where
    assert origin_of(where) in (ORIGINS | APPS if where.startswith("https:") else {None})


def test_only_foreign_destinations_have_an_origin() -> None:
    """What form-action must additionally allow is the origin of an absolute destination."""
    assert origin_of("/account") is None
    assert origin_of("https://wiki.example.test:8443/x") == "https://wiki.example.test:8443"
