"""What doctor concludes from an echo, where no real chain shows it at once."""

import ipaddress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click import BadParameter
from click.testing import CliRunner

from service.access.public_address import PublicAddress, parse_origin
from service.cli.doctor import _place, clients, in_force, session_cookie, transport
from service.cli.doctor import doctor as command
from service.cli.doctor.client import Client
from service.cli.doctor.echoes import FORGED_ADDRESS, Echo, forged_headers, misspelt_headers
from service.cli.doctor.findings import State
from service.cli.doctor.lines import Lines
from service.settings import load
from tests.doctor.asking import doctor
from tests.rig.parts import ROOT
from tests.web.door.asking import PUBLIC, WIKI

LINES = Lines(ROOT)
NOW = 1_800_000_000
NAME = "__Secure-vestibule-probe=1"
RIGHT = f"{NAME}; Domain=example.test; Secure; HttpOnly; Path=/; SameSite=Lax; Max-Age=9"


def _echo(*, client: str = "192.0.2.7", **said: Any) -> Echo:
    return Echo({"headers": [["X-Forwarded-For", client]], "time": NOW, "cache_seconds": 1, **said}, None)


@pytest.mark.parametrize(
    ("seen", "own", "state"),
    [
        ("192.0.2.7", "192.0.2.7", State.OK),
        ("8.8.8.8", "192.168.1.5", State.OK),
        ("::ffff:127.0.0.1", "127.0.0.1", State.OK),
        ("10.0.0.2", "192.168.1.5", State.WARNING),
        ("172.18.0.1", "8.8.4.4", State.WARNING),
        (FORGED_ADDRESS, "192.168.1.5", State.FAULT),
        ("", "192.168.1.5", State.FAULT),
        (FORGED_ADDRESS, "10.9.0.1", State.OK),
    ],
    ids=["its own", "behind NAT", "mapped", "a proxy", "a bridge", "forged", "none", "doctor on a trusted proxy"],
)
def test_the_address_that_the_service_sees(seen: str, own: str, state: State) -> None:
    """A public address of another machine is NAT's; a private one is a proxy's that is not trusted."""
    trusted = [ipaddress.ip_network("10.9.0.0/16")]

    assert clients.address(_echo(client=seen), own, trusted, LINES).state is state


@pytest.mark.parametrize(
    ("time", "date", "state"),
    [
        (NOW + 2, NOW - 1, State.OK),
        (NOW + 30, NOW, State.WARNING),
        (NOW, NOW - 3600, State.FAULT),
        (NOW, None, State.OK),
    ],
)
def test_clocks(time: int, date: float | None, state: State) -> None:
    """Some seconds are a warning, a minute is a fault, of the service's clock and of the proxies'."""
    assert in_force.clock(_echo(time=time), date, NOW).state is state


@pytest.mark.parametrize(
    ("cookies", "domain", "fault"),
    [
        ([RIGHT], "example.test", None),
        ([RIGHT.replace("Domain=", "Domain=.")], "example.test", None),
        ([RIGHT.replace("example.test", "auth.example.test")], "example.test", "domain=auth.example.test"),
        ([RIGHT.replace("Secure; ", "")], "example.test", "secure"),
        ([RIGHT.replace("Lax", "None")], "example.test", "samesite=none"),
        ([], "example.test", "sets no __Secure-vestibule"),
        ([RIGHT], "co.uk", "a public suffix"),
        ([RIGHT], "github.io", "a public suffix"),
    ],
)
def test_the_cookie_of_sessions(cookies: list[str], domain: str, fault: str | None) -> None:
    """A browser must get it as the settings say, and must take it."""
    (found,) = session_cookie.attributes(cookies, PUBLIC, domain, LINES)

    assert (found.state is State.OK) == (fault is None)
    assert (fault or "") in found.what


def test_servers_take_the_heads_of_all_probes() -> None:
    """So few names are forged at once that an app's own headers fit beside them (many servers take 100)."""
    own = replace(WIKI.headers, user="X-A", name="X-B", email="X-C", groups="X-D")

    assert len(misspelt_headers(replace(WIKI, headers=own))) <= 60
    assert len(forged_headers(replace(WIKI, headers=own))) / 2 <= 60


@pytest.mark.parametrize(
    ("host", "upstream", "own", "beside"),
    [
        ("127.0.0.1", "http://10.0.0.5:3000", "127.0.0.1", ["10.0.0.5"]),
        ("127.0.0.1", "http://127.0.0.1:3000", "127.0.0.1", ["127.0.0.2"]),
        ("192.0.2.1", "http://127.0.0.1:3000", "192.0.2.9", ["192.0.2.1"]),
        ("192.0.2.1", "http://localhost:3000", "192.0.2.1", ["127.0.0.2", "192.0.2.1"]),
    ],
)
def test_where_an_app_should_not_answer(host: str, upstream: str, own: str, beside: list[str]) -> None:
    """At its upstream; and if that is the proxy's loopback, at every other address of that machine."""
    address = parse_origin(upstream)
    assert isinstance(address, PublicAddress)

    assert transport._hosts_beside(host, address, own) == beside


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("Login.example.org:443:127.0.0.1", (("login.example.org", 443), ("127.0.0.1", 443))),
        ("login.example.org:443:[::1]:8443", (("login.example.org", 443), ("::1", 8443))),
    ],
)
def test_where_to_connect(typed: str, place: object) -> None:
    """`--resolve` is written as curl's, and may name another port."""
    assert _place(typed) == place


def test_a_misspelt_place_is_refused() -> None:
    """The message says how to write it."""
    with pytest.raises(BadParameter, match="HOST:PORT:ADDRESS"):
        _place("login.example.org=127.0.0.1")


def test_a_client_connects_where_it_is_told_to() -> None:
    """Other addresses go where DNS says."""
    client = Client(places={("auth.example.test", 443): ("127.0.0.1", 8443)})

    assert client.place(PUBLIC) == ("127.0.0.1", 8443)
    assert client.place(replace(PUBLIC, port=444)) == ("auth.example.test", 444)


def test_without_the_service_s_key_there_is_nothing_to_sign_with(tmp_path: Path) -> None:
    """Then no key is made, and doctor says where it looks for one."""
    code, found = doctor({"VESTIBULE_STATE_DIR": str(tmp_path)}, "http://localhost:8080")

    assert (code, [each["check"] for each in found]) == (2, ["settings"])
    assert str(tmp_path / "secret-key") in found[0]["what"]
    assert not any(tmp_path.iterdir())


def test_an_address_that_is_no_apps_is_refused(tmp_path: Path) -> None:
    """The message lists those that doctor knows."""
    environ = {"VESTIBULE_STATE_DIR": str(tmp_path), "VESTIBULE_SECRET_KEY": "Zq3v8Lr1Xk7Tn5Wp9Bs2Hd6Mf4Jc0Yg-ue"}

    refused = CliRunner().invoke(command, ["https://other.example"], obj=SimpleNamespace(settings=load(environ)))

    assert refused.exit_code == 2
    assert "http://localhost:8080" in refused.stderr
