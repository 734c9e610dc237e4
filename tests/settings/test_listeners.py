"""Where nginx listens: one reading of what an operator writes, and the sockets that follow from it."""

import socket

import pytest

from service import listeners
from service.listeners import Listener
from service.settings.addresses import LISTENERS
from tests.rig.asking import free_port
from tests.settings.asked import refusal


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("localhost:8080", "localhost:8080"),
        ("LOCALHOST:08080", "localhost:8080"),
        ("0.0.0.0:80", "0.0.0.0:80"),
        ("[::]:8080", "[::]:8080"),
        ("[0:0:0:0:0:0:0:1]:65535", "[::1]:65535"),
        ("192.0.2.1:80, [2001:DB8::1]:80", "192.0.2.1:80, [2001:db8::1]:80"),
        (["192.0.2.1:80", "[2001:db8::1]:80"], "192.0.2.1:80, [2001:db8::1]:80"),
    ],
    ids=str,
)
def test_a_listener_is_an_address_and_a_port(written: object, read: str) -> None:
    """The name localhost and IP addresses with a port are taken, one or several, in one spelling."""
    assert LISTENERS.write(LISTENERS.read(written)) == read


@pytest.mark.parametrize(
    "written",
    [
        "8080",
        ":8080",
        "*:8080",
        "localhost",
        "localhost:0",
        "localhost:65536",
        "login.example.org:80",
        "::1:80",
        "1.2.3:80",
        "[1.2.3.4]:80x",
        "[::1]",
        "localhost:8080, [::1]",
        "",
        ",",
    ],
)
def test_what_is_no_listener_is_refused(written: str) -> None:
    """Host names are refused: nginx would ask the DNS once, at its start. Neither is an empty list a listener."""
    assert "localhost:8080, 0.0.0.0:8080 or [::]:8080" in refusal(LISTENERS, written)


def test_of_several_listeners_the_wrong_one_is_named() -> None:
    """The refusal quotes the entry that is wrong, unless it may hold a password."""
    assert '"[::1]" must be' in refusal(LISTENERS, "localhost:8080 [::1]")
    assert "secret" not in refusal(LISTENERS, "redis://:secret@h")


@pytest.mark.parametrize(
    ("written", "usable", "opened"),
    [
        ("localhost:80", {"::", "::1"}, "127.0.0.1:80 [::1]:80"),
        ("localhost:80", {"::"}, "127.0.0.1:80"),
        ("[::]:80", {"::", "::1"}, "[::]:80"),
        ("[::]:80", {"::"}, "[::]:80"),
        ("[::]:80", set(), "0.0.0.0:80"),
        ("0.0.0.0:80 [::]:80", {"::", "::1"}, "[::]:80"),
        ("[::]:80 127.0.0.1:80 127.0.0.1:81", {"::", "::1"}, "[::]:80 127.0.0.1:81"),
        ("127.0.0.1:80 localhost:80", set(), "127.0.0.1:80"),
        ("192.0.2.1:80 [2001:db8::1]:80", {"::", "::1"}, "192.0.2.1:80 [2001:db8::1]:80"),
    ],
)
def test_each_listener_becomes_its_sockets(
    written: str, usable: set[str], opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No two sockets take the same address, `[::]` takes both families, and a machine without IPv6 has IPv4."""
    monkeypatch.setattr(listeners, "_is_usable", usable.__contains__)

    assert " ".join(map(str, listeners.sockets(LISTENERS.read(written)))) == opened


@pytest.mark.parametrize(
    ("written", "reached"),
    [
        ("[::]:80", "127.0.0.1:80"),
        ("0.0.0.0:80", "127.0.0.1:80"),
        ("localhost:80", "127.0.0.1:80"),
        ("[::1]:80", "[::1]:80"),
        ("192.0.2.1:81 [::]:80", "192.0.2.1:81"),
    ],
)
def test_a_client_on_this_machine_knows_where_to_ask(written: str, reached: str) -> None:
    """An address that stands for all of them is reached over the loopback."""
    assert str(listeners.reachable(LISTENERS.read(written))) == reached


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_port_in_use_is_found_in_either_family(host: str) -> None:
    """A socket on every address meets one that has the port in IPv4 alone."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert listeners.fault_of(Listener(host, port)) is not None

    assert listeners.fault_of(Listener(host, port)) is None
