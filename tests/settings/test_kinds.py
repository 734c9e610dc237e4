"""How numbers, durations, sizes, texts and lists are read, and written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings.kinds import DAY, HOUR, MINUTE, InvalidValue, duration, kibibytes, listing, text, whole
from tests.settings.asked import refusal

_LIFE = duration(2 * MINUTE, 400 * DAY)
_WORDS = listing("a list of words", str.lower)
_UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120s", 120), ("15m", 900), ("12h", 43_200), ("14d", 1_209_600), (" 2m ", 120), ("0002m", 120), (900, 900)],
)
def test_durations_are_seconds(written: object, seconds: int) -> None:
    """90s, 15m, 12h and 14d are read; a number that TOML or the code gives counts seconds."""
    assert _LIFE.read(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "",
        "15",
        "m",
        "15 m",
        "15M",
        "1.5h",
        "-15m",
        "+15m",
        "1h30m",
        "15min",
        "١٥m",
        "1s",
        "401d",
        "9" * 30 + "d",
        True,
        15.5,
        119,
        None,
        [],
        b"15m",
    ],
)
def test_a_duration_without_unit_or_out_of_range_is_refused(written: object) -> None:
    """The refusal says which durations are allowed and how they are written."""
    assert refusal(_LIFE, written) == "must be a duration from 2m to 400d, in s, m, h or d"


@given(seconds=st.integers(2 * MINUTE, 400 * DAY))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    """Whatever is shown can be put into the file, and means the same."""
    assert _LIFE.read(_LIFE.write(seconds)) == seconds


@given(st.text(max_size=12))
def test_a_text_is_a_duration_only_in_the_one_grammar(written: str) -> None:
    """Any text is refused, or is a whole number of one of the four units."""
    try:
        seconds = _LIFE.read(written)
    except InvalidValue:
        return
    assert seconds == int(written.strip()[:-1]) * _UNITS[written.strip()[-1]]


@pytest.mark.parametrize(
    ("seconds", "written"), [(43_200, "12h"), (86_400, "24h"), (172_800, "2d"), (90, "90s"), (300, "5m"), (0, "0s")]
)
def test_durations_are_shown_in_their_largest_unit(seconds: int, written: str) -> None:
    """A day is 24h, as people say of a session; more days are days."""
    assert _LIFE.write(seconds) == written


@pytest.mark.parametrize(
    ("written", "size"), [("19456", 19_456), ("19456k", 19_456), ("19M", 19_456), ("1g", 1_048_576), (20_000, 20_000)]
)
def test_sizes_are_kibibytes(written: object, size: int) -> None:
    """Sizes take k, m and g in either case; without a unit they count KiB."""
    assert kibibytes(1024, 4_194_304).read(written) == size


@pytest.mark.parametrize("written", ["", "k", "19 m", "19mb", "1.5m", "1023", "5g", True, None])
def test_a_size_that_is_none_is_refused(written: object) -> None:
    """The refusal says the range and the units of a size."""
    assert refusal(kibibytes(1024, 4_194_304), written) == "must be a size from 1024k to 4194304k, in k, m or g"


@given(size=st.integers(1024, 4_194_304))
def test_a_size_reads_back_as_it_was_written(size: int) -> None:
    """Whatever is shown can be put into the file, and means the same."""
    kind = kibibytes(1024, 4_194_304)

    assert kind.read(kind.write(size)) == size


@pytest.mark.parametrize("written", ["0", "9", "", "x", "-1", "2.0", "٣", "1" * 20, True, 3.5, None, 11])
def test_a_number_out_of_range_is_refused(written: object) -> None:
    """Only whole numbers of the range are taken; true is no 1."""
    assert refusal(whole(1, 8), written) == "must be a whole number from 1 to 8"


@pytest.mark.parametrize("written", ["a,b", "a b", " a , b ", "a\n\tb", "a,,b,", "A,a,B", ["a", "b"], ("A", "b", "a")])
def test_lists_are_separated_by_commas_or_blanks(written: object) -> None:
    """Commas, blanks and arrays say the same; a double entry counts once, at its first place."""
    assert _WORDS.read(written) == ("a", "b")


@pytest.mark.parametrize("written", ["", " ", ",", []])
def test_nothing_is_an_empty_list(written: object) -> None:
    """A list can be set to nothing, so that the environment can take back what the file lists."""
    assert _WORDS.read(written) == ()


@given(
    st.lists(st.from_regex(r"[a-z0-9./:\[\]-]+", fullmatch=True), unique=True),
    st.sampled_from([",", " ", ", ", "\n", " ,\t"]),
)
def test_a_list_reads_back_as_it_was_written(items: list[str], separator: str) -> None:
    """However items are separated, they come out whole and in order; and so they do from what is shown."""
    read = _WORDS.read(separator.join(items))

    assert read == tuple(items)
    assert _WORDS.read(_WORDS.write(read)) == read


@pytest.mark.parametrize("written", [5, True, {"a": 1}, None])
def test_what_is_no_list_is_refused(written: object) -> None:
    """Numbers and tables are no lists."""
    assert refusal(_WORDS, written) == "must be a list of texts"


def test_texts_lose_the_blanks_around_them() -> None:
    """A line break at the end of a variable is removed."""
    assert text(" a b\n") == "a b"


@pytest.mark.parametrize(
    ("written", "reason"),
    [(" ", "is empty"), ("a\x00b", "control characters"), ("a\ud800", "control characters"), (5, "text in quotes")],
)
def test_texts_that_cannot_be_shown_are_refused(written: object, reason: str) -> None:
    """Empty text, control characters and half of a surrogate pair are refused."""
    with pytest.raises(InvalidValue, match=reason):
        text(written)
