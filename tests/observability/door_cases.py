"""The cases of the door alone: what fires, and what stays silent."""

from typing import Final

from tests.observability.case import CRITICAL, WARNING, Case
from tests.observability.series import CHECKED, CHECKED_IN_TIME, DOOR_UP, EDGE, FAILED, OUTDATED, PASSED, READABLE

FIRING: Final = (
    Case(
        "the door alone gives no answer, from minute 10, and no request comes",
        {DOOR_UP: "1x9 0x30", **dict.fromkeys((PASSED, CHECKED, CHECKED_IN_TIME), "0x40")},
        {("VestibuleDoorDown", CRITICAL): 13},
    ),
    Case(
        "after six good hours, the door fails a tenth of the requests to an app from minute 360",
        {PASSED: "0+10x359 3599+9x60", FAILED: "0x359 1+1x60"},
        {("VestibuleDoorFailing", WARNING): 380, ("VestibuleDoorFailing", CRITICAL): 405},
        minutes=420,
    ),
    Case(
        "after six good hours, every fortieth request to an app fails at the door from minute 360",
        {PASSED: "0+40x359 14399+39x120", FAILED: "0x359 1+1x120"},
        {("VestibuleDoorFailing", WARNING): 451},
        minutes=480,
    ),
    Case(
        "after six good hours, half of the requests to an app wait for the door from minute 360",
        {CHECKED_IN_TIME: "0+6x359 2157+3x60"},
        {("VestibuleDoorSlow", WARNING): 369},
        minutes=420,
    ),
    Case(
        "nginx has older files than the workers from minute 10",
        {OUTDATED: "0x9 1x30"},
        {("VestibuleDoorEdgeOutdated", WARNING): 20},
    ),
    Case(
        "workers cannot read the apps in force from minute 10",
        {READABLE: "1x9 0x30"},
        {("VestibuleDoorReloadFailed", WARNING): 15},
    ),
)

SILENT: Final = (
    Case(
        "apps are changed twice: nginx reads its files five minutes after each, and one file is written anew",
        {OUTDATED: "0x9 1x4 0x9 1x4 0x10", READABLE: "1x9 0x2 1x30"},
        spares=frozenset({"VestibuleDoorEdgeOutdated", "VestibuleDoorReloadFailed"}),
    ),
    Case(
        "an app answers each of its requests with 502, and the door lets them pass",
        {
            f'vestibule_edge_requests_total{{{EDGE},app="wiki",method="GET",status="502"}}': "0+30x240",
            PASSED: "0+30x240",
            **dict.fromkeys((CHECKED, CHECKED_IN_TIME), "0+30x240"),
        },
        spares=frozenset({"VestibuleSignInErrors", "VestibuleDoorFailing"}),
        minutes=240,
    ),
)
