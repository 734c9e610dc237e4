"""Whether the door lets people through, how fast, and whom it refuses: as nginx saw it, then the service's reasons."""

from typing import Final

from panels import (
    BAD,
    GOOD,
    LIMITED,
    NEUTRAL,
    PER_MINUTE,
    QUANTILES,
    REFUSED,
    now,
    per_minute,
    quantiles,
    rate,
    share,
    stat_panel,
    time_series,
)

TITLE: Final = "Vestibule / Door"
DESCRIPTION: Final = (
    "Requests to apps as nginx saw them: what the door said, how long they waited for it, what it failed. Below, why "
    "the service refused."
)
LOOKS_AT: Final = "vestibule_edge_door_up|vestibule_build_info"

_AT_NGINX: Final = "vestibule_edge_door_checks_total"
_AT_SERVICE: Final = "vestibule_door_checks_total"
_WAITED: Final = "vestibule_edge_door_duration_seconds"
_PASSED: Final = 'outcome=~"allowed|cached"'
_ALL: Final = rate(_AT_NGINX)
_FAILED: Final = rate(_AT_NGINX, 'outcome="failed"')
_ASKED: Final = rate(_AT_SERVICE, 'enforced="true"')
_REFUSED: Final = per_minute(_AT_SERVICE, 'app!="", enforced="true", outcome!~"allowed|preflight"')
_WOULD: Final = per_minute(_AT_SERVICE, 'app!="", enforced="false"')
_APPS_5XX: Final = rate("vestibule_edge_requests_total", 'app!="vestibule", status=~"5.."')
_OUTCOMES: Final = {"^cached$": GOOD, "^allowed$": NEUTRAL, "^refused$": REFUSED, "^failed$": BAD}
_REASONS: Final = {
    "^sign-in$": NEUTRAL,
    "^not-fresh$": LIMITED,
    "^(not-admitted|no-rule)$": REFUSED,
    "^app-password": "yellow",
    "^blocked$": BAD,
}

PANELS: Final = [
    stat_panel(
        "Door",
        "Whether the door answers nginx, at the replica where it is worst. It is asked at each scrape, also when "
        "no other request comes.",
        (0, 0, 4, 5), f"min({now('vestibule_edge_door_up')})", unit="bool", steps={0: BAD, 1: GOOD},
        words={"0": "away", "1": "answers"},
    ),
    stat_panel(
        "Requests to apps",
        "Requests to apps each second, whatever the door said.",
        (4, 0, 4, 5), f"sum({_ALL})", unit="reqps", steps={0: NEUTRAL},
    ),
    stat_panel(
        "Failed by the door",
        "The share of requests to apps that got a 5xx because the door gave no answer, in the time shown. The "
        "objective is 0.5 % at most in 30 days. Errors of the apps themselves are not in it.",
        (8, 0, 4, 5), share(_AT_NGINX, 'outcome="failed"'),
        unit="percentunit", decimals=2, empty="no requests", trend=False,
        steps={0: GOOD, 0.001: REFUSED, 0.005: BAD},
    ),
    stat_panel(
        "99 % waited",
        "Time within which 99 % of the requests to apps had the door's answer. The objective is a quarter of a "
        "second.",
        (12, 0, 4, 5), quantiles(_WAITED, (99,))["99 % within"], unit="s", empty="no requests",
        steps={0: GOOD, 0.1: REFUSED, 0.25: BAD},
    ),
    stat_panel(
        "From the cache",
        "Of the requests that passed in the time shown, the share that nginx answered from its cache. Near 0 % "
        "nginx remembers nothing: see the files and the cache life below.",
        (16, 0, 4, 5), share(_AT_NGINX, 'outcome="cached"', _PASSED),
        unit="percentunit", decimals=0, empty="no requests",
        trend=False, steps={0: NEUTRAL},
    ),
    stat_panel(
        "Revocation bound",
        "How long a session that was ended can still pass, for new requests. What is open goes on: a web socket, a "
        "stream, a download.",
        (20, 0, 4, 5), f"max({now('vestibule_revocation_bound_seconds')})", unit="s", steps={0: NEUTRAL}, trend=False,
    ),
    time_series(
        "Requests to apps, by what the door said",
        "Requests to apps each second. cached: nginx remembered that the session may pass. allowed, refused: the "
        "service was asked. failed: the client got a 5xx because the door gave no answer.",
        (0, 5, 14, 10), {"{{outcome}}": f"sum by (outcome) ({_ALL})"},
        unit="reqps", colours=_OUTCOMES, stacked=True, table=True,
    ),
    time_series(
        "Requests, by app",
        "Requests each second for each app, whatever the door said.",
        (14, 5, 10, 10), {"{{app}}": f"sum by (app) ({_ALL})"}, unit="reqps", colours={}, stacked=True,
    ),
    time_series(
        "Wait for the door",
        "Time that requests to apps waited for the door's answer; those that nginx answered from its cache waited "
        "for none. The dashed line is the objective: 99 % within a quarter of a second.",
        (0, 15, 8, 9), quantiles(_WAITED), unit="s", colours=QUANTILES, limit=0.25,
    ),
    time_series(
        "Failed by the door, by app",
        "Requests each second that got a 5xx because the door gave no answer: the service is away or hangs, or the "
        "database is.",
        (8, 15, 8, 9), {"{{app}}": f"sum by (app) ({_FAILED})"}, unit="reqps", colours={".": BAD}, stacked=True,
    ),
    time_series(
        "Errors of the apps themselves",
        "Requests each second that the door let pass and that ended in a 5xx: the app's own, or nginx's 502 for an "
        "app that is away.",
        (16, 15, 8, 9), {"{{app}}": f"clamp_min(sum by (app) ({_APPS_5XX}) - sum by (app) ({_FAILED}), 0)"},
        unit="reqps",
        colours={".": REFUSED}, stacked=True,
    ),
    time_series(
        "Refused, by reason",
        "Refusals each minute, as the service counts them. sign-in: no session. not-fresh: the password has to be "
        "typed again. not-admitted, no-rule: a rule refuses the account, or none fits. blocked: an operator blocked "
        "the network.",
        (0, 24, 8, 8), {"{{outcome}}": f"sum by (outcome) ({_REFUSED})"},
        unit=PER_MINUTE, colours=_REASONS, stacked=True,
    ),
    time_series(
        "Refused, by app",
        "Refusals each minute, as the service counts them, for each app. `vestibule rules hits` says which rule it "
        "was.",
        (8, 24, 8, 8), {"{{app}}": f"sum by (app) ({_REFUSED})"}, unit=PER_MINUTE, colours={}, stacked=True,
    ),
    time_series(
        "If report_only rules were in force",
        "Checks each minute that would come out otherwise if rules with `report_only` decided, by what they would "
        "come to.",
        (16, 24, 8, 8), {"{{app}} {{outcome}}": f"sum by (app, outcome) ({_WOULD})"},
        unit=PER_MINUTE, colours={}, stacked=True,
    ),
    stat_panel(
        "Files of nginx",
        "Whether nginx works by files of the apps in force. If they are older, verdicts are right and nginx "
        "remembers none: have it read its files (`vestibule proxy render --reload`).",
        (0, 32, 6, 4), f"max({now('vestibule_door_edge_outdated')})", unit="bool", steps={0: GOOD, 1: BAD},
        words={"0": "current", "1": "older"}, trend=False,
    ),
    stat_panel(
        "Apps in force",
        "Whether every replica can read the apps in force. If not, the last ones hold: `vestibule proxy render` "
        "writes them anew.",
        (6, 32, 6, 4), f"min({now('vestibule_config_last_reload_successful')})", unit="bool", steps={0: BAD, 1: GOOD},
        words={"0": "unreadable", "1": "read"}, trend=False,
    ),
    stat_panel(
        "Cache life",
        "How long nginx remembers that a session may pass (`door.cache_seconds`). 0: it asks the service about each "
        "request.",
        (12, 32, 6, 4), f"max({now('vestibule_door_cache_seconds')})", unit="s", steps={0: NEUTRAL}, trend=False,
    ),
    stat_panel(
        "Asked at the service",
        "Checks each second that reached the service, because nginx remembered no answer; those of the probe are "
        "among them.",
        (18, 32, 6, 4), f"sum({_ASKED})", unit="reqps", steps={0: NEUTRAL},
    ),
]  # fmt: skip
