"""Properties of everything that reads settings: taken in one spelling or refused in words, and no secret is shown."""

import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.settings import CATALOGUE, addresses, sources, stores
from service.settings.kinds import InvalidValue, Kind, kibibytes, listing, text, whole
from tests.settings.asked import faults

CANARY: Final = "canary7canary"
anything = st.one_of(
    st.text(), st.integers(), st.booleans(), st.floats(), st.none(), st.binary(), st.lists(st.text()), st.datetimes()
)
junk = st.text(string.printable + "éß\u2028\ufeff\udc80", max_size=20)
near_addresses = st.lists(
    st.sampled_from(
        [
            *(
                "https://",
                "http://",
                "postgresql://",
                "sqlite:////",
                "redis://",
                "redis+unix:///",
                "valkeys://",
                "unix://",
            ),
            *(
                "localhost",
                "example.org",
                "EXAMPLE.",
                "[::1]",
                "[::FFFF:1.2.3.4]",
                "127.0.0.1",
                "127.1",
                "xn--",
                ".",
                "-",
            ),
            *(":8080", ":0", ":00443", ":99999", "@", "/", "?x=1", "#", "%40"),
        ]
    ),
    max_size=5,
).map("".join)
KINDS: Final[dict[str, Callable[[object], object]]] = {
    "origin": addresses.origin,
    "cookie_domain": addresses.cookie_domain,
    "listen": lambda written: str(addresses.listener(text(written))),
    "text": text,
}


@pytest.mark.parametrize("kind", KINDS)
@given(written=near_addresses | junk)
def test_what_is_taken_has_one_spelling(kind: str, written: str) -> None:
    """What a reader returns it takes again and returns the same; everything else it refuses."""
    try:
        read = KINDS[kind](written)
    except InvalidValue:
        return

    assert KINDS[kind](read) == read
    assert str(read).isprintable()


@settings(max_examples=3 * settings().max_examples)
@given(st.sampled_from(sorted(CATALOGUE)), anything)
def test_any_value_is_taken_or_invalid(setting: str, value: object) -> None:
    """No reader of any setting fails otherwise than by saying that a value is invalid; what it takes can be shown."""
    kind = CATALOGUE[setting].kind
    try:
        read = kind.read(value)
    except InvalidValue:
        return

    assert kind.write(read).isprintable()


@pytest.mark.parametrize(
    ("kind", "digits"),
    [(whole(1, 8), "012345678"), (kibibytes(1, 4096), "0123456789kKmMgG"), (whole(0, 10**6), "0_٣+-.e ")],
)
@given(data=st.data())
def test_numbers_keep_to_their_range(kind: Kind, digits: str, data: st.DataObject) -> None:
    """A number is made of ASCII digits alone and lies in its range, or it is none."""
    written = data.draw(st.text(digits, max_size=12))
    try:
        read = kind.read(written)
    except InvalidValue:
        return

    assert written.strip().rstrip("kKmMgG").isdigit()
    assert 0 <= read <= 10**6


@given(st.lists(st.text(max_size=5), max_size=5), st.sampled_from([", ", " ", "\n", ",,"]))
def test_a_list_holds_what_is_between_its_separators(items: list[str], separator: str) -> None:
    """Whatever the items are: each comes out once, in order, without a separator in it."""
    words = listing("words", str)
    try:
        read = words.read(separator.join(items))
    except InvalidValue:
        return

    assert len(set(read)) == len(read)
    assert not any(set(item) & set(", \t\n") or not item for item in read)


SECRET_ADDRESSES: Final = [
    "{s}://u:{c}@{h}/d", "{s}://:{c}@{h}/d", "{s}://u:{c}{j}@{h}/d", "{s}://u:{j}{c}@{h}/d?x={j}", "{s}://{h}/d?password={c}",
    "{s}://u:{j}@{h}/d?password={c}", "{s}://u@{h}/d?x=@{c}", "{s}:{c}@{h}", "{c}{j}", "{s}://u:{c}/{j}@{h}/d#{c}",
]  # fmt: skip


@given(
    st.sampled_from(SECRET_ADDRESSES),
    st.sampled_from(
        ["postgresql", "postgres", "postgresql+psycopg", "redis", "rediss", "redis+unix", "unix", "sqlite"]
    ),
    st.sampled_from(["localhost", "db.example.org:5432", "[::1]:6379", "", "a,b"]),
    junk,
)
def test_no_password_of_an_address_is_shown(form: str, scheme: str, host: str, junk: str) -> None:
    """Wherever a password stands in an address: neither what is shown of it nor why it is refused holds it."""
    written = form.format(s=scheme, h=host, c=CANARY, j=junk)
    for read in (stores.database, stores.redis):
        try:
            said = stores.shown(read(written))
        except InvalidValue as refused:
            said = str(refused)
        assert CANARY not in said


SECRETS: Final = [setting.environment for setting in CATALOGUE.values() if setting.kind.is_secret]


@given(st.dictionaries(st.sampled_from(SECRETS), st.tuples(junk, junk).map(CANARY.join), min_size=1))
def test_no_fault_repeats_a_secret(environ: dict[str, str]) -> None:
    """Whatever is wrong with a secret, the start-up's words do not hold it."""
    assert CANARY not in "".join(faults(environ))


VALUES: Final = [
    *(
        "1",
        "true",
        '"15m"',
        "''",
        '"""',
        "[]",
        "{}",
        "[1, 'a']",
        '"\\u0000"',
        '"\\ud800"',
        "1979-05-27T07:32:00Z",
        "9999-99-99",
    ),
    *(
        "1e400",
        "nan",
        "-0",
        "9" * 5000,
        "0x" + "f" * 5000,
        "[0x" + "f" * 5000 + "]",
        "[" * 5000,
        "{a=" * 5000,
        '"\x00"',
        "\ufeff",
    ),
]
KEYS: Final = [
    "public_url",
    "secret_key",
    "sessions.idle",
    "server.workers",
    "access.return_origins",
    "a.b",
    '""',
    "[x]",
]
lines = st.tuples(st.sampled_from(KEYS), st.sampled_from([" = ", "=", " "]), st.sampled_from(VALUES)).map("".join)
toml = st.lists(lines, max_size=3).map("\n".join)


@example(b"server.workers = " + b"9" * 5000)
@example(b"server.workers = 0x" + b"f" * 5000)
@example(b"server.workers = " + b"[" * 5000)
@given(st.one_of(toml.map(str.encode), st.binary(max_size=60)))
def test_any_file_is_settings_or_faults(content: bytes) -> None:
    """Whatever bytes stand in the file, the start ends in settings or in faults that can be printed."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "vestibule.toml"
        config.write_bytes(content)

        assert all(fault.isprintable() for fault in faults({}, config=config))


@given(st.dictionaries(st.from_regex(r"VESTIBULE(_[A-Z0-9]{1,5}){1,5}", fullmatch=True), junk, max_size=4))
def test_any_name_with_our_prefix_is_judged(environ: dict[str, str]) -> None:
    """A name is a setting, Kubernetes' own, or a fault; never overlooked."""
    given_ = sources.from_environment(environ)

    warned = " ".join(given_.warnings)
    assert all(
        name in {each.named for each in given_.found.values()} or name in warned or name in "".join(given_.faults)
        for name in environ
    )
