"""The shipped rules over the live service: what goes wrong arrives at the operator, and a calm run says nothing.

The tests share one installation (nginx with TLS, gunicorn, PostgreSQL, Redis) and one Prometheus, from the calm run to
the dead service. Each mends what it broke; those whose alerts hold others back come last.
"""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.observability import names
from tests.observability.cases import CRITICAL, WARNING
from tests.observability.installation import HOST, PEOPLE, Installation, installed
from tests.rig.certificate import make
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import running as run_postgres
from tests.rig.redis import running as run_redis
from tests.rig.until import until


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    """The installation, watched, and with every target up."""
    with run_postgres() as postgres, run_redis() as redis, installed(postgres, redis) as house:
        # Prometheus looks for targets after 5 seconds, which are five minutes here: until then, it misses them.
        until(lambda: len(house.watching.query("up == 1")) == 3, "three targets are up")
        house.only_the_watchdog_fires()
        house.watching.inbox.messages.clear()
        yield house


def test_a_calm_run_says_nothing_but_that_it_watches(house: Installation) -> None:
    """For 16 minutes people sign in from two offices; the watchdog arrives where it shall, and nothing else."""
    house.arrives(("dead-mans-switch", "VestibuleWatchdog", WARNING))
    for _ in range(8):
        for office in ("127.0.3.1", "127.0.3.2"):
            assert house.sign_in("alice", PASSWORD, address=office).status == 303
            house.a_minute_passes()

    assert house.watching.inbox.firing() == {("dead-mans-switch", "VestibuleWatchdog", WARNING)}


def test_every_rule_finds_its_series(house: Installation) -> None:
    """Whatever a rule selects is there in a healthy installation, also failures that have not happened yet."""
    selected = {str(each) for rule in names.rules() for each in names.selectors(rule["expr"])}

    missing = [each for each in sorted(selected) if not house.watching.query(f"last_over_time({each}[1h])")]
    assert missing == []


def test_attacks_arrive(house: Installation) -> None:
    """Guesses and a flood arrive as warnings; that the limits refuse so much follows from them, and is held back."""
    addresses = map("127.0.1.{}".format, count(1))

    def attack() -> None:
        address = next(addresses)
        for guess in range(15):
            house.sign_in(f"name{guess}", "guess", address=address)
        for _ in range(45):
            house.sign_in("carol", "guess", address=address)

    def flood() -> None:
        with ThreadPoolExecutor(40) as clients:
            for sender in range(1, 41):
                clients.submit(house.sign_in, f"name{sender}", "guess", address=f"127.0.2.{sender}")

    house.arrives(("mail", "VestibuleBruteForce", WARNING), meanwhile=attack)
    house.holds_back(("VestibuleThrottleSurge", WARNING), meanwhile=attack)
    house.arrives(("mail", "VestibuleShedding", WARNING), meanwhile=flood)


def test_nobody_gets_in(house: Installation) -> None:
    """When known devices are refused, and none gets in, an operator is woken."""
    granted = 'sum(increase(vestibule_sign_in_attempts_total{outcome="granted"}[15s]))'
    until(lambda: house.watching.number(granted) == 0, "the last person got in 15 minutes ago")
    for _ in range(10):
        for name in PEOPLE:
            house.sign_in(name, "no longer right", cookie=house.known[name])

    house.arrives(("pager", "VestibuleSignInsFailing", CRITICAL))


def test_lost_parts_arrive(house: Installation) -> None:
    """So do a lost Redis, a certificate that ends tomorrow, a lost target, and that all sign-ins have one address."""
    house.redis.stop()
    make(house.servers.state_dir, HOST, days=1)
    house.servers.processes["nginx"].send_signal(signal.SIGHUP)
    house.watching.lose("vestibule-edge")

    house.arrives(
        ("mail", "VestibuleCountersFallenBack", WARNING),
        ("pager", "VestibuleCertificateExpires", CRITICAL),
        ("mail", "VestibuleTargetDown", WARNING),
        ("mail", "VestibuleUntrustedProxy", WARNING),
        meanwhile=lambda: house.sign_in("alice", PASSWORD),
    )

    house.redis.start()
    make(house.servers.state_dir, HOST, days=90)
    house.servers.processes["nginx"].send_signal(signal.SIGHUP)
    house.watching.lose("")


def test_a_stopped_database_arrives(house: Installation) -> None:
    """An operator is woken for the database, and not for the errors that follow from it."""
    house.postgres.stop()

    house.arrives(("pager", "VestibuleDatabaseDown", CRITICAL))

    house.postgres.start()
    until(lambda: ("VestibuleDatabaseDown", CRITICAL) not in house.watching.active(), "the alert ends")


def test_a_stopped_service_arrives(house: Installation) -> None:
    """An operator is woken once, for the target: that the page is away, with errors, follows from it."""
    consequences = {("VestibuleSignInPageDown", CRITICAL), ("VestibuleSignInErrors", CRITICAL)}
    house.servers.end("gunicorn")

    house.arrives(("pager", "VestibuleTargetDown", CRITICAL))

    house.holds_back(*consequences, meanwhile=house.ask)
    assert house.watching.inbox.firing() & {("pager", *alert) for alert in consequences} == set()


def test_old_tables_arrive(house: Installation) -> None:
    """Tables that are older than the release wake an operator when no replica serves."""
    house.servers.end("gunicorn")
    house.postgres.run(
        house.servers.environ["VESTIBULE_DATABASE_URL"], "UPDATE alembic_version SET version_num = '0001'"
    )

    house.servers.start_gunicorn()

    house.arrives(("pager", "VestibuleMigrationMissing", CRITICAL))
