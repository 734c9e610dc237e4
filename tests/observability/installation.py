"""One installation that is watched: nginx with TLS, gunicorn, PostgreSQL and Redis, and people who signed in to it."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urlencode

from tests.observability.cases import WARNING
from tests.observability.watching import Watching, watching
from tests.rig.asking import ask, free_port
from tests.rig.certificate import make
from tests.rig.parts import ROOT
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import Postgres
from tests.rig.redis import Redis
from tests.rig.servers import Servers, prepared
from tests.rig.until import until

HOST: Final = "login.example.org"
HURRIED: Final = "tests.observability.hurried:application()"
PEOPLE: Final = ("alice", "bob")


@dataclass
class Installation:
    """Everything that runs, and the browsers that signed in to it once."""

    servers: Servers
    watching: Watching
    postgres: Postgres
    redis: Redis
    known: dict[str, str]

    def sign_in(
        self, name: str, password: str, *, address: str = "127.0.0.1", cookie: str = ""
    ) -> http.client.HTTPResponse:
        """Send the form from one of this machine's addresses; return the answer, read."""
        head = {"Host": HOST, "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        connection = http.client.HTTPConnection("127.0.0.1", self.servers.port, 20, source_address=(address, 0))
        with closing(connection):
            body = urlencode({"username": name, "password": password})
            connection.request("POST", "/", body, head | ({"Cookie": cookie} if cookie else {}))
            answer = connection.getresponse()
            answer.read()
            return answer

    def ask(self) -> None:
        """Ask for the sign-in page, over plain http."""
        ask(self.servers.port, "/", headers={"Host": HOST})

    def a_minute_passes(self) -> None:
        """Wait for the next scrape, which comes each second."""
        before = self.watching.number('timestamp(up{job="vestibule"})')
        until(lambda: self.watching.number('timestamp(up{job="vestibule"})') != before, "a scrape")

    def only_the_watchdog_fires(self) -> None:
        """Wait until all other alerts have ended, in Prometheus and in Alertmanager."""
        watchdog = {("VestibuleWatchdog", WARNING)}
        until(lambda: self.watching.firing() == self.watching.active() == watchdog, "only the watchdog fires")

    def arrives(self, *expected: tuple[str, str, str], meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until each (receiver, alert, severity) has arrived; do something again and again meanwhile."""

        def arrived() -> bool:
            meanwhile()
            return self.watching.inbox.firing() >= set(expected)

        try:
            until(arrived, f"these arrive: {expected}")
        except AssertionError as late:
            watching = self.watching
            state = (
                f"fire: {watching.firing()}; are held back: {watching.inhibited()}; arrived: {watching.inbox.firing()}"
            )
            raise AssertionError(f"{late}; these {state}") from None
        assert self.watching.inbox.unfilled() == []

    def holds_back(self, *expected: tuple[str, str], meanwhile: Callable[[], object]) -> None:
        """Wait until Alertmanager holds each (alert, severity) back; do something again and again meanwhile."""

        def held_back() -> bool:
            meanwhile()
            return self.watching.inhibited() >= set(expected)

        until(held_back, f"these are held back: {expected}")


def _with_tls(servers: Servers, port: int) -> None:
    """Have nginx serve TLS as deploy/tls says, with a certificate for 90 days."""
    certificate, key = make(servers.state_dir, HOST, days=90)
    text = (ROOT / "deploy/tls/server-tls.conf").read_text().replace("8443", str(port))
    text = text.replace("/etc/vestibule/tls/fullchain.pem", str(certificate))
    text = text.replace("/etc/vestibule/tls/privkey.pem", str(key))
    (servers.nginx_dir / "tls").mkdir(parents=True)
    servers.nginx_dir.chmod(0o777)
    (servers.nginx_dir / "tls/server-tls.conf").write_text(text)


def _known_device(house: Installation, name: str) -> str:
    """Sign in once; return the device cookie as a browser sends it."""
    jar = SimpleCookie("; ".join(house.sign_in(name, PASSWORD).headers.get_all("Set-Cookie") or ()))
    (device,) = (f"{each.key}={each.value}" for each in jar.values() if "device" in each.key)
    return device


@contextmanager
def installed(postgres: Postgres, redis: Redis) -> Iterator[Installation]:
    secure = free_port()
    settings = {
        "DATABASE_URL": postgres.new_database(), "REDIS_URL": redis.address, "PUBLIC_URL": f"https://{HOST}",
        "HASHING__THREADS": "1", "SERVER__WORKERS": "1",
    }  # fmt: skip
    with prepared(application=HURRIED, **settings) as servers:  # type: ignore[arg-type]
        _with_tls(servers, secure)
        assert servers.vestibule("db", "upgrade").returncode == 0
        for name in PEOPLE:
            assert servers.vestibule("account", "add", name, "--password-stdin", typed=f"{PASSWORD}\n").returncode == 0
        servers.start()
        servers.start_metrics()
        page, certificate = f"https://127.0.0.1:{secure}/", servers.state_dir / "certificate.pem"
        with watching(ops_port=servers.ops_port, page=page, host=HOST, certificate=certificate) as watch:
            house = Installation(servers, watch, postgres, redis, {})
            house.known = {name: _known_device(house, name) for name in PEOPLE}
            yield house
