"""nginx's path groups agree with the service's: no path finds what was remembered about another one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.paths import is_rule_path, path_groups
from service.edge.path_groups import of_plain_paths
from tests.access.generated_paths import PATHS

RULE_WORDS = [
    "admin",
    "Admin",
    "ADMIN",
    "users",
    "x",
    "x.",
    "a b",
    "é",
    "ſ",
    "ﬁle",
    "K",
    "$x",
    'q"q',
    "a+b",
    "(c",
    "... ",
]
RULE_PATHS = st.sets(st.lists(st.sampled_from(RULE_WORDS), max_size=2).map(lambda words: "/" + "/".join(words)))


def key_of(target: str, rule_paths: set[str]) -> str:
    """Return what nginx's map makes of a request's target."""
    for key, value in of_plain_paths(rule_paths):
        if key == "default" or re.search(key.removeprefix('"~').removesuffix('"'), target, re.ASCII):
            return value if value.isdigit() else f"={target.partition('?')[0]}"
    raise AssertionError("no default")


@given(RULE_PATHS, PATHS, PATHS)
def test_what_one_key_stands_for_is_one_group(rule_paths: set[str], one: str, other: str) -> None:
    """Two paths of one key have one path group, or no yes about either is ever remembered."""
    judged = {path for path in rule_paths if is_rule_path(path)}
    if key_of(one, judged) == key_of(other, judged):
        first, second = (path_groups(path.partition("?")[0], judged) for path in (one, other))

        assert first == second or (first[1] and second[1])


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("/", "2"),
        ("/x?/admin", "2"),
        ("/admin", "1"),
        ("/admin?a", "1"),
        ("/admin/users", "0"),
        ("/admin/users/1", "0"),
        ("/administration", "2"),
        ("/Admin/x", "=/Admin/x"),
        ("/admin/USERS?a", "=/admin/USERS"),
        ("/admin/users.", "=/admin/users."),
        ("/admin/./users", "=/admin/./users"),
        ("//admin", "=//admin"),
        ("/a%20b", "=/a%20b"),
        ("/a;b", "=/a;b"),
        ("/a:b", "=/a:b"),
    ],
)
def test_a_plain_path_is_known_by_its_rule_path(target: str, key: str) -> None:
    """The longest rule path counts; what is not plain, or would be covered in another case, stands for itself."""
    assert key_of(target, {"/admin", "/admin/users"}) == key
