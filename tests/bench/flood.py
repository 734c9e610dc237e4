"""A flood: an attack, such as 300 wrong passwords a second, while people who are in ask for an app 100 times a second.

nginx remembers nothing, so that each of these requests is a question to /auth/verify. The attack comes from addresses
of its own, the people's requests from 128 others; both by schedule, and before the flood and after it there is some
quiet. Into it come 20 people with the right password.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.hashing.cpu_budget import cpu_budget
from tests.bench import load, people
from tests.bench.attacks import WRONG, Attack
from tests.bench.open_loop import Stream, Timed, run, schedule
from tests.bench.served import Served, served
from tests.bench.visitors import Visitors
from tests.rig.passwords import PASSWORD

CHECKS_A_SECOND: Final = 100
VISITORS: Final = 20
QUIET_SECONDS: Final = 3.0
FLOOD_SECONDS: Final = 25.0
BEGINS: Final = QUIET_SECONDS
ENDS: Final = QUIET_SECONDS + FLOOD_SECONDS
SECONDS: Final = ENDS + QUIET_SECONDS
_PEOPLE: Final = 1000
_LAST_ANSWERS_SECONDS: Final = 1.5
_VISITS_A_SECOND: Final = VISITORS / 15  # the last of them has ten seconds left
_ATTACKERS_FROM: Final = 1000
_PEOPLE_FROM: Final = range(2000, 2128)
_VISITORS_FROM: Final = 3000
PASSED: Final = 200


@dataclass(frozen=True)
class Flood:
    """What one flood did: to people who are in, to those who came, and what it cost to send it all."""

    checks: list[Timed]
    visits: list[float]
    tries: int
    wrong: Counter[int]
    late: list[float]
    own_share: float

    @property
    def failures(self) -> int:
        """How many checks got another answer than they should have, or none."""
        return sum(check.status != PASSED for check in self.checks)

    def p99_ms(self, since: float = BEGINS, until: float = ENDS) -> float:
        """Return the 99th percentile of the checks that were due in that time, whatever the answer was."""
        return 1000 * percentile([check.seconds for check in self.checks if since <= check.due < until], 99)

    @property
    def quiet_p99_ms(self) -> float:
        """The same before the flood."""
        return self.p99_ms(0, BEGINS)

    @property
    def p99_times(self) -> float:
        """How many times the 99th percentile is in the flood what it is before."""
        return self.p99_ms() / self.quiet_p99_ms

    @property
    def late_ms(self) -> float:
        """The 99th percentile of how late requests left that could have left in time."""
        return 1000 * percentile(self.late, 99)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of them do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def flood(application: str, attack: Attack = WRONG) -> Flood:
    """Start a service, flood it, and stop it."""
    with served(_PEOPLE, application=application) as service:
        port = service.servers.port
        checks = Stream(
            service.app,
            session_checks(service, len(_PEOPLE_FROM)),
            schedule(each_second=CHECKS_A_SECOND, since=0, until=SECONDS - _LAST_ANSWERS_SECONDS),
            networks=_PEOPLE_FROM,
            until=SECONDS,
        )
        wrong = Stream(
            port,
            attack.requests(port),
            schedule(each_second=attack.each_second, since=BEGINS, until=ENDS),
            networks=range(_ATTACKERS_FROM, _ATTACKERS_FROM + attack.addresses),
            until=ENDS,
        )
        visitors = Visitors(
            port,
            [load.sign_in(port, people.username(200 + number), PASSWORD) for number in range(VISITORS)],
            schedule(each_second=_VISITS_A_SECOND, since=BEGINS, until=BEGINS + VISITORS / _VISITS_A_SECOND),
            first_network=_VISITORS_FROM,
        )
        cpu_seconds = run([checks, wrong, visitors], SECONDS)
    statuses = Counter(answer.status for answer in wrong.answers)
    share = cpu_seconds / SECONDS / cpu_budget()
    return Flood(checks.answers, visitors.took, visitors.tries, statuses, checks.late + wrong.late, share)


def session_checks(service: Served, count: int) -> list[bytes]:
    """Return a request for the app of each of so many people who have just signed in; nginx asks about each."""
    return [service.page(service.cookie(100 + number)) for number in range(count)]
