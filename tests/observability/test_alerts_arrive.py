"""The shipped rules over the live service: what goes wrong arrives at the operator, and a calm run brings no alert.

The tests share one installation (nginx with TLS, gunicorn, PostgreSQL, Redis) and one Prometheus, from the calm run to
the dead service. Each mends what it broke; those whose alerts hold others back come last.
"""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from service.access.judged_set import to_json
from tests.observability import names
from tests.observability.case import CRITICAL, WARNING
from tests.observability.installation import HOST, PEOPLE, Installation, installed
from tests.rig.certificate import make
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import running as run_postgres
from tests.rig.redis import running as run_redis
from tests.rig.until import until


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """The installation with every target up, and no alert."""
    with run_postgres() as postgres, run_redis() as redis, installed(postgres, redis) as made:
        # Prometheus looks for targets after 5 seconds, which are five minutes here: until then, it misses them.
        until(lambda: made.monitoring.prometheus.scraped() == names.jobs(), "every target is up")
        made.wait_for_calm()
        made.monitoring.inbox.messages.clear()
        yield made


def test_a_calm_run_brings_the_watchdog_alone(installation: Installation) -> None:
    """For 16 minutes people sign in from two offices, and use an app; the watchdog arrives, and no other alert."""
    installation.arrives(("dead-mans-switch", "VestibuleWatchdog", WARNING))
    for _ in range(8):
        for office in ("127.0.3.1", "127.0.3.2"):
            assert installation.sign_in("alice", PASSWORD, address=office).status == 303
            assert [installation.open_app() for _ in range(3)] == [200] * 3
            installation.wait_for_scrape()

    assert installation.monitoring.inbox.firing() == {("dead-mans-switch", "VestibuleWatchdog", WARNING)}


def test_every_rule_finds_its_series(installation: Installation) -> None:
    """Every series that a rule selects exists in a healthy installation, also before the first failure."""
    selected = {str(each) for rule in names.rules() for each in names.selectors(rule["expr"])}

    missing = [
        each for each in sorted(selected) if not installation.monitoring.prometheus.at(f"last_over_time({each}[1h])")
    ]
    assert missing == []


def test_attacks_arrive(installation: Installation) -> None:
    """Guesses and a flood arrive as warnings; that the limits refuse so much follows from them, and is held back."""
    addresses = map("127.0.1.{}".format, count(1))

    def attack() -> None:
        address = next(addresses)
        for guess in range(15):
            installation.sign_in(f"name{guess}", "guess", address=address)
        for _ in range(45):
            installation.sign_in("carol", "guess", address=address)

    def flood() -> None:
        with ThreadPoolExecutor(40) as clients:
            for sender in range(1, 41):
                clients.submit(installation.sign_in, f"name{sender}", "guess", address=f"127.0.2.{sender}")

    installation.arrives(("mail", "VestibuleBruteForce", WARNING), meanwhile=attack)
    installation.holds_back(("VestibuleThrottleSurge", WARNING), meanwhile=attack)
    installation.arrives(("mail", "VestibuleShedding", WARNING), meanwhile=flood)


def test_refused_sign_ins_arrive(installation: Installation) -> None:
    """When known devices are refused, and none gets in, an operator is woken."""
    granted = 'sum(increase(vestibule_sign_in_attempts_total{outcome="granted"}[15s]))'
    until(lambda: installation.monitoring.prometheus.number(granted) == 0, "the last person got in 15 minutes ago")
    for _ in range(10):
        for name in PEOPLE:
            installation.sign_in(name, "no longer right", cookie=installation.known[name])

    installation.arrives(("pager", "VestibuleSignInsFailing", CRITICAL))


def test_lost_parts_arrive(installation: Installation) -> None:
    """So do a lost Redis, a certificate that ends tomorrow, a lost target, and that all sign-ins have one address."""
    installation.redis.stop()
    make(installation.servers.state_dir, HOST, days=1)
    installation.servers.processes["nginx"].send_signal(signal.SIGHUP)
    installation.monitoring.drop_targets("vestibule-edge")

    installation.arrives(
        ("mail", "VestibuleCountersFallenBack", WARNING),
        ("pager", "VestibuleCertificateExpires", CRITICAL),
        ("mail", "VestibuleTargetDown", WARNING),
        ("mail", "VestibuleUntrustedProxy", WARNING),
        meanwhile=lambda: installation.sign_in("alice", PASSWORD),
    )

    installation.redis.start()
    make(installation.servers.state_dir, HOST, days=90)
    installation.servers.processes["nginx"].send_signal(signal.SIGHUP)
    installation.monitoring.restore_targets()


def test_files_that_do_not_belong_together_arrive(installation: Installation) -> None:
    """Apps in force that no worker can read, and others than those of nginx's files, arrive before a person notices."""
    in_force = installation.servers.nginx_dir / "apps.json"
    rendered = in_force.read_text()

    in_force.write_text("{")
    installation.arrives(("mail", "VestibuleDoorReloadFailed", WARNING))
    in_force.write_text(to_json(()))
    installation.arrives(("mail", "VestibuleDoorEdgeOutdated", WARNING))

    in_force.write_text(rendered)
    until(lambda: installation.open_app() == 200, "the app is in force again")


def test_a_stopped_database_arrives(installation: Installation) -> None:
    """An operator is woken for the database, and not for the errors that follow from it."""
    installation.postgres.stop()

    installation.arrives(("pager", "VestibuleDatabaseDown", CRITICAL))

    installation.postgres.start()
    until(
        lambda: ("VestibuleDatabaseDown", CRITICAL) not in installation.monitoring.alertmanager.active(),
        "the alert ends",
    )


def test_a_stopped_service_arrives(installation: Installation) -> None:
    """An operator is woken once, for the target: that the page is away and the door, with errors, follows from it."""
    names = ("SignInPageDown", "SignInErrors", "DoorDown", "DoorFailing")
    consequences = {(f"Vestibule{name}", CRITICAL) for name in names}
    installation.servers.end("gunicorn")

    def ask() -> None:
        installation.ask()
        assert installation.open_app() == 503

    installation.arrives(("pager", "VestibuleTargetDown", CRITICAL))

    installation.holds_back(*consequences, meanwhile=ask)
    assert installation.monitoring.inbox.firing() & {("pager", *alert) for alert in consequences} == set()


def test_old_tables_arrive(installation: Installation) -> None:
    """Tables that are older than the release wake an operator when no replica serves."""
    installation.servers.end("gunicorn")
    installation.postgres.run(
        installation.servers.environ["VESTIBULE_DATABASE_URL"], "UPDATE alembic_version SET version_num = '0001'"
    )

    installation.servers.start_gunicorn()

    installation.arrives(("pager", "VestibuleMigrationMissing", CRITICAL))
