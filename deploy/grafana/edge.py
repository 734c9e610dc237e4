"""What nginx saw: alive when the service is dead, and with what it answers and limits by itself."""

from typing import Final

from panels import (
    BAD,
    GOOD,
    LIMITED,
    NEUTRAL,
    QUANTILES,
    REFUSED,
    STATUSES,
    now,
    quantiles,
    rate,
    stat_panel,
    time_series,
)

TITLE: Final = "Vestibule / Edge"
DESCRIPTION: Final = (
    "Requests as nginx saw them and what it refused by itself. It counts while the service is dead, too."
)
LOOKS_AT: Final = "vestibule_edge_connections"

_DURATION: Final = "vestibule_edge_request_duration_seconds"
_DURATIONS: Final = rate(f"{_DURATION}_bucket")
_ALL: Final = rate("vestibule_edge_requests_total")
_FAILED: Final = rate("vestibule_edge_requests_total", 'status=~"5.."')
_LIMITED: Final = rate("vestibule_edge_limited_total")
_SHED: Final = rate("vestibule_edge_limited_total", 'limit="hashing_gate"')
_OWN: Final = rate("vestibule_edge_requests_total", 'app="vestibule"')
_OWN_FAILED: Final = rate("vestibule_edge_requests_total", 'app="vestibule", status=~"5.."')
_SHARE_FAILED: Final = f"clamp_min(sum({_OWN_FAILED}) - sum({_SHED}), 0) / (sum({_OWN}) > 0)"
_OPEN: Final = now("vestibule_edge_connections", 'state="active"')
_BY_STATE: Final = now("vestibule_edge_connections", 'state!="active"')
_ACCEPTED: Final = rate("vestibule_edge_connections_accepted_total")

PANELS: Final = [
    stat_panel(
        "Requests",
        "Requests each second that nginx answered, by itself or from the service.",
        (0, 0, 4, 5), f"sum({_ALL})", unit="reqps", steps={0: NEUTRAL},
    ),
    stat_panel(
        "Failed",
        "The share of requests for our own pages that got a 5xx other than a shed sign-in; all of them while the "
        "service is away. Of apps: the door's dashboard.",
        (4, 0, 4, 5), _SHARE_FAILED, unit="percentunit", decimals=1, empty="no requests",
        steps={0: GOOD, 0.01: REFUSED, 0.05: BAD},
    ),
    stat_panel(
        "99 % within",
        "Time until 99 % of the requests were answered, as clients see it.",
        (8, 0, 4, 5), quantiles(_DURATION, (99,))["99 % within"], unit="s",
        empty="no requests", steps={0: GOOD, 0.5: REFUSED, 1: BAD},
    ),
    stat_panel(
        "Limited",
        "Requests each second that a limit of nginx refused with 429, or the full hashing gate with 503.",
        (12, 0, 4, 5), f"sum({_LIMITED})", unit="reqps", steps={0: GOOD, 0.1: LIMITED},
    ),
    stat_panel(
        "Connections",
        "Connections that are open. nginx takes 8,192 for each processor; beyond them it closes idle ones.",
        (16, 0, 4, 5), f"sum({_OPEN})", unit="short", decimals=0, steps={0: GOOD, 4000: REFUSED, 8000: BAD},
    ),
    stat_panel(
        "Connections accepted",
        "New connections each second. Far more than requests: a client that opens connections and sends nothing.",
        (20, 0, 4, 5), f"sum({_ACCEPTED})", unit="cps", steps={0: NEUTRAL},
    ),
    time_series(
        "Requests by method and status",
        "Requests each second that nginx answered, of all apps. 4xx that the service's figures lack were answered "
        "by nginx itself.",
        (0, 5, 14, 10), {"{{method}} {{status}}": f"sum by (method, status) ({_ALL})"}, unit="reqps",
        colours=STATUSES, stacked=True, table=True,
    ),
    time_series(
        "Requests by app",
        "Requests each second for each app behind nginx, and for the sign-in pages.",
        (14, 5, 10, 10), {"{{app}}": f"sum by (app) ({_ALL})"}, unit="reqps", colours={}, stacked=True,
    ),
    time_series(
        "Time until the answer",
        "Time from the first byte of a request to the last of its answer, of all apps: a slow client's time is in "
        "it. An answer should come within a second, the dashed line.",
        (0, 15, 12, 9), quantiles(_DURATION), unit="s", colours=QUANTILES, limit=1,
    ),
    time_series(
        "Time until the answer, by app",
        "Time until 95 % of an app's requests were answered.",
        (12, 15, 12, 9), {"{{app}}": f"histogram_quantile(0.95, sum by (app, le) ({_DURATIONS}))"}, unit="s",
        colours={}, limit=1,
    ),
    time_series(
        "Limited by nginx",
        "Requests each second that were refused. 429: too many POSTs of one address (requests), or too many of its "
        "requests at once (connections). 503: the hashing gate was full (hashing_gate).",
        (0, 24, 8, 8), {"{{limit}}": f"sum by (limit) ({_LIMITED})"}, unit="reqps",
        colours={"^requests$": LIMITED, "^connections$": REFUSED, "^hashing_gate$": BAD}, stacked=True,
    ),
    time_series(
        "Failed, by app and status",
        "Requests each second that got a 5xx. 502: the service or the app is away. 503: a shed sign-in or no "
        "database.",
        (8, 24, 8, 8), {"{{app}} {{status}}": f"sum by (app, status) ({_FAILED})"}, unit="reqps",
        colours={".": BAD}, stacked=True,
    ),
    time_series(
        "Connections by state",
        "Open connections: reading a request, writing an answer, or waiting for the next request.",
        (16, 24, 8, 8), {"{{state}}": f"sum by (state) ({_BY_STATE})"}, unit="short",
        colours={"^reading$": REFUSED, "^writing$": GOOD, "^waiting$": NEUTRAL}, stacked=True,
    ),
]  # fmt: skip
