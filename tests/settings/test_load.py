"""Where settings come from, which source wins, and how what is wrong is said."""

import tomllib
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import CATALOGUE, Settings, load
from tests.settings.asked import KUBERNETES, faults


def test_nothing_needs_to_be_set() -> None:
    """Without any setting the service has its defaults, and they are those of production."""
    settings = load({})

    assert settings == Settings()
    assert (settings.public_url, *map(str, settings.ops_listen)) == ("http://localhost:8080", "127.0.0.1:9180")
    assert (settings.sessions.idle, settings.sessions.absolute) == (12 * 3600, 24 * 3600)
    assert (settings.passwords.memory, settings.passwords.iterations, settings.passwords.parallelism) == (19_456, 2, 1)
    assert settings.warnings == ()


def test_every_setting_is_read_from_the_environment() -> None:
    """Sections and keys are joined by two underscores; lists take commas and blanks."""
    settings = load(
        {
            "VESTIBULE_PUBLIC_URL": "https://Login.Example.org/",
            "VESTIBULE_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7 2001:db8::/32",
            "VESTIBULE_SESSIONS__IDLE": "15m",
            "VESTIBULE_PASSWORDS__MEMORY": "64m",
            "VESTIBULE_SERVER__WORKERS": "3",
            "VESTIBULE_BRAND__NAME": "Büro",
        }
    )

    assert settings.public.origin == "https://login.example.org"
    assert [*map(str, settings.trusted_proxies)] == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]
    assert (settings.sessions.idle, settings.passwords.memory, settings.workers) == (900, 65_536, 3)
    assert settings.brand.name == "Büro"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    """Each setting for itself: one from the environment leaves its section's others to the file."""
    config = tmp_path / "given.toml"
    config.write_text('trusted_proxies = ["10.0.0.0/8"]\n[sessions]\nidle = "1h"\nabsolute = "20h"\n')

    settings = load({"VESTIBULE_SESSIONS__IDLE": "2h", "VESTIBULE_CONFIG": str(config)})

    assert (settings.sessions.idle, settings.sessions.absolute) == (7200, 72_000)
    assert settings.sessions.remember_idle == 14 * 86_400
    assert settings.origins == {
        "config": "environment",
        "sessions.idle": "environment",
        "sessions.absolute": str(config),
        "trusted_proxies": str(config),
    }


def test_the_environment_can_empty_a_list_of_the_file(usual_config: Path) -> None:
    """A list that is set to nothing is empty, whatever the file says."""
    usual_config.write_text('trusted_proxies = ["10.0.0.0/8"]\n')

    assert load({"VESTIBULE_TRUSTED_PROXIES": ""}).trusted_proxies == ()


def test_a_fault_in_the_file_does_not_count_where_the_environment_wins(usual_config: Path) -> None:
    """A value that is not used is not checked."""
    usual_config.write_text('public_url = "nonsense"\n')

    assert load({"VESTIBULE_PUBLIC_URL": "https://a.example"}).public_url == "https://a.example"


def test_the_usual_file_is_read_when_there_is_one(usual_config: Path) -> None:
    """Without VESTIBULE_CONFIG the file at the usual place counts, and is shown."""
    usual_config.write_text('[brand]\nname = "Ours"\n')

    settings = load({})

    assert (settings.brand.name, settings.config) == ("Ours", usual_config)


def test_a_file_named_in_code_wins_over_the_environment(tmp_path: Path) -> None:
    """`load(config=…)` reads that file, and not the one that VESTIBULE_CONFIG names."""
    config = tmp_path / "given.toml"
    config.write_text('[brand]\nname = "Given"\n')

    assert load({"VESTIBULE_CONFIG": "/nowhere.toml"}, config=config).brand.name == "Given"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("/nowhere/v.toml", "/nowhere/v.toml cannot be read"),
        ("v.toml", "VESTIBULE_CONFIG must be an absolute path"),
        ("", "is empty"),
    ],
)
def test_a_file_that_was_named_has_to_be_there(named: str, words: str) -> None:
    """A misspelt file is a fault: without it the service would run with other settings than were meant."""
    (fault,) = faults({"VESTIBULE_CONFIG": named})

    assert words in fault


def test_all_faults_are_said_at_once(usual_config: Path) -> None:
    """Environment, file, values and what does not go together: one start shows everything there is to mend."""
    usual_config.write_text('colour = "red"\n[sessions]\nidle = "48h"\n[server]\nworkers = 0\n')

    found = faults(
        {
            "VESTIBULE_PUBLIC_URL": "http://login.example.org",
            "VESTIBULE_TRUSTED_PROXIES": "10.0.0.1/8 nonsense",
            "VESTIBULE_SECRET_KEY_FILE": "/nowhere/key",
            "VESTIBULE_SESION__IDLE": "5m",
        }
    )

    assert [fault.split()[0] for fault in found] == [
        "VESTIBULE_SECRET_KEY_FILE",
        "VESTIBULE_SESION__IDLE",
        "colour",
        "VESTIBULE_PUBLIC_URL",
        "VESTIBULE_TRUSTED_PROXIES",
        "server.workers",
        "sessions.idle",
    ]


def test_a_fault_names_the_setting_as_it_was_written_and_what_was_given(usual_config: Path) -> None:
    """The operator finds the line: the environment name, or the key and its file, with the value that is wrong."""
    usual_config.write_text('[limits]\npost_per_minute = "many"\n')

    assert faults({"VESTIBULE_SESSIONS__IDLE": "12 hours"}) == [
        'VESTIBULE_SESSIONS__IDLE must be a duration from 2m to 400d, in s, m, h or d (it is "12 hours")',
        f'limits.post_per_minute in {usual_config} must be a whole number from 1 to 1000000 (it is "many")',
    ]


def test_a_long_value_is_cut_and_control_characters_are_not_repeated() -> None:
    """A fault is one line that does nothing to the terminal."""
    (fault,) = faults({"VESTIBULE_BRAND__ACCENT": "\x1b[31m\n" + "a" * 500})

    assert fault.isprintable()
    assert len(fault) < 200


def test_what_editors_and_environment_files_write_is_read(usual_config: Path) -> None:
    """A byte order mark before the file or the first name, Windows' line ends, quotes, comments: all are clear."""
    usual_config.write_bytes('\ufeff[brand]\r\nname = "Büro"\r\n'.encode())

    settings = load(
        {
            "\ufeffVESTIBULE_PUBLIC_URL": '"https://login.example.org"\r',
            "VESTIBULE_SESSIONS__IDLE": "2h # short",
            "VESTIBULE_TRUSTED_PROXIES": "10.0.0.0/8 192.0.2.7 # the proxies",
        }
    )

    assert (settings.brand.name, settings.public_url) == ("Büro", "https://login.example.org")
    assert (settings.sessions.idle, len(settings.trusted_proxies)) == (7200, 2)


def test_settings_cannot_be_changed() -> None:
    """What was checked stays as it was."""
    settings = load({})

    with pytest.raises(FrozenInstanceError):
        settings.public_url = "https://evil.example"  # type: ignore[misc]  # that it is read-only, which is tried
    with pytest.raises(FrozenInstanceError):
        settings.sessions.idle = 5  # type: ignore[misc]  # the same


_NAMES = st.sampled_from([*(setting.environment for setting in CATALOGUE.values()), *KUBERNETES])


@given(st.dictionaries(st.one_of(_NAMES, _NAMES.map(lambda name: f"{name}_FILE"), st.text()), st.text(), max_size=6))
def test_any_environment_is_settings_or_faults(environ: dict[str, str]) -> None:
    """Whatever stands in the environment: settings, or faults that can be printed."""
    assert all(fault.isprintable() for fault in faults(environ))


_VALUES = st.recursive(
    st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False), st.datetimes()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5,
)


_KEYS = st.one_of(st.text(), st.sampled_from([*(each.name for each in fields(Settings)), "secret_key_file"]))


@given(
    st.dictionaries(_KEYS, st.one_of(_VALUES, st.dictionaries(st.sampled_from(["idle", "name", "workers"]), _VALUES)))
)
def test_any_table_is_settings_or_faults(tables: dict[str, object]) -> None:
    """Whatever a TOML file can hold: settings, or faults that can be printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", lambda _: tables)

        assert all(fault.isprintable() for fault in faults({}, config=Path(__file__)))
