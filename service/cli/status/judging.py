"""What is judged: a line for each thing, with its state, and what to type or to read where it is not in order.

A fault is what people feel now, as for alerts that are critical; a warning is what an operator should look at. The
thresholds are those of the alerts (docs/decisions/0035-status.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from service import RELEASE
from service.cli.doctor.findings import State
from service.cli.status.service_state import ServiceState
from service.login.attempts import Limit, Scope, Tally
from service.services.store_state import Answer, SignIns, StoreState, Tables
from service.settings.kinds import DAY, HOUR, MINUTE

REFUSED_KNOWN: Final = 15  # VestibuleSignInsFailing
GUESSES: Final = 50  # VestibuleBruteForce, and so many for each sign-in that was granted:
GUESSES_FOR_EACH: Final = 5
BACKUP_SECONDS: Final = 36 * HOUR  # VestibuleBackupOverdue
USUAL: Final = 20  # sign-ins at this time of the day before, after which none is worth a look
_SHOWN: Final = 3
_TARGET_DOWN: Final = ("vestibule config check", "docs/runbooks.md#vestibuletargetdown")
_DATABASE_DOWN: Final = ("vestibule config check", "docs/runbooks.md#vestibuledatabasedown")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was judged. `todo` are commands to type and sections to read; `facts` are for programs."""

    check: str
    state: State
    what: str
    todo: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Apps:
    """How many apps are in force, whether workers can read them, and whether the files of `apps.d` are other ones."""

    in_force: int
    are_readable: bool = True
    differ: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is judged, as it was read at `now`."""

    stores: StoreState
    service: ServiceState
    apps: Apps
    throttles: Mapping[Scope, Limit]
    public_url: str
    now: int


def judged(seen: Seen) -> Iterator[Line]:
    """Yield a line for everything that could be read, what people feel first."""
    stores, service = seen.stores, seen.service
    if stores.sign_ins and stores.sign_ins_day_before:
        yield _sign_ins(stores.sign_ins, stores.sign_ins_day_before, seen.public_url)
        if stores.networks is not None and stores.accounts is not None:
            yield _attack(stores.networks, stores.accounts, stores.blocked, stores.sign_ins.granted, seen.throttles)
    yield _service(service)
    if len(service.faults) < service.instances:
        yield _gate(service)
        yield from _proxy(service)
    yield _database(stores.database, is_first_start=stores.is_first_start)
    yield _counters(stores.counters, is_degraded=service.metrics["vestibule_counter_store_degraded"] > 0)
    if stores.tables:
        yield _tables(stores.tables)
    yield _apps(seen.apps, is_outdated=service.metrics["vestibule_door_edge_outdated"] > 0)
    if stores.sign_ins:
        yield _backup(stores.last_backup, seen.now, stores.database.name)


def _sign_ins(now: SignIns, before: SignIns, public_url: str) -> Line:
    what = f"{now.granted} granted, {now.refused} refused in 15 min; the day before {before.granted}, {before.refused}"
    state, todo = State.OK, tuple[str, ...]()
    if now.refused_known >= REFUSED_KNOWN and not now.granted:
        what = f"no person gets in: {now.refused_known} refused from known devices in 15 min, and none granted"
        state, todo = State.FAULT, ("vestibule audit list --since 1h", "docs/runbooks.md#vestibulesigninsfailing")
    elif before.granted >= USUAL and not now.granted:
        state, todo = State.WARNING, (f"vestibule doctor {public_url}", "docs/runbooks.md#vestibulesigninpagedown")
    facts = {"granted": now.granted, "refused": now.refused, "refused_from_known_devices": now.refused_known}
    return Line("sign-ins", state, what, todo, {**facts, "granted_the_day_before": before.granted})


def _attack(
    networks: Sequence[Tally], accounts: Sequence[Tally], blocked: int, granted: int, throttles: Mapping[Scope, Limit]
) -> Line:
    guesses = sum(each.attempts for each in networks)
    at_limit = [each for each in accounts if each.attempts >= throttles[Scope.ACCOUNT].count]
    is_full = any(each.attempts >= throttles[Scope.NETWORK].count for each in networks)
    minutes = throttles[Scope.NETWORK].seconds // MINUTE
    what = f"no wrong passwords in {minutes} min"
    if networks:
        guessed, origins = _many(guesses, "wrong password"), _many(len(networks), "network")
        what = f"{guessed} in {minutes} min from {origins}: {_first(networks)}"
    if at_limit:
        what += f"; {_many(len(at_limit), 'account')} at the limit: {_first(at_limit)}"
    what += f"; blocked networks: {blocked}" if blocked else ""
    facts = {"wrong_passwords": guesses, "networks": len(networks), "accounts_at_the_limit": len(at_limit)}
    facts["blocked_networks"] = blocked
    if at_limit or is_full or (guesses >= GUESSES and guesses > GUESSES_FOR_EACH * granted):
        todo = ("vestibule attempts list", "docs/operating.md#an-attack-is-under-way")
        return Line("attack", State.WARNING, what, todo, facts)
    return Line("attack", State.OK, what, facts=facts)


def _service(service: ServiceState) -> Line:
    workers, configured = service.metrics["vestibule_workers"], service.metrics["vestibule_workers_configured"]
    facts: dict[str, Any] = {"instances": service.instances, "ready": service.instances - len(service.faults)}
    facts |= {"seconds": service.seconds, "workers": workers, "workers_configured": configured}
    facts |= {"releases": sorted(service.releases)}
    what = f"ready in {_milliseconds(service.seconds)}, {workers} of {configured} workers"
    if service.faults:
        fault, is_named, command = service.faults[0].partition(": vestibule ")  # as /readyz names it
        what = f"{facts['ready']} of {service.instances} instances ready; {fault}" if service.instances > 1 else fault
        todo = (f"vestibule {command}",) if is_named else _TARGET_DOWN
        return Line("service", State.WARNING if facts["ready"] else State.FAULT, what, todo, facts)
    if service.releases != {RELEASE}:
        what = f"release {', '.join(sorted(service.releases))} runs, and {RELEASE} is installed: start the service anew"
        return Line("service", State.WARNING, what, ("docs/operating.md#an-upgrade-and-the-way-back",), facts)
    if workers < configured:
        what += ": the service's log says why workers end"
        return Line("service", State.WARNING, what, _TARGET_DOWN[1:], facts)
    return Line("service", State.OK, what, facts=facts)


def _gate(service: ServiceState) -> Line:
    inside, shed = (service.metrics[f"vestibule_hash_{name}"] for name in ("queue_length", "shed_total"))
    what = f"{_many(inside, 'password')} wait or are verified; {shed} shed since the start"
    facts = {"inside": inside, "shed": shed, "shed_in_the_last_second": service.shed}
    if service.shed:
        what = f"full: {_many(service.shed, 'password')} shed within a second, {shed} since the start"
        return Line("gate", State.WARNING, what, ("docs/runbooks.md#vestibuleshedding",), facts)
    return Line("gate", State.OK, what, facts=facts)


def _proxy(service: ServiceState) -> Iterator[Line]:
    if service.metrics["vestibule_untrusted_proxy_suspected"]:
        what = "nearly all sign-ins come from one private address: a proxy that is not trusted yet"
        yield Line("proxy", State.WARNING, what, ("docs/runbooks.md#vestibuleuntrustedproxy",))


def _database(answer: Answer, *, is_first_start: bool) -> Line:
    if answer.fault:
        todo = ("docs/install.md",) if is_first_start else _DATABASE_DOWN
        return Line("database", State.FAULT, answer.fault, todo, {"name": answer.name})
    facts = {"name": answer.name, "seconds": answer.seconds}
    return Line("database", State.OK, f"{answer.name}; answers in {_milliseconds(answer.seconds)}", facts=facts)


def _counters(answer: Answer, *, is_degraded: bool) -> Line:
    fault = answer.fault or ("a worker still counts in SQL" if is_degraded else None)
    if fault:
        todo = ("vestibule config show", "docs/runbooks.md#vestibulecountersfallenback")
        return Line("counters", State.WARNING, f"{answer.name}: {fault}", todo, {"name": answer.name})
    time = f"; answers in {_milliseconds(answer.seconds)}" if answer.seconds else ""
    return Line("counters", State.OK, answer.name + time, facts={"name": answer.name, "seconds": answer.seconds})


def _tables(tables: Tables) -> Line:
    facts = {"revision": tables.revision, "newest": tables.newest, "oldest_release": tables.oldest_release}
    if tables.are_pending:
        what = f"revision {tables.revision or 'none'}, and release {RELEASE} needs {tables.newest}"
        return Line("tables", State.FAULT, what, ("vestibule db upgrade",), {**facts, "pending": True})
    what = f"revision {tables.revision}, for releases from {tables.oldest_release} on"
    return Line("tables", State.OK, what, facts={**facts, "pending": False})


def _apps(apps: Apps, *, is_outdated: bool) -> Line:
    facts, what = {"in_force": apps.in_force}, f"{apps.in_force} in force"
    if not apps.are_readable:
        todo = ("vestibule proxy render", "docs/runbooks.md#vestibuledoorreloadfailed")
        return Line("apps", State.WARNING, "the file of the apps in force cannot be read", todo, facts)
    if is_outdated:
        todo = ("vestibule proxy diff", "docs/runbooks.md#vestibuledooredgeoutdated")
        return Line("apps", State.WARNING, f"{what}; nginx has not read their files yet", todo, facts)
    if apps.differ:
        return Line("apps", State.WARNING, f"{what}; the files of apps.d are others", ("vestibule proxy diff",), facts)
    return Line("apps", State.OK, what, facts=facts)


def _backup(last: int | None, now: int, database: str) -> Line:
    age = None if last is None else max(0, now - last)
    what = "none is noted" if age is None else f"made {_age(age)} ago"
    if age is None or age > BACKUP_SECONDS:
        command = "vestibule db verify --record DUMP" if database.startswith("PostgreSQL") else "vestibule db backup"
        todo = (command, "docs/runbooks.md#vestibulebackupoverdue")
        return Line("backup", State.WARNING, what, todo, {"age_seconds": age})
    return Line("backup", State.OK, what, facts={"age_seconds": age})


def _many(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"


def _first(tallies: Sequence[Tally]) -> str:
    shown = ", ".join(f"{each.name or each.key} ({each.attempts})" for each in tallies[:_SHOWN])
    return shown + ", …" * (len(tallies) > _SHOWN)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _age(seconds: int) -> str:
    for unit, size in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
