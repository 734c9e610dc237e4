"""Names that no setting has: misspelt ones, and those that Kubernetes injects."""

from pathlib import Path

import pytest

from service.settings import Settings, load
from tests.settings.asked import KUBERNETES, faults


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("VESTIBULE_PUBLIC_URI", "VESTIBULE_PUBLIC_URL"),
        ("VESTIBULE_SESSIONS_IDLE", "VESTIBULE_SESSIONS__IDLE"),
        ("VESTIBULE_IDLE", "VESTIBULE_SESSIONS__IDLE"),
        ("VESTIBULE_DATABASE", "VESTIBULE_DATABASE_URL"),
        ("vestibule_public_url", "VESTIBULE_PUBLIC_URL"),
        ("VESTIBULE_PUBLIC_URL_FILE", "VESTIBULE_PUBLIC_URL"),
        ("VESTIBULE_SECRET_FILE", "VESTIBULE_SECRET_KEY"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(name: str, nearest: str) -> None:
    """A misspelt setting stops the start instead of being overlooked."""
    assert faults({name: "CANARY"}) == [f"{name} is not a setting: did you mean {nearest}?"]


def test_a_name_like_no_other_is_refused() -> None:
    """Where nothing is near, the fault says where all settings stand."""
    assert faults({"VESTIBULE_ZQXJ": "1"}) == [
        "VESTIBULE_ZQXJ is not a setting: remove it (docs/settings.md lists them all)"
    ]


def test_names_of_others_do_not_concern_us() -> None:
    """Only what begins with our prefix is ours."""
    assert faults({"HOME": "/", "VESTIBULEX": "1", "MY_VESTIBULE_X": "1"}) == []


def test_what_kubernetes_injects_for_our_service_is_ignored_with_one_warning() -> None:
    """A Service called vestibule puts its addresses into every pod: the start goes on, and one warning names them."""
    settings = load({**KUBERNETES, "VESTIBULE_SESSIONS__IDLE": "1h"})

    assert settings.sessions.idle == 3600
    (warning,) = settings.warnings
    assert all(name in warning for name in KUBERNETES)
    assert "enableServiceLinks: false" in warning


def test_what_kubernetes_injects_for_a_service_beside_ours_is_ignored() -> None:
    """A Service called vestibule-redis is told from a misspelt setting by the host that always comes with it."""
    beside = {name.replace("VESTIBULE", "VESTIBULE_REDIS"): value for name, value in KUBERNETES.items()}

    assert len(load(beside).warnings) == 1


@pytest.mark.parametrize(
    "mistake",
    [
        {"VESTIBULE_PORT": "9000"},
        {"VESTIBULE_SERVICE_PORT": "http"},
        {"VESTIBULE_SERVICE_HOST": "login.example.org"},
        {"VESTIBULE_SERVER_PORT": "tcp://10.0.0.1:80"},
        {"VESTIBULE_PORT_8080_TCP_ADDR": "nowhere"},
    ],
)
def test_a_mistake_that_looks_like_kubernetes_is_still_refused(mistake: dict[str, str]) -> None:
    """Only what Kubernetes would write is ignored: VESTIBULE_PORT=9000 was meant for us."""
    (fault,) = faults(mistake)

    assert f"{next(iter(mistake))} is not a setting" in fault


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("colour = 'red'", "colour in {} is not a setting"),
        ("[session]\nidle = '5m'", "session.idle in {} is not a setting: did you mean sessions.idle?"),
        ("idle = '5m'", "idle in {} is not a setting: did you mean sessions.idle?"),
        ("[sessions.idle]\nx = 1", "sessions.idle in {} must be a duration"),
        ('[""]', " in {} is not a setting"),
        ("[sesions]", "sesions in {} is not a setting: did you mean sessions.idle?"),
        ("[sessions.idle.always]", "sessions.idle in {}"),
        ("[sessions.zqxj]", "sessions.zqxj in {} is not a setting"),
        ("sessions = 5", "sessions in {} is not a setting: did you mean sessions.idle?"),
        ("config = '/x.toml'", "config in {} would name another file"),
        ("[[brand]]\nname = 'x'", "brand in {} is not a setting: did you mean brand.name?"),
        ('"\\u001b[31m" = 1', "is not a setting"),
        ("brand_file = 'x'", "brand_file in {} is not a setting"),
        ("public_url_file = 'x'", "public_url_file in {} is not a setting: did you mean public_url?"),
    ],
)
def test_what_the_file_cannot_hold_is_refused(usual_config: Path, toml: str, words: str) -> None:
    """Unknown keys, values where tables belong, and tables where values belong, are named with their file."""
    usual_config.write_text(toml)

    (fault,) = faults({})

    assert words.format(usual_config) in fault
    assert fault.isprintable()


def test_an_empty_section_is_no_fault(usual_config: Path) -> None:
    """A table whose lines are all commented out means nothing."""
    usual_config.write_text("[sessions]\n# idle = '5m'\n")

    assert load({}).sessions == Settings().sessions


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"secret_key = CANARY\n", "is not TOML (line 1, column 14): write name"),
        (b'[server]\nsecret_key = "CANARY', "is not TOML"),
        (b'x = "\xff"', "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_named_with_the_line(usual_config: Path, content: bytes, words: str) -> None:
    """The place is said; what stands there is not, because it may be a secret."""
    usual_config.write_bytes(content)

    (fault,) = faults({})

    assert words in fault
    assert str(usual_config) in fault
    assert "CANARY" not in fault
