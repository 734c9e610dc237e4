"""Paths as clients may write them, for property tests: separators and words in many spellings."""

from hypothesis import strategies as st

SEPARATORS = (
    "/",
    "//",
    ".",
    "..",
    "%2e",
    "%2F",
    "%5c",
    "\\",
    ";",
    "%3B",
    "%25",
    "%00",
    "%",
    "%ff",
    "?",
    "#",
    "%20",
    " ",
)
WORDS = ("admin", "ADMIN", "users", "public", "x", "%61", "%41", "é", "%c3%a9", "ſ", "%C5%BF", "%C4%B1")
PIECES = st.sampled_from(SEPARATORS + WORDS)
PATHS = st.lists(PIECES, max_size=8).map(lambda pieces: f"/{''.join(pieces)}")
