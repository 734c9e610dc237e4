"""The secret keys: given, or made once by the service and readable by its user alone."""

import errno
import os
import stat
from pathlib import Path

import pytest

from service.settings import Settings, SettingsFault, faults_of_state, keep_closed, load, secret_keys
from tests.settings import nobody

_KEY = "0123456789abcdef0123456789abcdef"
_PROCESSES = 8


def _settings(state: Path) -> Settings:
    return load({"VESTIBULE_STATE_DIR": str(state)})


def _answer(settings: Settings) -> list[str]:
    """Return the keys, or the faults."""
    try:
        return [key.decode() for key in secret_keys(settings)]
    except SettingsFault as fault:
        return fault.faults


def test_given_keys_are_used_and_nothing_is_kept(tmp_path: Path) -> None:
    """The first signs, all verify; no file is made beside them."""
    settings = load({"VESTIBULE_STATE_DIR": str(tmp_path), "VESTIBULE_SECRET_KEY": f"{_KEY}\n{_KEY[::-1]}"})

    assert secret_keys(settings) == (_KEY.encode(), _KEY[::-1].encode())
    assert [*tmp_path.iterdir()] == []


def test_a_missing_key_is_made_once(tmp_path: Path) -> None:
    """The first start makes a key of 256 random bits, readable by its owner alone; later starts read it."""
    settings = _settings(tmp_path / "deep" / "state")

    first, second = secret_keys(settings), secret_keys(settings)

    assert first == second
    assert [len(key) for key in first] == [43]
    assert stat.S_IMODE(settings.secret_key_file.stat().st_mode) == 0o600
    assert [path.name for path in settings.state_dir.iterdir()] == ["secret-key"]
    assert stat.S_IMODE(settings.state_dir.stat().st_mode) & 0o027 == 0


def test_every_state_directory_gets_its_own_key(tmp_path: Path) -> None:
    """Two installations never share a key."""
    assert secret_keys(_settings(tmp_path / "a")) != secret_keys(_settings(tmp_path / "b"))


def test_workers_that_start_together_agree(state: Path) -> None:
    """However many start at once without a key: all have the same, and it is the one in the file."""
    settings = _settings(state)
    answers = [nobody.asked(lambda: _answer(settings)) for _ in range(_PROCESSES)]

    found = [answer() for answer in answers]

    assert found == [[settings.secret_key_file.read_text().strip()]] * _PROCESSES
    assert [path.name for path in state.iterdir()] == ["secret-key"]


def test_the_second_process_takes_the_key_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that appears while ours is being written stays, and is ours from then on."""
    settings, link = _settings(tmp_path), os.link

    def overtaken(draft: Path, file: Path) -> None:
        file.touch(0o600)
        file.write_text(_KEY)
        link(draft, file)

    monkeypatch.setattr(os, "link", overtaken)

    assert secret_keys(settings) == (_KEY.encode(),)
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_the_key_belongs_to_the_owner_of_the_directory(state: Path) -> None:
    """A command that root runs first leaves the service a key that it may read."""
    settings = _settings(state)

    made = _answer(settings)

    assert settings.secret_key_file.stat().st_uid == nobody.user()
    assert nobody.asked(lambda: _answer(settings))() == made


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_key_that_others_may_read_is_refused_with_the_chmod(tmp_path: Path, mode: int) -> None:
    """The fault ends in the command to type, and after it the key is taken. The group is none of ours."""
    settings = _settings(tmp_path)
    made = secret_keys(settings)
    file = settings.secret_key_file
    nobody.give_to_foreign_group(file)
    file.chmod(mode)

    assert _answer(settings) == [f"{file} can be read or written by others than its owner: chmod 600 {file}"]
    assert faults_of_state(settings) == _answer(settings)

    file.chmod(0o600)
    assert secret_keys(settings) == made


def test_a_key_that_our_group_may_read_is_closed_again(tmp_path: Path) -> None:
    """A mount gives a group of ours rights (fsGroup): the key counts, and the start takes the rights back."""
    settings = _settings(tmp_path)
    made = secret_keys(settings)
    settings.secret_key_file.chmod(0o660)

    assert (faults_of_state(settings), secret_keys(settings)) == ([], made)
    keep_closed(settings)

    assert stat.S_IMODE(settings.secret_key_file.stat().st_mode) == 0o600


def test_what_all_may_read_is_not_closed_in_silence(tmp_path: Path) -> None:
    """No mount gave such rights: the operator is told, because the key may be known."""
    settings = _settings(tmp_path)
    secret_keys(settings)
    settings.secret_key_file.chmod(0o644)

    keep_closed(settings)

    assert "can be read or written by others" in _answer(settings)[0]


@pytest.mark.parametrize(
    ("content", "words"), [("", "is empty"), ("short", "is too easy to guess"), ("\xff", "is not UTF-8 text in line 1")]
)
def test_a_damaged_key_is_never_replaced(tmp_path: Path, content: str, words: str) -> None:
    """An empty or short file is refused by name and left alone: a new key would end what the old one signed."""
    settings = _settings(tmp_path)
    settings.secret_key_file.touch(0o600)
    settings.secret_key_file.write_text(content, encoding="latin-1")

    (fault,) = _answer(settings)

    assert fault.startswith(f"{settings.secret_key_file} {words}")
    assert settings.secret_key_file.read_text(encoding="latin-1") == content


def test_a_directory_in_the_keys_place_is_refused(tmp_path: Path) -> None:
    """Container runtimes make a directory where a mounted file is missing."""
    settings = _settings(tmp_path)
    settings.secret_key_file.mkdir()

    (fault,) = _answer(settings)

    assert "is not a file" in fault
    assert faults_of_state(settings) == [fault]


def test_a_directory_that_cannot_be_made_ends_in_the_command_to_type(state: Path) -> None:
    """Below a directory of another user, the fault says how to make the state directory."""
    state.chmod(0o555)
    os.chown(state, os.geteuid(), os.getegid())
    settings = _settings(state / "ours")

    (fault,) = nobody.asked(lambda: _answer(settings))()

    install = f"sudo install -d -m 750 -o {nobody.user()} -g {nobody.group()} {settings.state_dir}"
    assert fault == f"{settings.state_dir} cannot be made by user {nobody.user()}: {install}"
    assert nobody.asked(lambda: faults_of_state(settings))() == [fault]


@pytest.mark.parametrize("mode", [0o000, 0o555])
def test_a_directory_that_cannot_be_used_ends_in_the_chown_to_type(state: Path, mode: int) -> None:
    """Of an unreadable or unwritable directory, the fault says which user must own it."""
    state.chmod(mode)
    os.chown(state, os.geteuid(), os.getegid())
    settings = _settings(state)

    (fault,) = nobody.asked(lambda: _answer(settings))()
    looked = nobody.asked(lambda: faults_of_state(settings))()
    state.chmod(0o700)

    wanted = f"{state} (owner {os.geteuid()}, mode {mode:04o}) must be readable and writable by user {nobody.user()}: "
    assert fault.startswith(wanted)
    assert fault.endswith(f"type: sudo chown -RH {nobody.user()}:{nobody.group()} {state}")
    assert looked == [fault]


@pytest.mark.skipif(not nobody.IS_ROOT, reason="only root can make a file of another user")
def test_a_key_of_another_user_ends_in_the_chown_to_type(state: Path) -> None:
    """A key that root made by hand is named with the command that hands it over."""
    settings = _settings(state)
    secret_keys(settings)
    os.chown(settings.secret_key_file, 0, 0)

    (fault,) = nobody.asked(lambda: _answer(settings))()

    file = settings.secret_key_file
    assert fault.startswith(f"{file} (owner 0, mode 0600) must be readable and writable by user {nobody.user()}: ")
    assert fault.endswith(f"type: sudo chown -RH {nobody.user()}:{nobody.group()} {file}")
    assert nobody.asked(lambda: faults_of_state(settings))() == [fault]


def test_a_file_system_that_cannot_keep_the_key_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, read-only or without links: the fault says the reason and the other way, and no draft stays."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", refuse)

    (fault,) = _answer(_settings(tmp_path))

    assert "No space left on device" in fault
    assert "VESTIBULE_SECRET_KEY_FILE" in fault
    assert [*tmp_path.iterdir()] == []


def test_looking_makes_nothing(tmp_path: Path) -> None:
    """`config check` before the first start finds nothing wrong and leaves no trace."""
    settings = _settings(tmp_path / "state")

    assert faults_of_state(settings) == []
    assert not settings.state_dir.exists()


def test_a_file_in_the_directorys_place_is_named(tmp_path: Path) -> None:
    """Looking and making both say what stands in the way."""
    (tmp_path / "state").touch()
    settings = _settings(tmp_path / "state")

    assert faults_of_state(settings) == [f"{tmp_path}/state is not a directory: choose another path, or move it away"]
    assert "secret-key cannot be used (" in _answer(settings)[0]


def test_a_given_key_leaves_the_directory_to_the_database(tmp_path: Path) -> None:
    """A damaged key file does not matter where the key comes from elsewhere."""
    (tmp_path / "secret-key").touch(0o644)

    assert faults_of_state(load({"VESTIBULE_STATE_DIR": str(tmp_path), "VESTIBULE_SECRET_KEY": _KEY})) == []
