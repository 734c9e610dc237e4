"""The decision at the door: may this request pass, and which rule says so.

The longest rule path that covers the request decides; of its rules, the first whose methods and networks fit. What no
rule admits is refused. A doubtful path passes only where every path group of the app would admit the request.
Rules with `report_only` decide nothing: a second verdict says what would hold if they were in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from service.access.apps import App
from service.access.paths import path_groups
from service.access.rules import Allow, Misfit, Rule
from service.login.accounts import Account


class Outcome(StrEnum):
    """What becomes of a request, from the mildest to the strictest."""

    ALLOWED = "allowed"
    SIGN_IN = "sign-in"
    NOT_FRESH = "not-fresh"
    NOT_ADMITTED = "not-admitted"
    NO_RULE = "no-rule"


_STRICTNESS: Final = list(Outcome)


@dataclass(frozen=True, slots=True)
class Request:
    """What the decision looks at: the method, the path as it was sent, without a query, and the client's address."""

    method: str
    path: str
    address: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome; the path group (None: no rule covers the path) and the rule that decided.

    `passed_over` are the rules of that group which were looked at before it, and why each is for other requests.
    """

    outcome: Outcome
    group: str | None
    rule: Rule | None
    passed_over: tuple[tuple[Rule, Misfit], ...]
    is_doubtful: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict that holds, and the one that would hold if the rules with `report_only` were in force."""

    enforced: Verdict
    proposed: Verdict


def decide(app: App, request: Request, account: Account | None, *, signed_in_at: int, now: int) -> Decision:
    """Decide whether a request may pass. `account` is that of a live session, which began at `signed_in_at`."""
    known = None if account is None or account.is_disabled else account
    age = now - signed_in_at
    in_force = [rule for rule in app.rules if not rule.report_only]
    enforced = _strictest(in_force, request, known, age)
    only_reports = len(in_force) < len(app.rules)
    return Decision(enforced, _strictest(app.rules, request, known, age) if only_reports else enforced)


def _strictest(rules: Sequence[Rule], request: Request, account: Account | None, age: int) -> Verdict:
    """Return the strictest verdict of the path groups that the request may belong to."""
    groups, is_doubtful = path_groups(request.path, {rule.path for rule in rules})
    verdicts = []
    for group in groups:
        passed_over: list[tuple[Rule, Misfit]] = []
        rule = _first_fitting([rule for rule in rules if rule.path == group], request, passed_over)
        outcome = Outcome.NO_RULE if rule is None else _outcome(rule, account, age)
        verdicts.append(Verdict(outcome, group, rule, tuple(passed_over), is_doubtful))
    return max(verdicts, key=lambda verdict: _STRICTNESS.index(verdict.outcome))


def _first_fitting(rules: Sequence[Rule], request: Request, passed_over: list[tuple[Rule, Misfit]]) -> Rule | None:
    for rule in rules:
        if (misfit := rule.misfit(request.method, request.address)) is None:
            return rule
        passed_over.append((rule, misfit))
    return None


def _outcome(rule: Rule, account: Account | None, age: int) -> Outcome:
    if rule.allow is Allow.EVERYONE:
        return Outcome.ALLOWED
    if account is None:
        return Outcome.SIGN_IN
    if not rule.admits(account):
        return Outcome.NOT_ADMITTED
    return Outcome.ALLOWED if rule.fresh is None or age < rule.fresh else Outcome.NOT_FRESH
