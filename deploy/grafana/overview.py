"""How the service is doing: requests, whether people get in, how long they wait, and what needs an operator."""

from typing import Final

from panels import (
    BAD,
    GOOD,
    NEUTRAL,
    QUANTILES,
    REFUSED,
    STATUSES,
    Steps,
    now,
    per_minute,
    quantiles,
    rate,
    stat_panel,
    time_series,
)
from sign_in_security import gate_wait, known_devices, limits, outcomes, refused_by_limits, throttled_networks

TITLE: Final = "Vestibule / Overview"
DESCRIPTION: Final = "Whether people get in, who is refused, how long answers take, and what needs an operator."
LOOKS_AT: Final = "vestibule_build_info|vestibule_edge_connections"

_REQUESTS: Final = rate("flask_http_request_total")
_OWN: Final = 'app="vestibule"'  # the door's dashboard has those of apps
_FAILED: Final = rate("vestibule_edge_requests_total", f'{_OWN}, status=~"5.."')
_SHED: Final = rate("vestibule_edge_limited_total", 'limit="hashing_gate"')
_GRANTED: Final = per_minute("vestibule_sign_in_attempts_total", 'outcome="granted"')
_ERRORS: Final = {
    "errors": f"clamp_min(sum({_FAILED}) - sum({_SHED}), 0)",
    "shed sign-ins": f"sum({_SHED})",
}
_YES_NO: Final[Steps] = {0: BAD, 1: GOOD}
_NO_YES: Final[Steps] = {0: GOOD, 1: BAD}
_NO_PERHAPS: Final[Steps] = {0: GOOD, 1: REFUSED}

PANELS: Final = [
    time_series(
        "Requests by method and status",
        "Requests that the service answered each second. 2xx and 3xx are pages and redirects, 401 a wrong password, "
        "429 a limit, 5xx an error or a shed sign-in. What nginx answers by itself is in the edge dashboard.",
        (0, 0, 15, 10), {"{{method}} {{status}}": f"sum by (method, status) ({_REQUESTS})"}, unit="reqps",
        colours=STATUSES, stacked=True, table=True,
    ),
    known_devices((15, 0, 5, 5)),
    stat_panel(
        "Sign-ins granted",
        "People who got in each minute, at known devices and new ones.",
        (20, 0, 4, 5), f"sum({_GRANTED})", unit="suffix:/min", decimals=0, steps={0: NEUTRAL},
    ),
    throttled_networks((15, 5, 5, 5)),
    refused_by_limits((20, 5, 4, 5)),
    outcomes((0, 10, 12, 9)),
    limits((12, 10, 12, 9)),
    time_series(
        "Answers of the service",
        "Time from a request's arrival in the service to its answer. An answer should come within a second, the "
        "dashed line.",
        (0, 19, 8, 8), quantiles("flask_http_request_duration_seconds"), unit="s", colours=QUANTILES, limit=1,
    ),
    time_series(
        "Answers at nginx",
        "Time from the first byte of a request for our own pages to the last of its answer, as clients see it.",
        (8, 19, 8, 8), quantiles("vestibule_edge_request_duration_seconds", labels=_OWN),
        unit="s", colours=QUANTILES, limit=1,
    ),
    gate_wait((16, 19, 8, 8)),
    time_series(
        "Errors",
        "Answers of our own pages with a 5xx each second, counted at nginx, so also while the service is dead: "
        "errors, and sign-ins that the full hashing gate shed.",
        (0, 27, 8, 8), _ERRORS, unit="reqps", colours={"errors": BAD, "shed": REFUSED},
    ),
    time_series(
        "Sessions",
        "Sessions that are live. A sudden fall: a restored database, or `session end --all`.",
        (8, 27, 8, 8), {"sessions": f"max({now('vestibule_sessions')})"}, unit="short", colours={".": NEUTRAL},
    ),
    time_series(
        "Accounts",
        "Accounts by state. invited: no password was chosen yet.",
        (16, 27, 8, 8), {"{{state}}": f"max by (state) ({now('vestibule_accounts')})"}, unit="short",
        colours={"active": GOOD, "invited": NEUTRAL, "disabled": REFUSED},
    ),
    stat_panel(
        "Database",
        "Whether the database answers every replica. Without it pages that need it say 503.",
        (0, 35, 4, 4), f"min({now('vestibule_database_up')})", unit="bool", steps=_YES_NO,
        words={"0": "away", "1": "answers"}, trend=False,
    ),
    stat_panel(
        "Tables",
        "Whether the tables are those of the release. If not: `vestibule db upgrade`.",
        (4, 35, 4, 4), f"max({now('vestibule_migrations_pending')})", unit="bool", steps=_NO_YES,
        words={"0": "current", "1": "old"}, trend=False,
    ),
    stat_panel(
        "Counters of limits",
        "Whether a worker counts limits in SQL because Redis does not answer it. Limits still hold, at most twice.",
        (8, 35, 4, 4), f"max({now('vestibule_counter_store_degraded')})", unit="bool", steps=_NO_PERHAPS,
        words={"0": "in place", "1": "in SQL"}, trend=False,
    ),
    stat_panel(
        "Proxy in front",
        "Whether nearly all sign-ins come from one private address: then a proxy is missing in "
        "VESTIBULE_TRUSTED_PROXIES, and all people share one limit.",
        (12, 35, 4, 4), f"max({now('vestibule_untrusted_proxy_suspected')})", unit="bool", steps=_NO_YES,
        words={"0": "as set", "1": "not trusted"}, trend=False,
    ),
    stat_panel(
        "Log lines lost",
        "Lines of the service's log that were lost in the time shown: the disk was full, or the reader of the log "
        "stalled.",
        (16, 35, 4, 4), f"sum(increase({now('vestibule_log_lines_lost_total')}[$__range]))", unit="short", decimals=0,
        steps=_NO_YES, trend=False,
    ),
    stat_panel(
        "Release",
        "The releases that answer. Two of them: an upgrade is under way.",
        (20, 35, 4, 4), f"count by (release) ({now('vestibule_build_info')})", unit="short", decimals=0,
        steps={0: NEUTRAL}, trend=False, legend="{{release}}",
    ),
    stat_panel(
        "Last backup",
        "How long ago the last good backup was made. Without a number there was never one: `vestibule db backup`.",
        (0, 39, 4, 4), f"time() - (max({now('vestibule_backup_last_success_timestamp_seconds')}) > 0)", unit="s",
        steps={0: GOOD, 36 * 3600: BAD}, empty="never", trend=False,
    ),
]  # fmt: skip
