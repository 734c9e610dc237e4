"""Text as people's programs write it: one reader for everything."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text_files import NotText, decoded, environment_value


@given(st.text())
def test_text_comes_out_as_it_went_in(text: str) -> None:
    """With and without a byte order mark, and as Windows' Unicode: the same text, without the mark."""
    meant = text.encode("utf-8", "replace")

    assert decoded(codecs.BOM_UTF8 + meant) == meant.decode()
    assert decoded(codecs.BOM_UTF16_LE + meant.decode().encode("utf-16-le")) == meant.decode()
    assert decoded(codecs.BOM_UTF16_BE + meant.decode().encode("utf-16-be")) == meant.decode()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("line", [1, 2, 40])
def test_the_line_that_is_not_utf_8_is_named(line: int, mark: bytes, line_end: str) -> None:
    """Latin-1 is refused with the line where it stands, whatever ends the lines, and none of it is repeated."""
    content = mark + (f"bob{line_end}" * (line - 1) + "Jürgen").encode("latin-1")

    with pytest.raises(NotText) as fault:
        decoded(content)

    assert fault.value.line == line
    assert "Jürgen" not in str(fault.value)
    assert "save it as UTF-8" in str(fault.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12h", "12h"),
        (" 12h \r", "12h"),
        ('"12h"', "12h"),
        ("'12h'", "12h"),
        ("12h # half a day", "12h"),
        ("12h\t# half a day", "12h"),
        ('"12h" # half a day', "12h"),
        ("'a # b'", "a # b"),
        ("#0f5f6b", "#0f5f6b"),
        ("https://h/#x", "https://h/#x"),
        ("key # first\nother # second", "key\nother"),
        ('"a" and "b"', '"a" and "b"'),
        ('"', '"'),
        ("", ""),
    ],
)
def test_a_value_is_what_the_environment_file_meant(written: str, meant: str) -> None:
    """Quotes around a value and a comment behind it are taken off where the program that read the file left them."""
    assert environment_value(written) == meant


def test_free_text_keeps_its_hash() -> None:
    """A name may hold a # after a blank; its quotes are taken off all the same."""
    assert environment_value("Team # 1", is_free_text=True) == "Team # 1"
    assert environment_value("'Team # 1'", is_free_text=True) == "Team # 1"
