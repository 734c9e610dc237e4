"""Where the processor's time of a sign-in goes beside its hash, in milliseconds: a table, and no row of `make bench`.

    .venv/bin/python -m tests.bench.sign_in_parts

nginx and gunicorn are read from /proc while clients sign in; the parts inside a worker are timed in this process, on
real stores, twice: many times over, and each time right after a hash, as in a worker that signs people in. A hash
writes 19 MiB and so empties the processor's caches: the second figure is the one that a sign-in pays.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from flask import Flask
from flask_limiter import Limiter
from flask_talisman import Talisman
from prometheus_client import CollectorRegistry
from prometheus_flask_exporter import PrometheusMetrics
from werkzeug.test import create_environ

from service.app import build_services
from service.hashing.cpu_budget import cpu_budget
from service.login.accounts import Account
from service.login.attempts import Reserved, attempt_of
from service.login.passwords import Passwords
from service.login.sign_in import Client, open_session
from service.services import Services
from service.settings import load
from service.web.telemetry import events
from service.web.telemetry.logs import configure_logging
from tests.bench.bare import bare
from tests.bench.load import closed_loop
from tests.bench.machine import family
from tests.bench.people import parameters
from tests.bench.served import Served, served
from tests.rig.passwords import PASSWORD

TIMES: Final = 400
COLD_TIMES: Final = 60
SECONDS: Final = 10.0
CLIENTS: Final = 8
_TICK: Final = os.sysconf("SC_CLK_TCK")
_CLIENT: Final = Client("192.0.2.7", "a browser")

Timed = Callable[[Callable[[], object]], float]


def nothing() -> None:
    """Come before a call that is timed with warm caches."""


def milliseconds(act: Callable[[], object], times: int = TIMES, *, before: Callable[[], object] = nothing) -> float:
    """Return the processor time of this thread for one call, the median of many calls, with another before each."""
    taken = []
    for _ in range(times):
        before()
        began = time.thread_time()
        act()
        taken.append(time.thread_time() - began)
    return 1000 * median(taken)


def processes(asked: Served) -> Iterator[tuple[str, float]]:
    """Yield what one sign-in costs in nginx and in gunicorn's workers."""
    before = {name: cpu_seconds(asked.servers.processes[name].pid) for name in ("nginx", "gunicorn")}
    load_ = closed_loop(asked.servers.port, asked.sign_ins(), clients=CLIENTS, warm_up=0, seconds=SECONDS)
    sign_ins = load_.rate(303) * SECONDS
    for name, seconds in before.items():
        yield name, 1000 * (cpu_seconds(asked.servers.processes[name].pid) - seconds) / sign_ins


def cpu_seconds(master: int) -> float:
    """Return the processor time of a server, its children included."""
    return sum(_cpu_of(pid) for pid in family(master))


def _cpu_of(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICK


def flask_parts(timed: Timed) -> Iterator[tuple[str, float]]:
    """Yield what an empty route costs, and what each extension adds to it."""
    bare = timed(_request_to(_empty()))
    yield "Flask, an empty route", bare
    limited, measured, protected = _empty(), _empty(), _empty()
    Limiter(lambda: "key", app=limited, application_limits=["1000000 per minute"], storage_uri="memory://")
    PrometheusMetrics(measured, path=None, group_by="url_rule", registry=CollectorRegistry())
    Talisman(protected, force_https=False)
    for name, app in (("Flask-Limiter", limited), ("the exporter", measured), ("Talisman", protected)):
        yield f"{name} more", timed(_request_to(app)) - bare


def _empty() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "", methods=["POST"])
    return app


def _request_to(app: Flask) -> Callable[[], object]:
    environ = create_environ(method="POST", data=b"")
    return lambda: b"".join(app(dict(environ), lambda *_answer: bytes))


def rule_parts(services: Services, account: Account, timed: Timed) -> Iterator[tuple[str, float]]:
    """Yield what each statement of a sign-in costs, and each line of the log."""
    attempts, throttles = services.verifier.attempts, services.verifier.throttles
    attempt = attempt_of("alice", account, network="192.0.2.7/32", device=None, key=services.keys[0])

    def reserve_and_release() -> None:
        reserved = attempts.reserve(attempt, throttles, now=services.clock())
        assert isinstance(reserved, Reserved)
        attempts.release(reserved)

    def open_one() -> None:
        open_session(
            account,
            client=_CLIENT,
            remembered=False,
            replaces=None,
            stores=services,
            lifetimes=services.lifetimes,
            now=services.clock(),
        )

    yield "the account, read", timed(lambda: services.accounts.by_username("alice"))
    yield "the attempt, reserved and given back", timed(reserve_and_release)
    yield "the session and its audit entry, one transaction", timed(open_one)
    who = {"request_id": "0" * 32, "client": "192.0.2.7"}
    yield "the line of the event", timed(lambda: events.security("authn_login_success", account="alice", **who))
    yield (
        "the line of the request",
        timed(lambda: events.answered(path="/", rule="/", method="POST", status=303, duration_ms=1.0, **who)),
    )


@contextmanager
def silent() -> Iterator[None]:
    """Send standard output nowhere meanwhile."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)


def main() -> None:
    """Measure, and print the table."""
    hasher = Passwords(parameters())
    password_hash = hasher.hash(PASSWORD)

    def hash_once() -> None:
        hasher.check(password_hash, PASSWORD)

    with served(1000) as asked:
        rows = [*processes(asked)]
    rows.append(("a hash, while nothing else runs", milliseconds(hash_once, 30)))
    with bare(cpu_budget()) as hashers:
        rows.append(("a hash, while every processor hashes", 1000 * cpu_budget() / hashers.rate(SECONDS)))
    configure_logging()
    with tempfile.TemporaryDirectory() as state, silent():
        services = build_services(load({"VESTIBULE_STATE_DIR": state}))
        account = Account("a" * 32, "alice", services.clock(), password_hash=password_hash)
        services.accounts.add(account)
        warm, cold = (
            [*flask_parts(timed), *rule_parts(services, account, timed)]
            for timed in (milliseconds, partial(milliseconds, times=COLD_TIMES, before=hash_once))
        )
    for name, taken in rows:
        print(f"{taken:18.2f}  {name}")  # noqa: T201
    print("  alone  after a hash")  # noqa: T201
    for (name, alone), (_, after) in zip(warm, cold, strict=True):
        print(f"{alone:7.2f}{after:11.2f}  {name}")  # noqa: T201


if __name__ == "__main__":
    main()
