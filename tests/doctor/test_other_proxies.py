"""doctor before Caddy, Traefik and another nginx, each with the whole site that `proxy render` prints for it."""

from collections.abc import Iterator

import pytest

from tests.doctor.asking import Findings, doctor, not_in_order
from tests.rig.other_proxies import DOMAIN, PROXIES, House, behind_other_proxies


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Start the service and the apps once."""
    with behind_other_proxies() as started:
        yield started


def _doctor(house: House, proxy: str) -> tuple[int, Findings]:
    host, port = f"{proxy}.{DOMAIN}", house.ports[proxy]
    place, authority = f"{host}:{port}:127.0.0.1", str(house.directory / "certificate.pem")
    with house.started(proxy):
        return doctor(house.servers.environ, f"https://{host}:{port}", "--resolve", place, "--ca-file", authority)


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_good_chain_has_no_fault(house: House, proxy: str) -> None:
    """The probe goes the app's way and is answered by the service, which the door's listener leads to."""
    code, found = _doctor(house, proxy)

    assert (not_in_order(found), code) == ([], 0)
    assert len(found) >= 20


@pytest.mark.parametrize(
    ("proxy", "removed", "check", "what"),
    [
        ("caddy", "request_header -*_*", "spellings", "underscores"),
        ("caddy", "header_up Remote-User {vars.vestibule_remote_user}", "identity", "Remote-User"),
        ("traefik", "|[._]", "spellings", "underscores, dots"),
        ("traefik", "X-Forwarded-User|", "forged headers", "X-Forwarded-User"),
        ("nginx", 'proxy_set_header X-WEBAUTH-USER "";', "forged headers", "X-Webauth-User"),
    ],
)
def test_a_missing_line_is_found(
    house: House, monkeypatch: pytest.MonkeyPatch, proxy: str, removed: str, check: str, what: str
) -> None:
    """What the printed file would have stopped is named, and the command that prints it."""
    printed = house.rendered(proxy, "--full")
    assert removed in printed
    monkeypatch.setattr(House, "rendered", lambda *_: printed.replace(removed, ""))

    code, found = _doctor(house, proxy)

    (fault,) = (each for each in found if each["check"] == check and each["state"] == "fault")
    assert (what in fault["what"], code) == (True, 2), fault
    assert f"vestibule proxy render nginx|caddy|traefik --app {proxy}" in fault["line"]
