"""The decision at the door: who passes where, and which rule says so."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.apps import App
from service.access.decision import Decision, Outcome, Request, decide
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Misfit, Rule
from service.login.accounts import Account
from tests.access.generated_paths import PATHS
from tests.rig.people import NOW, alice

IN_OFFICE = Rule(number=1, path="/admin", networks=(ip_network("192.0.2.0/24"),), groups=("ops",))
ADMIN = Rule(number=2, path="/admin", groups=("ops",), fresh=600)
HOOK = Rule(number=3, path="/hook", methods=("POST",), allow=Allow.EVERYONE)
ALL = Rule(number=4, allow=Allow.SIGNED_IN)
ALICE, OPERATOR = alice(groups=("staff",)), alice(groups=("ops", "staff"))


def app(*rules: Rule) -> App:
    return App("wiki", PublicAddress("https", "wiki.example.test", 443), "http://127.0.0.1:3000", "Wiki", rules)


def decided(
    path: str,
    account: Account | None = None,
    *,
    rules: tuple[Rule, ...] = (IN_OFFICE, ADMIN, HOOK, ALL),
    method: str = "GET",
    address: str = "198.51.100.7",
    age: int = 0,
) -> Decision:
    """Return what is decided about a request of an account that signed in some seconds ago."""
    return decide(app(*rules), Request(method, path, address), account, signed_in_at=NOW - age, now=NOW)


@pytest.mark.parametrize(
    ("path", "account", "outcome", "rule"),
    [
        ("/page", None, Outcome.SIGN_IN, ALL),
        ("/page", ALICE, Outcome.ALLOWED, ALL),
        ("/admin", None, Outcome.SIGN_IN, ADMIN),
        ("/admin/x", ALICE, Outcome.NOT_ADMITTED, ADMIN),
        ("/admin/x", OPERATOR, Outcome.ALLOWED, ADMIN),
        ("/administration", ALICE, Outcome.ALLOWED, ALL),
        ("/hook", None, Outcome.NO_RULE, None),
        ("/hook", OPERATOR, Outcome.NO_RULE, None),
        ("/admin", alice(groups=("ops",), disabled_at=NOW), Outcome.SIGN_IN, ADMIN),
    ],
)
def test_the_longest_path_decides(path: str, account: Account | None, outcome: Outcome, rule: Rule | None) -> None:
    """A shorter path of another rule opens nothing below it, and a disabled account counts as none."""
    enforced = decided(path, account).enforced

    assert (enforced.outcome, enforced.rule, enforced.is_doubtful) == (outcome, rule, False)


def test_the_first_rule_whose_methods_and_networks_fit_decides() -> None:
    """Those before it are passed over, each for its reason."""
    inside = decided("/admin", OPERATOR, address="192.0.2.7", age=9999).enforced
    outside = decided("/admin", OPERATOR).enforced
    hook = decided("/hook", method="POST").enforced

    assert (inside.outcome, inside.rule) == (Outcome.ALLOWED, IN_OFFICE)
    assert (outside.rule, outside.passed_over) == (ADMIN, ((IN_OFFICE, Misfit.NETWORK),))
    assert (hook.outcome, hook.group) == (Outcome.ALLOWED, "/hook")
    assert decided("/hook", OPERATOR).enforced.passed_over == ((HOOK, Misfit.METHOD),)


@pytest.mark.parametrize(("age", "outcome"), [(599, Outcome.ALLOWED), (600, Outcome.NOT_FRESH)])
def test_a_rule_may_ask_for_a_fresh_sign_in(age: int, outcome: Outcome) -> None:
    """To the second; an account that the rule does not admit is told so, and not to type its password."""
    assert decided("/admin", OPERATOR, age=age).enforced.outcome is outcome
    assert decided("/admin", ALICE, age=age).enforced.outcome is Outcome.NOT_ADMITTED


def test_what_no_rule_covers_is_refused() -> None:
    """Also for a request that a rule of another path would admit."""
    uncovered = decided("/page", OPERATOR, rules=(ADMIN,)).enforced

    assert (uncovered.outcome, uncovered.group, uncovered.rule) == (Outcome.NO_RULE, None, None)
    assert decided("/", OPERATOR, rules=()).enforced.outcome is Outcome.NO_RULE


@pytest.mark.parametrize("path", ["/public/../admin", "/ADMIN", "//admin", "/x;y", "/%2e"])
def test_a_doubtful_path_passes_where_every_group_would_admit_it(path: str) -> None:
    """The strictest of the path groups decides."""
    rules = (ADMIN, ALL)

    assert decided(path, OPERATOR, rules=rules).enforced.outcome is Outcome.ALLOWED
    assert decided(path, OPERATOR, rules=rules, age=600).enforced.outcome is Outcome.NOT_FRESH
    assert decided(path, ALICE, rules=rules).enforced.outcome is Outcome.NOT_ADMITTED
    assert decided(path, OPERATOR, rules=(ADMIN,)).enforced.outcome is Outcome.NO_RULE
    assert decided(path, OPERATOR).enforced.rule is None
    assert decided(path, ALICE, rules=rules).enforced.is_doubtful


@given(PATHS, st.sampled_from([None, ALICE, OPERATOR]), st.sampled_from(["GET", "POST"]))
def test_a_doubtful_path_never_gets_more_than_the_strictest_group(
    path: str, account: Account | None, method: str
) -> None:
    """What passes by such a path passes by a plain path of each group."""
    found = decided(path, account, method=method).enforced
    plain = {decided(each, account, method=method).enforced.outcome for each in ("/x", "/admin", "/hook")}

    if found.is_doubtful:
        assert (found.outcome is Outcome.ALLOWED) == (plain == {Outcome.ALLOWED})
        assert found.outcome in plain
    else:
        assert found.outcome is decided(found.group or "", account, method=method).enforced.outcome


@pytest.mark.parametrize("path", ["/wiki", "/WIKI", "/x/../wiki", "/"])
@pytest.mark.parametrize("account", [None, ALICE])
def test_a_rule_that_only_reports_changes_nothing(path: str, account: Account | None) -> None:
    """What holds is what would hold without it; what it would decide is said beside that."""
    strict = Rule(number=1, path="/wiki", groups=("ops",), report_only=True)
    without, beside = decided(path, account, rules=(ALL,)), decided(path, account, rules=(strict, ALL))

    assert beside.enforced.outcome is without.enforced.outcome
    assert beside.enforced.rule is ALL
    assert without.proposed == without.enforced


def test_what_a_reporting_rule_would_decide_is_said() -> None:
    """As if every rule of the app were in force."""
    strict = Rule(number=1, path="/wiki", groups=("ops",), report_only=True)
    proposed = decided("/wiki", ALICE, rules=(strict, ALL)).proposed

    assert (proposed.outcome, proposed.rule, proposed.group) == (Outcome.NOT_ADMITTED, strict, "/wiki")
