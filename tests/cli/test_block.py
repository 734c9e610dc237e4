"""`vestibule block`: networks that are blocked for a time."""

import pytest

from service.access.block_list import Block
from tests.cli.terminal import Terminal
from tests.rig.people import NOW


def test_a_network_is_blocked_for_a_time(terminal: Terminal) -> None:
    """In its one spelling, with its end; the audit trail names the operator and the reason."""
    said = terminal.said("block", "add", "192.0.2.7/24", "--for", "2h", "--reason", "a flood")

    assert said == "192.0.2.0/24 is blocked until 2027-01-15 10:00:00 UTC.\n"
    assert terminal.world.rows.blocks == {"192.0.2.0/24": Block("192.0.2.0/24", NOW + 7200, NOW, "a flood")}
    (entry,) = terminal.world.rows.trail
    assert (entry.event, entry.by.split()[0]) == ("network_blocked", "operator")
    assert entry.detail == "192.0.2.0/24 for 7200 s: a flood"


def test_another_time_replaces_the_first(terminal: Terminal) -> None:
    """Also a shorter one: what was typed last holds. Blocks that are over go by the way."""
    terminal.world.rows.blocks["198.51.100.0/24"] = Block("198.51.100.0/24", NOW, NOW - 60)
    for time in ("7d", "5m"):
        terminal.said("block", "add", "2001:db8::5", "--for", time)

    assert terminal.json("block", "list") == [
        {"network": "2001:db8::/64", "until": NOW + 300, "created_at": NOW, "reason": ""}
    ]
    assert list(terminal.world.rows.blocks) == ["2001:db8::/64"]


def test_a_block_is_removed(terminal: Terminal) -> None:
    """Once; a second time there is nothing to remove."""
    terminal.said("block", "add", "192.0.2.0/24", "--for", "2h")

    assert terminal.said("block", "remove", "192.0.2.9/24") == "192.0.2.0/24 is no longer blocked.\n"
    assert "is not blocked. List what is blocked: vestibule block list" in terminal.refused(
        "block", "remove", "192.0.2.0/24"
    )
    assert terminal.said("block", "list") == ""


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["nonsense", "--for", "2h"], 1),
        (["0.0.0.0/0", "--for", "2h"], 1),
        (["::/0", "--for", "2h"], 1),
        (["192.0.2.0/24"], 2),
        (["192.0.2.0/24", "--for", "2h", "--reason", "x\n10.0.0.0/8 until 2030"], 1),
        (["192.0.2.0/24", "--for", "2h", "--reason", "\udcff"], 1),
        (["192.0.2.0/24", "--for", "2h", "--reason", "x" * 201], 1),
        (["192.0.2.0/24", "--for", "soon"], 2),
        (["192.0.2.0/24", "--for", "-2h"], 2),
    ],
)
def test_an_invalid_block_blocks_nothing(terminal: Terminal, typed: list[str], code: int) -> None:
    """An invalid network, one that is too wide, no duration, an invalid one, and a reason of two lines are refused."""
    terminal.refused("block", "add", *typed, code=code)

    assert terminal.world.rows.blocks == {}
