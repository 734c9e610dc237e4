"""The cases of the sign-in page, the stores and attacks; in some of them the door is concerned, too."""

from typing import Final

from tests.observability.case import CRITICAL, WARNING, Case
from tests.observability.series import (
    ANSWERED,
    BROKEN,
    CERTIFICATE,
    CHECKED,
    CHECKED_IN_TIME,
    DATABASE,
    DEGRADED,
    DOOR_UP,
    EDGE_SHED,
    FAILED,
    IN_TIME,
    PAGE,
    PASSED,
    PENDING,
    PENDING_OTHER,
    PROXY,
    REFUSED,
    SHED,
    TIMED,
    UNAVAILABLE,
    UP,
    UP_EDGE,
    UP_OTHER,
    UP_PROBE,
    attempts,
    throttled,
)

FIRING: Final = (
    Case("a healthy night", fires={}),
    Case(
        "after six good hours, the service is dead from minute 360",
        {
            **dict.fromkeys((UP, PAGE, DOOR_UP), "1x359 0x30"),
            **dict.fromkeys((ANSWERED, PASSED), "0+6x359 2154x30"),
            **dict.fromkeys((BROKEN, FAILED), "0x359 6+6x30"),
        },
        {
            ("VestibuleDoorDown", CRITICAL): 363,
            ("VestibuleDoorFailing", CRITICAL): 366,
            ("VestibuleDoorFailing", WARNING): 363,
            ("VestibuleTargetDown", CRITICAL): 362,
            ("VestibuleTargetDown", WARNING): 365,
            ("VestibuleSignInPageDown", CRITICAL): 363,
            ("VestibuleSignInErrors", CRITICAL): 366,
            ("VestibuleSignInErrors", WARNING): 363,
        },
        minutes=390,
    ),
    Case(
        "the service vanished from service discovery in minute 10, and people are served",
        {UP: "1x9 stale"},
        {("VestibuleTargetDown", WARNING): 15},
    ),
    Case(
        "the edge and the probe vanished in minute 10",
        {UP_EDGE: "1x9 stale", UP_PROBE: "1x9 stale", PAGE: "1x9 stale"},
        {("VestibuleTargetDown", CRITICAL): 12, ("VestibuleTargetDown", WARNING): 15},
    ),
    Case(
        "one replica of two is dead from minute 10",
        {UP_OTHER: "1x9 0x30"},
        {("VestibuleTargetDown", WARNING): 15},
    ),
    Case(
        "only the sign-in page is away, from minute 10",
        {PAGE: "1x9 0x30"},
        {("VestibuleSignInPageDown", CRITICAL): 13},
    ),
    Case(
        "after six good hours, a tenth of the requests fails from minute 360",
        {ANSWERED: "0+10x359 3599+9x60", BROKEN: "0x359 1+1x60"},
        {("VestibuleSignInErrors", WARNING): 380, ("VestibuleSignInErrors", CRITICAL): 405},
        minutes=420,
    ),
    Case(
        "after six good hours, every fortieth request fails from minute 360",
        {ANSWERED: "0+40x359 14399+39x120", BROKEN: "0x359 1+1x120"},
        {("VestibuleSignInErrors", WARNING): 451},
        minutes=480,
    ),
    Case(
        "after six good hours, half of the answers take more than a second from minute 360",
        {IN_TIME: "0+6x359 2157+3x60"},
        {("VestibuleSignInSlow", WARNING): 369},
        minutes=420,
    ),
    Case(
        "from minute 10, two passwords a minute from known devices, all refused",
        {attempts("wrong_password", "known"): "0x9 2+2x30"},
        {("VestibuleSignInsFailing", CRITICAL): 17},
    ),
    Case(
        "the database is away from minute 10",
        {DATABASE: "1x9 0x30"},
        {("VestibuleDatabaseDown", CRITICAL): 11},
    ),
    Case(
        "the only replica has old tables from minute 10",
        {PENDING: "0x9 1x30"},
        {("VestibuleMigrationMissing", CRITICAL): 12, ("VestibuleMigrationMissing", WARNING): 20},
    ),
    Case(
        "one replica of two has old tables from minute 10",
        {PENDING_OTHER: "0x9 1x30"},
        {("VestibuleMigrationMissing", WARNING): 20},
    ),
    Case(
        "Redis is away from minute 10",
        {DEGRADED: "0x9 1x30"},
        {("VestibuleCountersFallenBack", WARNING): 15},
    ),
    Case(
        "a proxy is not trusted from minute 10",
        {PROXY: "0x9 1x30"},
        {("VestibuleUntrustedProxy", WARNING): 20},
    ),
    Case(
        "from minute 10, ten guesses a minute",
        {attempts("wrong_password", "new"): "0x9 10+10x30"},
        {("VestibuleBruteForce", WARNING): 14},
    ),
    Case(
        "from minute 10, an office is refused 40 times a minute",
        {throttled("network"): "0x9 40+40x30"},
        {("VestibuleThrottleSurge", WARNING): 14},
    ),
    Case(
        "from minute 10, five sign-ins a minute are shed",
        {SHED: "0x9 5+5x30", UNAVAILABLE: "0x9 5+5x30", EDGE_SHED: "0x9 5+5x30"},
        {("VestibuleShedding", WARNING): 13},
    ),
    Case(
        "the certificate expires in 14 days and 10 minutes",
        {CERTIFICATE: "1210200x40"},
        {("VestibuleCertificateExpires", WARNING): 16},
    ),
    Case(
        "the certificate expires in a day and 10 minutes",
        {CERTIFICATE: "87000x40"},
        {("VestibuleCertificateExpires", WARNING): 5, ("VestibuleCertificateExpires", CRITICAL): 16},
    ),
)

SILENT: Final = (
    Case(
        "after six good hours, two replicas restart, a minute each, and half of the requests of that minute fail",
        {
            UP: "1x359 0 1x59",
            UP_OTHER: "1x360 0 1x58",
            PAGE: "1x359 0 1x59",
            DATABASE: "1x359 0 1x59",
            PENDING: "0x359 1 0x59",
            BROKEN: "0x359 3x60",
            DOOR_UP: "1x359 0 1x59",
            FAILED: "0x359 6x60",
            CHECKED_IN_TIME: "0+6x359 2154+6x60",
        },
        spares=frozenset(
            {
                "VestibuleTargetDown",
                "VestibuleSignInPageDown",
                "VestibuleDatabaseDown",
                "VestibuleMigrationMissing",
                "VestibuleSignInErrors",
                "VestibuleDoorDown",
                "VestibuleDoorFailing",
                "VestibuleDoorSlow",
            }
        ),
        minutes=420,
    ),
    Case(
        "one failure in an hour: a 502, a slow answer, a wrong password from a known device, and the same at the door",
        {
            **dict.fromkeys((BROKEN, FAILED), "0x119 1x120 2x120"),
            **dict.fromkeys((IN_TIME, CHECKED_IN_TIME), "0+6x119 719+6x240"),
            attempts("wrong_password", "known"): "0x119 1x240",
        },
        spares=frozenset(
            {
                "VestibuleSignInErrors",
                "VestibuleSignInSlow",
                "VestibuleSignInsFailing",
                "VestibuleDoorFailing",
                "VestibuleDoorSlow",
            }
        ),
        minutes=360,
    ),
    Case(
        "15 requests in half an hour, all of them errors, and nothing else; 15 to an app, all failed and slow",
        {
            **dict.fromkeys((ANSWERED, TIMED, IN_TIME, PASSED, CHECKED_IN_TIME), "0x240"),
            **dict.fromkeys((BROKEN, FAILED, CHECKED), "0x119 0+0.5x30 15x90"),
        },
        spares=frozenset({"VestibuleSignInErrors", "VestibuleDoorFailing", "VestibuleDoorSlow"}),
        minutes=240,
    ),
    Case(
        "a night of credential stuffing with nobody awake: a warning for the morning, and no one is woken",
        {
            attempts("unknown", "new"): "0+30x480",
            attempts("wrong_password", "new"): "0+10x480",
            REFUSED: "0+40x480",
        },
        {("VestibuleBruteForce", WARNING): 2},
        spares=frozenset({"VestibuleSignInsFailing", "VestibuleSignInErrors"}),
        minutes=480,
    ),
    Case(
        "a shed sign-in",
        {SHED: "0x9 1x31", UNAVAILABLE: "0x9 1x31", EDGE_SHED: "0x9 1x31"},
        spares=frozenset({"VestibuleShedding", "VestibuleSignInErrors"}),
    ),
    Case(
        "Monday morning: many mistype their password, more get in, and an office meets its limit",
        {
            attempts("wrong_password", "known"): "0+8x40",
            attempts("wrong_password", "new"): "0+5x40",
            attempts("granted", "known"): "0+30x40",
            throttled("network"): "0+10x40",
        },
        spares=frozenset({"VestibuleBruteForce", "VestibuleThrottleSurge", "VestibuleSignInsFailing"}),
    ),
    Case(
        "Redis is restarted, and twenty sign-ins come from one visitor of an internal test",
        {DEGRADED: "0x9 1x3 0x27", PROXY: "0x9 1x8 0x22"},
        spares=frozenset({"VestibuleCountersFallenBack", "VestibuleUntrustedProxy"}),
    ),
    Case(
        "the certificate has 15 days left",
        {CERTIFICATE: "1298000x40"},
        spares=frozenset({"VestibuleCertificateExpires"}),
    ),
)
