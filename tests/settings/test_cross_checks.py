"""What settings allow together."""

import pytest

from tests.settings.asked import faults

_HTTPS = "https://login.example.org"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"SESSIONS__IDLE": "36h"},
            "VESTIBULE_SESSIONS__IDLE (36h) must not be longer than VESTIBULE_SESSIONS__ABSOLUTE (24h)",
        ),
        ({"SESSIONS__REMEMBER_IDLE": "31d"}, "VESTIBULE_SESSIONS__REMEMBER_IDLE (31d) must not be longer"),
        ({"SESSIONS__REMEMBER_IDLE": "11h"}, "VESTIBULE_SESSIONS__IDLE (12h) must not be longer"),
        (
            {"SESSIONS__REMEMBER_IDLE": "13h", "SESSIONS__REMEMBER_ABSOLUTE": "23h"},
            "VESTIBULE_SESSIONS__ABSOLUTE (24h) must not be longer than VESTIBULE_SESSIONS__REMEMBER_ABSOLUTE (23h)",
        ),
        (
            {"PUBLIC_URL": _HTTPS, "SESSIONS__COOKIE_DOMAIN": "example.com"},
            "(example.com) must be the host in VESTIBULE_PUBLIC_URL (login.example.org) or a parent domain",
        ),
        ({"PUBLIC_URL": _HTTPS, "SESSIONS__COOKIE_DOMAIN": "ample.org"}, "or a parent domain"),
        ({"PUBLIC_URL": _HTTPS, "SESSIONS__COOKIE_DOMAIN": "a.login.example.org"}, "or a parent domain"),
        (
            {"SESSIONS__COOKIE_DOMAIN": "example.org"},
            "VESTIBULE_SESSIONS__COOKIE_DOMAIN needs an address with https:// in VESTIBULE_PUBLIC_URL",
        ),
        (
            {"PASSWORDS__MEMORY": "19455k"},
            "(19455k) must be at least 19456k while VESTIBULE_PASSWORDS__ITERATIONS is 2",
        ),
        ({"PASSWORDS__ITERATIONS": "1"}, "at least 47104k"),
        ({"PASSWORDS__ITERATIONS": "1", "PASSWORDS__MEMORY": "46m"}, ""),
        ({"PASSWORDS__ITERATIONS": "3", "PASSWORDS__MEMORY": "12288"}, ""),
        ({"PASSWORDS__ITERATIONS": "9", "PASSWORDS__MEMORY": "12m"}, ""),
        (
            {"SERVER__WORKERS": "2", "HASHING__THREADS": "12", "SERVER__THREADS": "8"},
            "(8) must be at least 9, or VESTIBULE_HASHING__THREADS lower or VESTIBULE_SERVER__WORKERS higher",
        ),
        ({"SERVER__WORKERS": "2", "HASHING__THREADS": "10", "SERVER__THREADS": "8"}, ""),
        ({"SERVER__THREADS": "3"}, "VESTIBULE_SERVER__THREADS (3) must be at least 4"),
        ({"SERVER__THREADS": "4"}, ""),
        (
            {"LIMITS__POST_PER_MINUTE": "1201"},
            "VESTIBULE_LIMITS__EDGE_POST_PER_SECOND (20 a second) must not be less than",
        ),
        ({"LIMITS__POST_PER_MINUTE": "1200"}, ""),
        ({"OPS_LISTEN": "localhost:8080"}, "VESTIBULE_OPS_LISTEN (localhost:8080) and VESTIBULE_SERVER__LISTEN"),
        ({"OPS_LISTEN": "127.0.0.1:8080"}, "overlap: choose another port"),
        ({"OPS_LISTEN": "[::1]:8080"}, "overlap: choose another port"),
        ({"OPS_LISTEN": "0.0.0.0:8080"}, "overlap: choose another port"),
        ({"OPS_LISTEN": "127.0.0.1:9180,[::]:8080"}, "(127.0.0.1:9180, [::]:8080) and VESTIBULE_SERVER__LISTEN"),
        ({"OPS_LISTEN": "127.0.0.2:8080"}, ""),
        ({"SERVER__INSTANCES": "/run/v/a.sock,/run/v/b.sock"}, ""),
        ({"SERVER__INSTANCES": "/run/v/a.sock,/run/v/a.sock"}, '"/run/v/a.sock" stands there twice'),
        ({"SERVER__INSTANCES": "/run/v/a.sock,/run/v/../v//a.sock"}, "names the socket /run/v/a.sock twice"),
        ({"PUBLIC_URL": _HTTPS, "SESSIONS__COOKIE_DOMAIN": "example.org"}, ""),
        ({"PUBLIC_URL": _HTTPS, "SESSIONS__COOKIE_DOMAIN": "login.example.org"}, ""),
    ],
    ids=str,
)
def test_settings_that_contradict_one_another_are_refused(given: dict[str, str], words: str) -> None:
    """Each contradiction is said with both names and both values; what goes together is taken."""
    found = faults({f"VESTIBULE_{name}": value for name, value in given.items()})

    assert bool(words) == bool(found)
    assert words in "\n".join(found)


def test_a_contradiction_is_said_beside_other_faults_but_never_of_an_invalid_value() -> None:
    """Only valid values are compared: an invalid one stands at its default meanwhile."""
    found = faults(
        {
            "VESTIBULE_SESSIONS__ABSOLUTE": "soon",
            "VESTIBULE_SESSIONS__IDLE": "30d",
            "VESTIBULE_SERVER__WORKERS": "0",
            "VESTIBULE_LIMITS__POST_PER_MINUTE": "5000",
        }
    )

    assert [fault.split()[0] for fault in found] == [
        "VESTIBULE_SESSIONS__ABSOLUTE",
        "VESTIBULE_SERVER__WORKERS",
        "VESTIBULE_SESSIONS__IDLE",
        "VESTIBULE_LIMITS__EDGE_POST_PER_SECOND",
    ]
    assert "VESTIBULE_SESSIONS__REMEMBER_IDLE" in found[2]
