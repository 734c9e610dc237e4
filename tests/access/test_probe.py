"""Signed probes of `vestibule doctor`, and what the door tells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.probe import LIFE, Probe, Purpose, Seen, seen_in, signed, verified

KEY, OLDER = b"the key that signs", b"an older key"
ORIGIN, NOW = "https://wiki.example.org:8443", 1_800_000_000
PROBE = signed(ORIGIN, Purpose.ECHO, keys=(KEY,), now=NOW)


@pytest.mark.parametrize("now", [NOW - LIFE, NOW, NOW + LIFE])
def test_a_probe_is_verified_for_a_minute(now: int) -> None:
    """It says its purpose and the one address that it is for; older keys verify, too."""
    assert verified(PROBE, keys=(OLDER, KEY), now=now) == Probe(Purpose.ECHO, ORIGIN)


@pytest.mark.parametrize(
    ("header", "now"),
    [
        (PROBE, NOW + LIFE + 1),
        (PROBE, NOW - LIFE - 1),
        (PROBE.replace("echo", "identity"), NOW),
        (PROBE.replace("wiki", "mail"), NOW),
        (PROBE.replace(str(NOW), str(NOW + 1)), NOW),
        (PROBE + "x", NOW),
        (f"{PROBE},{PROBE}", NOW),
        (signed(ORIGIN, Purpose.ECHO, keys=(OLDER,), now=NOW), NOW),
        ("", NOW),
    ],
)
def test_nothing_else_is_a_probe(header: str, now: int) -> None:
    """An old one, a changed one, one that another key signed, and text are no probes."""
    assert verified(header, keys=(KEY,), now=now) is None


@given(st.text())
def test_no_text_is_a_probe(text: str) -> None:
    """Whatever a client sends is refused without a fault."""
    assert verified(text, keys=(KEY,), now=NOW) is None


@pytest.mark.parametrize("seen", [Seen("verify", "2001:db8::7", 1, "0123456789abcdef"), Seen("forward", "", 0, "")])
def test_what_the_door_saw_travels_as_groups(seen: Seen) -> None:
    """It is read as it was written, and no other list of groups is."""
    assert seen_in(seen.as_groups()) == seen
    assert seen_in(f"{seen.as_groups()},staff") is None
