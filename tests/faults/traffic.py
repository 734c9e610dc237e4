"""Open-loop traffic: requests leave by schedule, however late the answers to earlier ones are.

One thread keeps the schedule; each request has a thread of its own until it is answered. Every time is counted from the
moment at which the request was due. Beside the schedule people sign out, change passwords and use one-time links.
"""

import contextlib
import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

from tests.bench.open_loop import schedule
from tests.faults.client import IN, Client, is_later, passed, session_of
from tests.faults.findings import Findings
from tests.faults.ledger import Ledger, Link, Secret, State
from tests.faults.recovery import Asked, Kind, Outcome, recovered_after, usual_seconds
from tests.rig.passwords import PASSWORD

QUIET_SECONDS: Final = 3.0  # of usual traffic, before a fault
SIGN_INS: Final = 8  # a second
CHECKS: Final = 32
_AT_ONCE: Final = 200
_RECOVERS_WITHIN: Final = 60.0
_NEW: Final = "eleven kettles argue about rain"
_NUMBERS: Final = itertools.count()


class Traffic:
    """A context manager: the traffic goes on in the background for as long as the block lasts."""

    def __init__(self, client: Client, ledger: Ledger, *, people: list[str], every: int = 4) -> None:
        """People sign in in turn; every so many sign-ins something is changed, too."""
        self.client, self.ledger = client, ledger
        self.asked: list[Asked] = []
        self.under_way: dict[int, float] = {}
        self._people, self._every = itertools.cycle(people), every
        self._may_end: deque[str] = deque()
        self._changers: deque[str] = deque(ledger.secrets)
        self._links: deque[Link] = deque(each for each in ledger.links if each.state is State.OPEN)
        self._ends = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._clock = threading.Thread(target=self._keep_schedule)
        self._began = 0.0
        self._scheduled_until = 0.0
        self._chance = random.Random(1)  # noqa: S311 - which session is asked for

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._clock.join()
        self._pool.shutdown()

    @property
    def now(self) -> float:
        """Return the seconds since the traffic began."""
        return time.perf_counter() - self._began

    def go_on(self, seconds: float) -> None:
        """Let the traffic go on for a time."""
        self._ends.wait(seconds)

    def recovered(self, since: float) -> float:
        """Wait until the traffic is as it was in its first seconds; the seconds since then, or infinity."""
        usual = usual_seconds(list(self.asked), until=QUIET_SECONDS)
        found: list[float] = []

        def is_back() -> bool:
            after = recovered_after(list(self.asked), since=since, complete_until=self._complete_until, usual=usual)
            found.extend([] if after is None else [after])
            return bool(found) or self.now > since + _RECOVERS_WITHIN

        while not is_back():
            self._ends.wait(0.1)
        return found[0] if found else float("inf")

    def failed(self, since: float = 0.0, till: float = float("inf")) -> list[Asked]:
        """Return the requests that failed, of those that were due in a time."""
        return [each for each in list(self.asked) if since <= each.due < till and each.counts_as_failed]

    def nothing_failed(self, findings: Findings) -> None:
        """Note what failed, which is nothing."""
        for kind in Kind:
            findings.none(f"failed {kind}", [each for each in self.failed() if each.kind is kind])

    @property
    def _complete_until(self) -> float:
        """Return the moment before which every request that was due is answered."""
        return min([self._scheduled_until, *list(self.under_way.values())])

    def _keep_schedule(self) -> None:
        for number, (due, kind) in enumerate(_moments()):
            if self._ends.wait(max(0.0, due - self.now)):
                return
            self.under_way[number] = due
            self._scheduled_until = due
            self._pool.submit(self._one, number, due, kind)

    def _one(self, number: int, due: float, kind: Kind) -> None:
        try:
            outcome, status = self._sign_in(number) if kind is Kind.SIGN_IN else self._check()
            self.asked.append(Asked(due, self.now - due, kind, outcome, status))
        finally:
            del self.under_way[number]
        if kind is Kind.SIGN_IN and number % self._every == 0 and not self._ends.is_set():
            self._change(number)

    def _sign_in(self, number: int) -> tuple[Outcome, int]:
        username = next(self._people)
        answer = self.client.sign_in(username, PASSWORD)
        if answer is None or answer.status != IN:
            return Outcome.LATER if is_later(answer) else Outcome.FAILED, answer.status if answer else 0
        self.ledger.opened(cookie := session_of(answer), username)
        if number % 2:
            self._may_end.append(cookie)
        return Outcome.RIGHT, IN

    def _check(self) -> tuple[Outcome, int]:
        """Ask for a page with a session that is open, or one time in four with one that has ended."""
        wanted = State.ENDED if self._chance.random() < 0.25 else State.OPEN
        cookies = self.ledger.cookies(wanted) or self.ledger.cookies(State.OPEN)
        cookie = self._chance.choice(cookies)
        before = self.ledger.sessions[cookie]
        answer = self.client.get("/demo/", cookie)
        self.ledger.judge(cookie, before, passed=passed(answer))
        outcome = Outcome.FAILED if passed(answer) is None else Outcome.RIGHT
        return outcome, answer.status if answer else 0

    def _change(self, number: int) -> None:
        turn = number // self._every % 3
        with contextlib.suppress(IndexError):  # none is left of this kind
            if turn == 0:
                self._change_password(self._changers.popleft())
            elif turn == 1:
                self._use_link(self._links.popleft())
            else:
                self._sign_out(self._may_end.popleft())

    def _sign_out(self, cookie: str) -> None:
        self.ledger.advance(cookie, State.ASKED_TO_END)
        answer = self.client.post("/logout", cookie)
        if answer and answer.status == IN:
            self.ledger.advance(cookie, State.ENDED)

    def _change_password(self, username: str) -> None:
        """Sign in and choose another password. Where that is not acknowledged, it was the account's last change."""
        secret = self.ledger.secrets[username]
        answer = self.client.sign_in(username, secret.acknowledged)
        if answer is None or answer.status != IN:
            self._changers.append(username)
            return
        self.ledger.opened(cookie := session_of(answer), username)
        new = f"{_NEW} {next(_NUMBERS)}"
        secret.asked = new
        self.ledger.advance_all(username, State.ASKED_TO_END)
        answer = self.client.post("/account/password", cookie, current=secret.acknowledged, password=new, repeat=new)
        if answer and answer.status == IN:
            self.ledger.password_changed(username, new)
            self.ledger.advance_all(username, State.ENDED)
            self.ledger.opened(session_of(answer), username)
            self._changers.append(username)

    def _use_link(self, link: Link) -> None:
        link.state = State.ASKED_TO_END
        answer = self.client.post("/setup", token=link.token, password=link.password, repeat=link.password)
        if answer and answer.status == IN:
            link.state = State.ENDED
            self.ledger.secrets[link.username] = Secret(link.password)


def _moments() -> Iterator[tuple[float, Kind]]:
    """Yield when which request is due, for ever."""
    for second in itertools.count():
        moments = [(moment, kind) for kind, rate in ((Kind.SIGN_IN, SIGN_INS), (Kind.CHECK, CHECKS))
                   for moment in schedule(each_second=rate, since=second, until=second + 1)]  # fmt: skip
        yield from sorted(moments)
