"""What follows from settings: addresses, the socket, the share of each worker."""

from pathlib import Path

import pytest

from service.settings import fields, load


def test_loading_makes_no_file(tmp_path: Path) -> None:
    """`config show` on a fresh machine leaves no trace."""
    state = tmp_path / "state"

    load({"VESTIBULE_STATE_DIR": str(state)})

    assert not state.exists()


def test_addresses_follow_from_the_state_directory(tmp_path: Path) -> None:
    """Without a database the SQLite file lies in the state directory, with the key and the socket."""
    settings = load({"VESTIBULE_STATE_DIR": str(tmp_path)})

    assert settings.database_address == f"sqlite:///{tmp_path}/vestibule.sqlite3"
    assert settings.redis_address is None
    assert settings.secret_key_file == tmp_path / "secret-key"


def test_addresses_of_stores_are_handed_on_whole() -> None:
    """What is hidden from eyes reaches the drivers, password included."""
    settings = load({"VESTIBULE_DATABASE_URL": "postgres://u:p@h/d", "VESTIBULE_REDIS_URL": "valkey://:p@h"})

    assert settings.database_address == "postgresql+psycopg://u:p@h/d"
    assert settings.redis_address == "redis://:p@h/0"


def test_the_place_of_the_database_address_has_a_name(tmp_path: Path) -> None:
    """The operator who must correct it is told where: the environment, a file, or the TOML file."""
    (tmp_path / "url").write_text(address := "postgres://u@h/d")
    (tmp_path / "url").chmod(0o600)
    (tmp_path / "v.toml").write_text(f'database_url = "{address}"')
    (tmp_path / "named.toml").write_text(f'database_url_file = "{tmp_path / "url"}"')
    given = [
        {"DATABASE_URL": address},
        {"DATABASE_URL_FILE": str(tmp_path / "url")},
        {"CONFIG": str(tmp_path / "v.toml")},
        {"CONFIG": str(tmp_path / "named.toml")},
    ]

    assert [load({f"VESTIBULE_{name}": value for name, value in each.items()}).database_named for each in given] == [
        "VESTIBULE_DATABASE_URL",
        "VESTIBULE_DATABASE_URL_FILE",
        f"database_url in {tmp_path / 'v.toml'}",
        f"database_url_file in {tmp_path / 'named.toml'}",
    ]


def test_a_socket_that_would_be_too_long_goes_to_the_temporary_directory() -> None:
    """A deep state directory still gets a socket, always the same one, and another for another directory."""
    deep, deeper = ("/" + "d" * length for length in (100, 101))

    paths = [load({"VESTIBULE_STATE_DIR": state}).socket_path for state in ("/srv/v", deep, deep, deeper)]

    assert paths[0] == Path("/srv/v/run/gunicorn.sock")
    assert all(len(bytes(path)) <= 100 for path in paths)
    assert paths[1] == paths[2] != paths[3]


@pytest.mark.parametrize(("workers", "threads", "each"), [("1", "4", 4), ("2", "4", 2), ("4", "2", 1), ("3", "8", 2)])
def test_the_hashing_budget_is_shared_by_the_workers(workers: str, threads: str, each: int) -> None:
    """All workers together hash as much as the budget says, and each at least one at a time."""
    settings = load({"VESTIBULE_SERVER__WORKERS": workers, "VESTIBULE_HASHING__THREADS": threads})

    assert settings.gate_size.threads == each


@pytest.mark.parametrize(("processors", "each"), [(1, 1), (4, 4), (8, 8), (64, 8)])
def test_an_automatic_budget_leaves_half_of_the_threads(
    monkeypatch: pytest.MonkeyPatch, processors: int, each: int
) -> None:
    """However many processors there are, one worker starts, and hashes on half of them."""
    monkeypatch.setattr(fields, "cpu_budget", lambda: processors)
    given = {"VESTIBULE_SERVER__WORKERS": "1", "VESTIBULE_SERVER__THREADS": "16"}

    assert load(given).gate_size.threads == each
