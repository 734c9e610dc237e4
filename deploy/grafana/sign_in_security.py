"""Who attacks and whether people get in. Several of its panels stand in the overview, too."""

from typing import Final

from grafana_foundation_sdk.builders.stat import Panel as StatPanel
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from panels import (
    BAD,
    GOOD,
    LIMITED,
    NEUTRAL,
    PER_MINUTE,
    QUANTILES,
    REFUSED,
    Place,
    now,
    per_minute,
    quantiles,
    rate,
    share,
    stat_panel,
    time_series,
)

TITLE: Final = "Vestibule / Sign-in security"
DESCRIPTION: Final = "Who attacks the sign-in page, what stops the attack, and whether people get in meanwhile."
LOOKS_AT: Final = "vestibule_build_info"

_ATTEMPTS: Final = "vestibule_sign_in_attempts_total"
_THROTTLED: Final = "vestibule_throttled_total"
_GRANTED: Final = 'outcome="granted"'
_REFUSED: Final = 'outcome!="granted"'
_WRONG: Final = 'outcome=~"wrong_password|unknown"'
_BUSY: Final = 'outcome="busy"'
_KNOWN: Final = 'device="known"'
_NEW: Final = 'device="new"'
_GOT_IN: Final = {
    f"{device} devices": f"sum({per_minute(_ATTEMPTS, f'{labels}, {_GRANTED}')})"
    for device, labels in (("known", _KNOWN), ("new", _NEW))
}
_REFUSED_KNOWN: Final = {"known, refused": f"sum({per_minute(_ATTEMPTS, f'{_KNOWN}, {_REFUSED}')})"}
_SHARES: Final = {
    f"{device} devices": share(_ATTEMPTS, _GRANTED, labels, over="$__rate_interval")
    for device, labels in (("known", _KNOWN), ("new", _NEW))
}
_GATE: Final = {
    "at the gate": f"sum({now('vestibule_hash_queue_length')})",
    "shed each second": f"sum({rate('vestibule_hash_shed_total')})",
}
_OUTCOMES: Final = {
    "^granted$": GOOD,
    "^wrong_password$": REFUSED,
    "^unknown$": "yellow",
    "^throttled$": LIMITED,
    "^busy$": BAD,
    "^(disabled|changed|unusable_hash)$": NEUTRAL,
}
_SCOPES: Final = {
    "^account_from_network$": REFUSED,
    "^network$": "yellow",
    "^account$": LIMITED,
    "^known_device$": BAD,
    "^posts$": NEUTRAL,
    "^block$": GOOD,
}


def known_devices(place: Place) -> StatPanel:
    """Return whether those get in who certainly are people."""
    return stat_panel(
        "Known devices: got in",
        "Of the sign-ins from known devices (browsers that signed in to the account before) in the time shown, the "
        "share that was granted. These are people: below 80 % they mistype more than usual, below 50 % look at the "
        "outcomes. An attack does not lower it.",
        place, share(_ATTEMPTS, _GRANTED, _KNOWN), unit="percentunit", decimals=0, empty="no sign-ins", trend=False,
        steps={0: BAD, 0.5: REFUSED, 0.8: GOOD},
    )  # fmt: skip


def throttled_networks(place: Place) -> StatPanel:
    """Return how many networks are at their limit."""
    return stat_panel(
        "Throttled networks",
        "Networks that are refused at this moment because of too many wrong passwords. Which ones: `vestibule attempts "
        "list`; stop one: `vestibule block add NETWORK --for 2h`. Replicas say the same, so the greatest is shown.",
        place, f"max({now('vestibule_throttled_networks')})", unit="short", decimals=0,
        steps={0: GOOD, 1: REFUSED, 20: BAD},
    )  # fmt: skip


def refused_by_limits(place: Place) -> StatPanel:
    """Return how much the limits keep away."""
    return stat_panel(
        "Refused by limits",
        "Requests each minute that any limit or block refused, before a password was checked.",
        place, f"sum({per_minute(_THROTTLED)})", unit=PER_MINUTE, decimals=0, steps={0: GOOD, 1: LIMITED},
    )  # fmt: skip


def outcomes(place: Place) -> TimeSeries:
    """Return what became of the sign-ins."""
    return time_series(
        "Sign-ins by outcome",
        "Sign-in attempts each minute by outcome. Password guessing shows as wrong_password and unknown; what the "
        "limits then stop is throttled; busy was shed with 503 because the hashing gate was full.",
        place, {"{{outcome}}": f"sum by (outcome) ({per_minute(_ATTEMPTS)})"}, unit=PER_MINUTE, colours=_OUTCOMES,
        stacked=True, table=True,
    )  # fmt: skip


def limits(place: Place) -> TimeSeries:
    """Return which limits refuse, and so what kind of attack it is."""
    return time_series(
        "Refused by limits, by scope",
        "Requests each minute that a limit refused. account_from_network: one network guesses at one account. network: "
        "one network guesses at many. account: many networks guess at one. known_device: guesses from a known one. "
        "posts: a flood of forms. block: a network that an operator blocked.",
        place, {"{{scope}}": f"sum by (scope) ({per_minute(_THROTTLED)})"}, unit=PER_MINUTE, colours=_SCOPES,
        stacked=True, table=True,
    )  # fmt: skip


def gate_wait(place: Place) -> TimeSeries:
    """Return how long passwords wait before they are checked."""
    return time_series(
        "Wait before hashing",
        "Time of a password in the queue before the hashing gate. Near 0.7 s, the dashed line, the queue is as long as "
        "it gets and further sign-ins are shed.",
        place, quantiles("vestibule_hash_wait_seconds"), unit="s", colours=QUANTILES, limit=0.7,
    )  # fmt: skip


PANELS: Final = [
    known_devices((0, 0, 4, 5)),
    stat_panel(
        "New devices: got in",
        "Of the sign-ins from new devices in the time shown, the share that was granted. Near 0 % nearly all of them "
        "are guesses.",
        (4, 0, 4, 5), share(_ATTEMPTS, _GRANTED, _NEW), unit="percentunit", decimals=0, empty="no sign-ins",
        trend=False, steps={0: NEUTRAL},
    ),
    stat_panel(
        "Wrong passwords",
        "Wrong passwords and unknown usernames each minute: those that were checked, not those that a limit refused.",
        (8, 0, 4, 5), f"sum({per_minute(_ATTEMPTS, _WRONG)})", unit=PER_MINUTE, decimals=0,
        steps={0: GOOD, 30: REFUSED, 120: BAD},
    ),
    throttled_networks((12, 0, 4, 5)),
    refused_by_limits((16, 0, 4, 5)),
    stat_panel(
        "Shed sign-ins",
        "Sign-ins each minute that were refused with 503 because the hashing gate was full. Known devices, and "
        "networks that send few sign-ins, come first.",
        (20, 0, 4, 5), f"sum({per_minute(_ATTEMPTS, _BUSY)})", unit=PER_MINUTE, decimals=0,
        steps={0: GOOD, 1: REFUSED, 600: BAD},
    ),
    outcomes((0, 5, 14, 10)),
    time_series(
        "People who get in, by device",
        "Sign-ins granted each minute from known devices and from new ones, and what known devices were refused. In an "
        "attack the first should stay as it was; on new devices people may have to wait.",
        (14, 5, 10, 10), _GOT_IN | _REFUSED_KNOWN, unit=PER_MINUTE,
        colours={"refused$": BAD, "^known devices$": GOOD, "^new devices$": NEUTRAL},
    ),
    limits((0, 15, 12, 9)),
    time_series(
        "Throttled networks over time",
        "Networks that are refused because of too many wrong passwords. Many at once are a distributed attack.",
        (12, 15, 6, 9), {"networks": f"max({now('vestibule_throttled_networks')})"}, unit="short",
        colours={".": LIMITED},
    ),
    time_series(
        "Share that got in, by device",
        "Of the sign-ins at each moment, the share that was granted. There are gaps where there was no sign-in.",
        (18, 15, 6, 9), _SHARES, unit="percentunit", most=1, colours={"^known": GOOD, "^new": NEUTRAL},
    ),
    gate_wait((0, 24, 8, 8)),
    time_series(
        "Jobs at the hashing gate",
        "Passwords that wait or are being hashed at this moment, in all replicas together, and jobs that the full gate "
        "shed each second.",
        (8, 24, 8, 8), _GATE, unit="short", colours={"^at the gate": NEUTRAL, "^shed": BAD},
    ),
    time_series(
        "Time of one hash",
        "Time that one password takes. It grows when other programs keep the processors busy.",
        (16, 24, 8, 8), quantiles("vestibule_hash_duration_seconds"), unit="s", colours=QUANTILES,
    ),
]  # fmt: skip
