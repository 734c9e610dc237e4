"""Which rule path covers a request's path, and which paths two programs could read differently."""

import posixpath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given

from service.access.paths import decoded, is_rule_path, path_groups
from tests.access.generated_paths import PATHS

RULE_PATHS = {"/", "/admin", "/admin/users", "/Straße"}
ANY = ["/", "/Straße", "/admin", "/admin/users"]


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/", "/"),
        ("/wiki", "/"),
        ("/admin", "/admin"),
        ("/admin/", "/admin"),
        ("/admin/x.y/z~", "/admin"),
        ("/administration", "/"),
        ("/admin.json", "/"),
        ("/x/admin", "/"),
        ("/admin/users/7", "/admin/users"),
        ("/admin/user", "/admin"),
        ("/%61dmin", "/admin"),
        ("/admin%20x", "/"),
        ("/Stra%C3%9Fe/1", "/Straße"),
        ("/...", "/"),
        ("/a.b/.c/d..", "/"),
        ("/100+1=@:,!$&'()*", "/"),
    ],
)
def test_the_longest_rule_path_covers_whole_segments(path: str, group: str) -> None:
    """The path is decoded once, as every program decodes it; other words with the same beginning are not covered."""
    assert path_groups(path, RULE_PATHS) == ([group], False)


@pytest.mark.parametrize("path", ["/", "/wiki", "/adminx"])
def test_a_path_that_no_rule_covers_has_no_group(path: str) -> None:
    """Without a rule for / some paths belong to no rule."""
    assert path_groups(path, {"/admin"}) == ([None], False)


@pytest.mark.parametrize(
    "path",
    [
        *("/public/../admin", "/public/%2e%2e/admin", "/public/..%2fadmin", "//admin", "/admin%2fx", "/admin%252fx"),
        *("/public/.%2e/admin", "/%2E/admin", "/x/.", "/x/..", "/./x", "/%2e", "/x%2Ehtml", "/public%2F", "/x//y"),
        *("/x;/admin", "/x;jsessionid=1", "/x%3by", "/public/..;/admin", "/a\\b", "/a%5cb", "/%5C", "/..\\admin"),
        *("/x%00", "/x%0a", "/x%0D%0a", "/x%1f", "/x%7f", "/x%C2%85", "/x%E2%80%8B", "/\x00", "/x y\t"),
        *("/admin%3f/public", "/admin%23/public", "/admin#/public", "/x%", "/x%2", "/x%zz", "/x%u002e"),
        *("/%c0%ae%c0%ae/admin", "/x%ff", "/%C0%AF", "/é", "/admin?x", "admin", "", "*", "http://x/admin"),
        *("/ADMIN", "/Admin/x", "/aDmin", "/%41dmin", "/stra%C3%9Fe", "/STRASSE", "/Strasse/x"),
        *("/%EF%BD%81dmin", "/adm%C4%B1n", "/admin.", "/admin%20", "/admin.%20/users", "/admin/USERS"),
        *(
            "/%C3%A0dmin",
            "/a%CC%80dmin/x",
            "/adm%C4%B0n",
            "/stra%C3%9F%C3%A9",
            "/admin::$INDEX_ALLOCATION/x",
            "/admin:x",
        ),
        *("/%EF%BC%8Fadmin", "/x%EF%BC%8F..%EF%BC%8Fadmin", "/x/%EF%BC%8E%EF%BC%8E/admin", "/x/%E2%80%A5/admin"),
    ],
)
def test_a_path_that_programs_read_differently_belongs_to_every_group(path: str) -> None:
    """Encoded or doubled separators, dot segments, control bytes, broken encodings, segments that fold to a rule's."""
    assert path_groups(path, RULE_PATHS) == (ANY, True)


def test_a_doubtful_path_may_be_one_that_no_rule_covers() -> None:
    """Without a rule for / the group of the uncovered paths is one of them."""
    assert path_groups("/x/../admin", {"/admin"}) == ([None, "/admin"], True)


def test_a_long_path_in_another_script_is_doubtful() -> None:
    """Up to 1,000 characters are normalised, however many bytes encode them; ASCII has no such limit."""
    assert path_groups(f"/{'%C3%A9' * 999}", RULE_PATHS) == (["/"], False)
    assert path_groups(f"/{'%C3%A9' * 1000}", RULE_PATHS) == (ANY, True)
    assert path_groups(f"/{'e' * 7000}", RULE_PATHS) == (["/"], False)


@pytest.mark.parametrize("path", ["/WIKI", "/wiki.", "/%EF%BC%9F"])
def test_letters_that_lead_to_the_same_group_are_not_doubtful(path: str) -> None:
    """Capitals and full-width letters outside of the rules' paths pass as any other page."""
    assert path_groups(path, RULE_PATHS) == (["/"], False)


@pytest.mark.parametrize("path", ["/", "/admin", "/a/b c", "/café", "/.well-known", "/a.b"])
def test_a_rule_may_name_plain_paths(path: str) -> None:
    """Of whole segments, in any script, not encoded: a request for such a path is never doubtful."""
    assert is_rule_path(path)
    assert path_groups(quote(path), {path, "/"}) == ([path], False)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "admin",
        "/admin/",
        "//",
        "//admin",
        "/a//b",
        "/../a",
        "/a/..",
        "/%61",
        "/a;b",
        "/a\\b",
        "/a?b",
        "/a#b",
        "/\n",
    ],
)
def test_a_rule_names_no_path_that_programs_read_differently(path: str) -> None:
    """Nor one with / at its end, which would leave open whether the path without it is meant."""
    assert not is_rule_path(path)


@given(PATHS)
def test_what_is_not_doubtful_has_one_reading(path: str) -> None:
    """Decoding once more, removing dot segments or merging slashes changes nothing, and neither does case the group."""
    groups, is_doubtful = path_groups(path, RULE_PATHS)
    text = decoded(path)

    if not is_doubtful:
        assert text is not None
        assert unquote(text) == text
        assert posixpath.normpath(text) == (text.rstrip("/") or "/")
        assert path_groups(quote(text.lower()), RULE_PATHS)[0] in (groups, ANY)
    assert is_doubtful == (groups == ANY)
