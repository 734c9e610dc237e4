"""A monitored installation: nginx with TLS and an app, gunicorn, PostgreSQL and Redis, and people who signed in."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from tests.observability.case import WARNING
from tests.observability.monitoring import Monitoring, monitoring
from tests.rig import accounts, tls_files
from tests.rig.asking import ask, free_port
from tests.rig.certificate import make
from tests.rig.directories import server_directory
from tests.rig.echo_app import echo_app
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import Postgres
from tests.rig.redis import Redis
from tests.rig.servers import Servers, prepared
from tests.rig.until import until

HOST: Final = "login.example.org"
APP: Final = "wiki.example.org"
FAST_GAUGES: Final = "tests.observability.fast_gauges:application()"
PROBE: Final = "__Secure-vestibule-probe=1"  # the cookie of a browser that was shown the form
PEOPLE: Final = ("alice", "bob")


@dataclass
class Installation:
    """Everything that runs, and the browsers that signed in to it once."""

    servers: Servers
    monitoring: Monitoring
    postgres: Postgres
    redis: Redis
    known: dict[str, str]
    session: str = ""

    def sign_in(
        self, name: str, password: str, *, address: str = "127.0.0.1", cookie: str = ""
    ) -> http.client.HTTPResponse:
        """Send the form from one of this machine's addresses; return the answer, read."""
        head = {"Host": HOST, "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        connection = http.client.HTTPConnection("127.0.0.1", self.servers.port, 20, source_address=(address, 0))
        with closing(connection):
            body = urlencode({"username": name, "password": password})
            connection.request("POST", "/", body, head | {"Cookie": f"{PROBE}; {cookie}"})
            answer = connection.getresponse()
            answer.read()
            return answer

    def ask(self) -> None:
        """Ask for the sign-in page, over plain http."""
        ask(self.servers.port, "/", headers={"Host": HOST})

    def open_app(self) -> int:
        """Ask for a page of the app, in a session; return the status."""
        return ask(self.servers.port, "/", headers={"Host": APP, "Cookie": self.session}).status

    def wait_for_scrape(self) -> None:
        """Wait for the next scrape, which comes each second."""
        scraped = 'timestamp(up{job="vestibule"})'
        before = self.monitoring.prometheus.number(scraped)
        until(lambda: self.monitoring.prometheus.number(scraped) != before, "a scrape")

    def wait_for_calm(self) -> None:
        """Wait until all alerts but the watchdog have ended, in Prometheus and in Alertmanager."""
        watchdog, watching = {("VestibuleWatchdog", WARNING)}, self.monitoring
        until(
            lambda: watching.prometheus.firing() == watching.alertmanager.active() == watchdog,
            "only the watchdog fires",
        )

    def arrives(self, *expected: tuple[str, str, str], meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until each (receiver, alert, severity) has arrived; do something again and again meanwhile."""
        inbox = self.monitoring.inbox

        def arrived() -> bool:
            meanwhile()
            return inbox.firing() >= set(expected)

        try:
            until(arrived, f"these arrive: {expected}")
        except AssertionError as late:
            fire, held = self.monitoring.prometheus.firing(), self.monitoring.alertmanager.inhibited()
            raise AssertionError(f"{late}; fire: {fire}; are held back: {held}; arrived: {inbox.firing()}") from None
        assert inbox.unfilled() == []

    def holds_back(self, *expected: tuple[str, str], meanwhile: Callable[[], object]) -> None:
        """Wait until Alertmanager holds each (alert, severity) back; do something again and again meanwhile."""

        def held_back() -> bool:
            meanwhile()
            return self.monitoring.alertmanager.inhibited() >= set(expected)

        until(held_back, f"these are held back: {expected}")


def _with_tls(servers: Servers, port: int) -> None:
    """Have nginx serve TLS as deploy/tls says, with a certificate for 90 days."""
    certificate, key = make(servers.state_dir, HOST, days=90)
    tls_files.install(servers.nginx_dir, certificate, key, port=port)


def _signed_in(installation: Installation, name: str) -> tuple[str, str]:
    """Sign in once; return the cookies of the session and of the device, as a browser sends them."""
    jar = SimpleCookie("; ".join(installation.sign_in(name, PASSWORD).headers.get_all("Set-Cookie") or ()))
    session, device = sorted((f"{each.key}={each.value}" for each in jar.values() if each.value), key=_is_device)
    return session, device


def _is_device(cookie: str) -> bool:
    return "device" in cookie


@contextmanager
def _an_app() -> Iterator[Path]:
    """Yield the directory of the apps: one, for all who are signed in."""
    with echo_app() as echo, server_directory("apps", mode=0o755) as apps:
        rules = '[[rules]]\nallow = "signed-in"\n'
        (apps / "wiki.toml").write_text(f'address = "https://{APP}"\nupstream = "{echo.upstream}"\n{rules}')
        yield apps


def _settings(postgres: Postgres, redis: Redis, apps: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres.new_database(), "REDIS_URL": redis.address, "PUBLIC_URL": f"https://{HOST}",
        "HASHING__THREADS": "1", "SERVER__WORKERS": "1", "SESSIONS__COOKIE_DOMAIN": "example.org",
        "ACCESS__APPS_DIR": str(apps),
    }  # fmt: skip


@contextmanager
def installed(postgres: Postgres, redis: Redis) -> Iterator[Installation]:
    """Yield the installation, started, and with monitoring that has just begun."""
    secure = free_port()
    with _an_app() as apps, prepared(application=FAST_GAUGES, **_settings(postgres, redis, apps)) as servers:  # type: ignore[arg-type]
        _with_tls(servers, secure)
        accounts.add(servers, {name: {} for name in PEOPLE})
        servers.start()
        servers.start_metrics()
        page, certificate = f"https://127.0.0.1:{secure}/", servers.state_dir / "certificate.pem"
        with monitoring(ops_port=servers.ops_port, page=page, host=HOST, certificate=certificate) as started:
            installation = Installation(servers, started, postgres, redis, {})
            for name in PEOPLE:
                installation.session, installation.known[name] = _signed_in(installation, name)
            yield installation
