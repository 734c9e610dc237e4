"""The verdict about one request for an app: whose session it carries, and what the app's rules say."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from service.access import session_cookie
from service.access.app_passwords import NotOurs, Wrong, identify
from service.access.apps import App
from service.access.decision import Decision, Outcome, Request, decide
from service.access.judged_set import JudgedSet
from service.login.accounts import Account
from service.login.attempts import Scope, Throttled
from service.login.sessions import SignedIn
from service.services import Services
from service.web.door.original import Original
from service.web.guard.current_blocks import CurrentBlocks


class Apart(StrEnum):
    """Outcomes that no rule of an app decides."""

    NO_APP = "no-app"
    BLOCKED = "blocked"
    PREFLIGHT = "preflight"
    WRONG = "app-password-wrong"
    THROTTLED = "app-password-throttled"


class Credential(StrEnum):
    """What told the door whose request this is."""

    NONE = "none"
    SESSION = "session"
    PROGRAM = "app-password"


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome, and all that an answer needs. `cached_until` is a time at which nginx asks again; 0 is at once."""

    outcome: Outcome | Apart
    original: Original | None
    app: App | None = None
    account: Account | None = None
    credential: Credential = Credential.NONE
    decision: Decision | None = None
    cached_until: int = 0
    retry_at: int = 0

    @property
    def passes(self) -> bool:
        return self.outcome in {Outcome.ALLOWED, Apart.PREFLIGHT}

    @property
    def may_sign_in(self) -> bool:
        """Whether signing in can help, so that the answer is 401 and not 403.

        An app password never is a fresh sign-in: to ask a program for another one would not help.
        """
        if self.outcome in {Apart.WRONG, Apart.THROTTLED}:
            return True
        return self.outcome in {Outcome.SIGN_IN, Outcome.NOT_FRESH} and self.credential is not Credential.PROGRAM


class Checks:
    """Decides about requests; safe for threads. `wall` reads the same clock as the services', with fractions."""

    def __init__(self, services: Services, *, wall: Callable[[], float] = time.time) -> None:
        self._services = services
        self._blocks = CurrentBlocks(services.blocks)
        self._wall = wall
        self._cookie = services.session_cookie

    def check(self, original: Original | None, *, counts: bool = True) -> Checked:
        """Decide about one request. Without `counts` a wrong app password was counted already. Raises Unavailable."""
        apps = self._services.apps()
        app = (apps.app_of(original.origin) or self._demo_at(original.origin)) if original else None
        if original is None or app is None:
            return Checked(Apart.NO_APP, original)
        now, wall, moment = self._services.clock(), self._wall(), time.monotonic()
        if self._blocks.contain(original.address, moment, now=now):
            return Checked(Apart.BLOCKED, original, app)
        if app.app_passwords and (program := self._of_program(app, original, now, counts=counts)):
            return program
        if original.is_preflight and app.preflight:
            return Checked(Apart.PREFLIGHT, original, app)
        found = self._session(original.cookie, now)
        account, since = (found.account, found.session.created_at) if found else (None, 0)
        request = Request(original.method, original.path, original.address)
        decision = decide(app, request, account, signed_in_at=since, now=now)
        until = self._cached_until(apps, original, decision, since, wall - max(0.0, self._blocks.age(moment)))
        credential = Credential.SESSION if found else Credential.NONE
        return Checked(decision.enforced.outcome, original, app, account, credential, decision, until if found else 0)

    def _demo_at(self, origin: str) -> App | None:
        demo = self._services.demo
        return demo if demo and demo.address.origin == origin else None

    def _of_program(self, app: App, original: Original, now: int, *, counts: bool) -> Checked | None:
        """Decide about a request with an app password; None for one without. nginx remembers none of these."""
        services, verifier = self._services, self._services.verifier
        found = identify(
            original.authorization,
            app.name,
            address=original.address,
            stores=services,
            attempts=verifier.attempts,
            limit=verifier.throttles[Scope.APP_PASSWORD_NETWORK],
            now=now,
            counts=counts,
        )
        if isinstance(found, NotOurs):
            return None
        if isinstance(found, Wrong):
            return Checked(Apart.WRONG, original, app)
        if isinstance(found, Throttled):
            return Checked(Apart.THROTTLED, original, app, retry_at=found.until)
        request = Request(original.method, original.path, original.address)
        # A program typed no password, so no rule with `fresh` admits it.
        decision = decide(app, request, found.account, signed_in_at=0, now=now)
        return Checked(decision.enforced.outcome, original, app, found.account, Credential.PROGRAM, decision)

    def _session(self, cookie: str, now: int) -> SignedIn | None:
        hashes = session_cookie.token_hashes(session_cookie.sent(cookie, self._cookie))
        sessions, lifetimes = self._services.sessions, self._services.lifetimes
        return session_cookie.look_up(hashes, sessions=sessions, lifetimes=lifetimes, now=now).live

    def _cached_until(
        self, apps: JudgedSet, original: Original, decision: Decision, since: int, known_at: float
    ) -> int:
        """Return the last second in which nginx may answer by itself: all that the verdict rests on was read before.

        nginx counts whole seconds, so that a verdict holds for one second more than the setting at most. A verdict by
        rules that are newer than nginx's files, and one about a doubtful path, are not remembered.
        """
        seconds, verdict = self._services.door_cache_seconds, decision.enforced
        if not seconds or original.rules != apps.hash or verdict.is_doubtful or verdict.outcome is not Outcome.ALLOWED:
            return 0
        until = int(known_at) + seconds
        fresh = verdict.rule.fresh if verdict.rule else None
        return until if fresh is None else min(until, since + fresh - 1)
