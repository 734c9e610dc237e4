"""Which paths, keys, logos, names and colours are taken."""

from pathlib import Path

import pytest

from service.settings import addresses, kinds
from service.settings.kinds import InvalidValue

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
_KEY = "0123456789abcdef0123456789abcdef"


def _logo(directory: Path, name: str, content: bytes) -> Path:
    path = directory / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("relative", ["var", "~/var", "./var"])
def test_a_relative_path_is_refused(relative: str) -> None:
    """Typed elsewhere, the same command would find another, empty state; only shells know the tilde."""
    with pytest.raises(InvalidValue, match="must be an absolute path, which begins with /"):
        addresses.path(relative)


@pytest.mark.parametrize("character", [*"?\"'\\$;{}"])
def test_a_path_that_nginx_or_sqlite_would_read_otherwise_is_refused(character: str) -> None:
    """Paths go into nginx's files and into SQLite's address as they are."""
    with pytest.raises(InvalidValue, match="must be a path without any of"):
        addresses.path(f"/srv/{character}")


def test_a_socket_path_fits_into_the_system() -> None:
    """A path of 100 bytes is taken, one of 101 is refused with its length."""
    fits = "/" + "a" * 99

    assert addresses.socket(fits) == Path(fits)
    with pytest.raises(InvalidValue, match=r"must have at most 100 bytes \(it has 101\)"):
        addresses.socket(fits + "a")


@pytest.mark.parametrize(
    ("name", "content"), [("logo.png", _PNG), ("logo.PNG", _PNG), ("logo.svg", b'<?xml version="1.0"?>\n<svg/>')]
)
def test_a_logo_is_svg_or_png(tmp_path: Path, name: str, content: bytes) -> None:
    """Both kinds are known by their ending."""
    path = _logo(tmp_path, name, content)

    assert addresses.logo(str(path)) == path


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("logo.gif", b"GIF89a", "ends in .svg or .png"),
        ("logo.png", _PNG + bytes(100_000), "at most 100 kB"),
    ],
)
def test_another_file_is_no_logo(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """Another kind and a large one are refused, with what to do."""
    with pytest.raises(InvalidValue, match=words):
        addresses.logo(str(_logo(tmp_path, name, content)))


def test_a_missing_logo_is_refused(tmp_path: Path) -> None:
    """A missing file is found at the start, not by the first visitor."""
    with pytest.raises(InvalidValue, match="cannot be read"):
        addresses.logo(str(tmp_path / "logo.svg"))


@pytest.mark.parametrize("name", ["V", "Büro Süd 東京", "a" * 40, "  Ops  "])
def test_a_brand_has_up_to_forty_characters(name: str) -> None:
    """Any printable characters make a name; blanks around it do not count."""
    assert kinds.name(name) == name.strip()


@pytest.mark.parametrize("name", ["", "  ", "a" * 41, "a\nb", "a\u202eb", "a\x1b[31m", "a\u200b"])
def test_a_brand_that_hides_something_is_refused(name: str) -> None:
    """Empty, long and invisible names are refused: right-to-left overrides and control characters deceive."""
    with pytest.raises(InvalidValue):
        kinds.name(name)


def test_a_colour_has_one_spelling() -> None:
    """Six hexadecimal digits in either case."""
    assert kinds.colour("#0F5F6B") == "#0f5f6b"


@pytest.mark.parametrize("written", ["0f5f6b", "#fff", "#0f5f6g", "teal", "#0f5f6b;}", "#0f5f6b00", "#０f5f6b"])
def test_what_is_no_colour_is_refused(written: str) -> None:
    """Nothing else gets into a style sheet."""
    with pytest.raises(InvalidValue, match="#rrggbb"):
        kinds.colour(written)


def test_keys_stand_one_on_a_line() -> None:
    """Blank lines and blanks around keys do not count; the order stays."""
    found = kinds.key(f"\n {_KEY} \r\n\n{_KEY[::-1]}\n")

    assert found.reveal() == f"{_KEY}\n{_KEY[::-1]}"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (_KEY[:31], "too easy to guess"),
        ("changeme" * 8, "too easy to guess"),
        ("a" * 64, "too easy to guess"),
        (f"{_KEY}\nshort", "too easy to guess in line 2"),
        (_KEY + "\x00", "too easy to guess"),
        (_KEY + "\udcff", "too easy to guess"),
        (5, "text in quotes"),
    ],
)
def test_a_key_that_can_be_guessed_is_refused(written: object, words: str) -> None:
    """Short keys and placeholders are refused with the command that makes a good one, and are not quoted."""
    with pytest.raises(InvalidValue) as refused:
        kinds.key(written)

    assert words in str(refused.value)
    assert "openssl rand -base64 32" in str(refused.value) or written == 5
    assert "changeme" not in str(refused.value)
