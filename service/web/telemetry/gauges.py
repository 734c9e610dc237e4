"""What the settings say now, and the database as it was read at most 30 seconds ago in each worker."""

import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from service import RELEASE
from service.login.attempts import Scope
from service.services import Services, Unavailable

READ_EVERY_SECONDS: Final = 30


class Gauges:
    """The gauges of one app; a database that does not answer is `vestibule_database_up 0`, not an error."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._read_at = 0.0
        self._families: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges as they were last read."""
        if not self._families or time.monotonic() - self._read_at >= READ_EVERY_SECONDS:
            self._families, self._read_at = list(self._read()), time.monotonic()
        yield from self._families
        yield from self._door()

    def _door(self) -> Iterator[Metric]:
        seconds = self._services.door_cache_seconds
        words = "How long nginx remembers that a session may pass; 0 is not at all."
        yield GaugeMetricFamily("vestibule_door_cache_seconds", words, value=seconds)
        words = "How long a session that was ended, or a network that was blocked, can still pass, for new requests."
        yield GaugeMetricFamily("vestibule_revocation_bound_seconds", words, value=seconds + 1)
        words = "Whether the apps in force could be read when they were last looked at."
        readable = self._services.health.apps_are_readable()
        yield GaugeMetricFamily("vestibule_config_last_reload_successful", words, value=readable)

    def _read(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("vestibule_build_info", "The release that answers.", labels=["release"])
        build.add_metric([RELEASE], 1)
        yield build
        up = self._services.health.database_answers()
        yield GaugeMetricFamily("vestibule_database_up", "Whether the database answers.", value=up)
        if up:
            yield from self._rows()

    def _rows(self) -> Iterator[Metric]:
        services = self._services
        attempts, limits = services.verifier.attempts, services.verifier.throttles
        try:
            pending = services.health.migrations_pending()
            yield GaugeMetricFamily("vestibule_migrations_pending", "Whether `db upgrade` is due.", value=pending)
            if pending:
                return
            words = "When the last good backup was made, in seconds since the epoch; 0 is never."
            made_at = services.health.last_backup() or 0
            yield GaugeMetricFamily("vestibule_backup_last_success_timestamp_seconds", words, value=made_at)
            live = services.sessions.count_live(services.lifetimes, now=services.clock())
            yield GaugeMetricFamily("vestibule_sessions", "Sessions that are live.", value=live)
            accounts = GaugeMetricFamily("vestibule_accounts", "Accounts by state.", labels=["state"])
            for state, count in services.accounts.count().items():
                accounts.add_metric([state], count)
            yield accounts
            throttled = attempts.throttled_networks(limits[Scope.NETWORK], now=services.clock())
            words = "Networks that have used up their limit of wrong passwords."
            yield GaugeMetricFamily("vestibule_throttled_networks", words, value=throttled)
        except Unavailable:
            return
