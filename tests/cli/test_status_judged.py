"""What `vestibule status` judges how, what it names to do, and how it looks."""

import re
from collections import Counter
from dataclasses import replace
from typing import Any, Final

import pytest

from service import RELEASE
from service.cli.doctor.findings import State
from service.cli.status import judging, output
from service.cli.status.judging import Apps, Seen, judged
from service.cli.status.service_state import ServiceState
from service.login.attempts import Tally
from service.services.store_state import Answer, SignIns, StoreState, Tables
from tests.cli.status_example import EVENING, PICTURE, picture, text
from tests.house_rules.command_line import refusal
from tests.house_rules.project import read
from tests.rig.people import NOW

STORES: Final = StoreState(
    database=Answer("PostgreSQL 15.8", 0.0004),
    counters=Answer("Redis", 0.0003),
    tables=EVENING.stores.tables,
    sign_ins=SignIns(12, 3, 1),
    sign_ins_day_before=SignIns(14, 2, 0),
    networks=(Tally("192.0.2.7/32", None, 4, NOW),),
    accounts=(Tally("d" * 32, "alice", 4, NOW),),
    last_backup=NOW - 3 * 3600,
)
WORKERS: Final = {"vestibule_workers": 2, "vestibule_workers_configured": 2}
SERVICE: Final = ServiceState(1, (), 0.002, frozenset({RELEASE}), Counter(WORKERS))
GOOD: Final = replace(EVENING, stores=STORES, service=SERVICE, now=NOW)


def _stores(**changed: Any) -> Seen:
    return replace(GOOD, stores=replace(STORES, **changed))


def _service(**changed: Any) -> Seen:
    return replace(GOOD, service=replace(SERVICE, **changed))


def _metrics(**values: int) -> Seen:
    return _service(metrics=Counter(WORKERS | {f"vestibule_{name}": value for name, value in values.items()}))


def _from(*attempts: int) -> tuple[Tally, ...]:
    return tuple(Tally(f"192.0.2.{place}/32", None, count, NOW) for place, count in enumerate(attempts))


AWAY: Final = StoreState(Answer("PostgreSQL", fault="the server did not answer"), Answer("Redis", fault="no server"))
NEW: Final = StoreState(Answer("SQLite 3.53.4", fault="none yet: the first start makes it"), is_first_start=True)
BAD: Final[dict[str, tuple[Seen, str, State, str]]] = {
    "known devices are refused": (_stores(sign_ins=SignIns(0, 15, 15)), "sign-ins", State.FAULT, "no person gets in"),
    "a silent noon": (_stores(sign_ins=SignIns(), sign_ins_day_before=SignIns(20)), "sign-ins", State.WARNING, "0 gr"),
    "many guesses": (_stores(networks=_from(40, 30)), "attack", State.WARNING, "70 wrong passwords in 15 min from 2"),
    "a network is throttled": (
        _stores(networks=_from(100), sign_ins=SignIns(50)), "attack", State.WARNING, "192.0.2.0/32 (100)",
    ),
    "an account is throttled": (
        _stores(accounts=(Tally("d", "bob", 50, NOW),)), "attack", State.WARNING, "1 account at the limit: bob (50)",
    ),
    "it does not answer": (_service(faults=("no answer on /run/x (refused)",)), "service", State.FAULT, "on /run/x"),
    "it is not ready": (_service(faults=("not ready: x: vestibule db upgrade",)), "service", State.FAULT, "ready: x"),
    "another release runs": (_service(releases=frozenset({"0.0.9"})), "service", State.WARNING, "release 0.0.9 runs"),
    "an instance is away": (
        _service(instances=3, faults=("no answer on /run/y",)), "service", State.WARNING, "2 of 3 instances ready; no",
    ),
    "all are away": (_service(instances=2, faults=("no", "none")), "service", State.FAULT, "0 of 2 instances"),
    "a worker is missing": (_metrics(workers=1), "service", State.WARNING, "1 of 2 workers"),
    "the gate sheds": (_service(shed=7), "gate", State.WARNING, "7 passwords shed within a second"),
    "a proxy": (_metrics(untrusted_proxy_suspected=1), "proxy", State.WARNING, "not trusted"),
    "the database is away": (replace(GOOD, stores=AWAY), "database", State.FAULT, "did not answer"),
    "the first start": (replace(GOOD, stores=NEW), "database", State.FAULT, "the first start makes it"),
    "Redis is away": (_stores(counters=Answer("Redis", fault="no server")), "counters", State.WARNING, "no server"),
    "Redis was away": (_metrics(counter_store_degraded=1), "counters", State.WARNING, "still counts in SQL"),
    "migrations": (_stores(tables=Tables("0003", "0004")), "tables", State.FAULT, "revision 0003"),
    "no tables": (_stores(tables=Tables(None, "0004")), "tables", State.FAULT, "revision none"),
    "apps are unreadable": (replace(GOOD, apps=Apps(0, are_readable=False)), "apps", State.WARNING, "cannot be read"),
    "apps were changed": (replace(GOOD, apps=Apps(3, differ=True)), "apps", State.WARNING, "are others"),
    "nginx was not told": (_metrics(door_edge_outdated=1), "apps", State.WARNING, "has not read"),
    "an old backup": (_stores(last_backup=NOW - 36 * 3600 - 1), "backup", State.WARNING, "made 36 hours ago"),
    "no backup": (_stores(last_backup=None), "backup", State.WARNING, "none is noted"),
}  # fmt: skip
GOOD_TOO: Final = {
    "nothing happened yet": _stores(sign_ins=SignIns(), sign_ins_day_before=SignIns(), networks=(), accounts=()),
    "a person mistypes at night": _stores(sign_ins=SignIns(0, 14, 14), sign_ins_day_before=SignIns(19)),
    "known devices are refused, and others get in": _stores(sign_ins=SignIns(1, 90, 90)),
    "a busy morning": _stores(networks=_from(60), sign_ins=SignIns(12)),
    "a newer release upgraded the tables": _stores(tables=Tables("0005", "0004", "0.1.0")),
    "workers are exchanged": _metrics(workers=4),
    "a backup of yesterday": _stores(last_backup=NOW - 36 * 3600),
    "the limits are blocks": _stores(blocked=2),
}
every_state = pytest.mark.parametrize("seen", [GOOD, *(case[0] for case in BAD.values()), *GOOD_TOO.values()])


def _report(seen: Seen) -> output.Report:
    return output.Report(seen.public_url, seen.now, list(judged(seen)))


@pytest.mark.parametrize("seen", [GOOD, *GOOD_TOO.values()], ids=["a good day", *GOOD_TOO])
def test_what_is_in_order_is_0(seen: Seen) -> None:
    """What people and operators need not act on is in order, and names nothing to do."""
    report = _report(seen)

    assert [line for line in report.lines if line.state is not State.OK or line.todo] == []
    assert [*output.screen(report)][-1] == "\x1b[32mall in order\x1b[0m"


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_what_is_not_in_order_is_named(case: tuple[Seen, str, State, str]) -> None:
    """The line of that check says what is wrong; the summary, and so the exit code, is the worst."""
    seen, check, state, words = case
    report = _report(seen)

    (line,) = [each for each in report.lines if each.check == check]
    assert (line.state, report.state) == (state, state)
    assert words in line.what


@every_state
def test_it_fits_a_screen(seen: Seen) -> None:
    """80 columns and 24 lines, with words that need no colour."""
    plain = [re.sub(r"\x1b\[\d+m", "", line) for line in output.screen(_report(seen))]

    assert max(map(len, plain)) <= 80
    assert len(plain) <= 24
    assert {line.split()[0] for line in plain[2:-2] if line[0] != " "} <= {*State}


def _anchors(page: str) -> set[str]:
    """Return the anchors of a document's headings, as its reader's browser makes them."""
    headings = re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@every_state
def test_what_to_do_can_be_done(seen: Seen) -> None:
    """What is not in order names a command that exists, or a section of the documents that does; most name both."""
    for line in judged(seen):
        assert bool(line.todo) == (line.state is not State.OK)
        for todo in line.todo:
            page, _, anchor = todo.partition("#")
            if todo.startswith("vestibule "):
                assert refusal(todo.split()[1:]) is None
            else:
                assert not anchor or anchor in _anchors(page)


def test_the_documents_show_what_is_printed() -> None:
    """The example in the text is what the command prints of that state, and the picture shows the same."""
    assert f"```text\n{text()}\n```" in read("docs/operating.md")
    assert PICTURE.read_text() == picture()


def test_thresholds_are_those_of_the_alerts() -> None:
    """`status` is at odds with no alert: the figures of the rules are the figures here."""
    rules = read("deploy/prometheus/alerts.rules.yml")

    def rule(alert: str) -> str:
        return rules.partition(f"- alert: {alert}\n")[2].partition("- alert:")[0]

    assert f">= {judging.REFUSED_KNOWN}\n" in rule("VestibuleSignInsFailing")
    assert f">= {judging.GUESSES}\n" in rule("VestibuleBruteForce")
    assert f"<= {judging.GUESSES_FOR_EACH} *" in rule("VestibuleBruteForce")
    assert f"> {judging.BACKUP_SECONDS // 3600} * 3600\n" in rule("VestibuleBackupOverdue")
