"""The session cookie without a framework: which of several counts, and which `Domain` it may have been set with."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access import session_cookie
from service.access.public_address import PublicAddress
from service.access.session_cookie import Found
from service.login.sessions import hash_of
from tests.rig.memory_store import MemorySessions, Rows
from tests.rig.people import LIFETIMES, NOW, alice, session_of

LOCAL = PublicAddress("http", "localhost", 8080)
HTTPS = PublicAddress("https", "auth.team.example.test", 443)
LIVE, DEAD = "L" * 43, "D" * 43


def look_up(header: str, *, expired: str = "", now: int = NOW, rows: Rows | None = None) -> Found:
    """Look up the tokens of a header where one session is live, and perhaps another one expired."""
    rows = rows or Rows(accounts={"a1": alice()})
    rows.sessions = {hash_of(LIVE): replace(session_of(alice()), token_hash=hash_of(LIVE))}
    if expired:
        rows.sessions[hash_of(expired)] = replace(session_of(alice(), now=NOW - 1000), token_hash=hash_of(expired))
    hashes = session_cookie.token_hashes(session_cookie.sent(header, "n"))
    return session_cookie.look_up(hashes, sessions=MemorySessions(rows), lifetimes=LIFETIMES, now=now)


@pytest.mark.parametrize(
    ("header", "is_in"),
    [
        (f"n={LIVE}", True),
        (f"n={DEAD}; n={LIVE}", True),
        (f"n={LIVE}; n={DEAD}", True),
        (f"n=; n=bad; n={LIVE}=; n={LIVE}", True),
        (f"{'n=bad; ' * 50}n={LIVE}", True),
        (f"{f'n={DEAD}; ' * 50}n={LIVE}", True),
        ("; ".join(f"n={letter * 43}" for letter in "abc") + f"; n={LIVE}", True),
        ("; ".join(f"n={letter * 43}" for letter in "abcd") + f"; n={LIVE}", False),
        (f"N={LIVE}; n ={LIVE}; =n={LIVE}; n", False),
    ],
)
def test_of_several_cookies_the_live_one_counts(header: str, *, is_in: bool) -> None:
    """Whatever their order, the live session is found among the first four different tokens."""
    assert (look_up(header).live is not None) is is_in
    assert (look_up(header, expired=DEAD).live is not None) is is_in


@pytest.mark.parametrize(("now", "is_in", "seen_at"), [(0, True, 0), (59, True, 0), (60, True, 60), (100, False, 0)])
def test_the_last_use_of_a_live_session_is_written_once_a_minute(now: int, *, is_in: bool, seen_at: int) -> None:
    """A session that has expired was not used."""
    rows = Rows(accounts={"a1": alice()})
    found = look_up(f"n={LIVE}", now=NOW + now, rows=rows)

    assert (found.live is not None, len(found.expired)) == (is_in, not is_in)
    assert rows.sessions[hash_of(LIVE)].seen_at == NOW + seen_at


@given(st.text(st.characters(max_codepoint=255), max_size=80) | st.text("n=; ab", max_size=40))
def test_a_cookie_is_what_stands_behind_its_exact_name(header: str) -> None:
    """The reader finds what a pattern finds, and all of it."""
    found = re.findall(r"(?:^|;) *n=([^;]*)", header, re.DOTALL)

    assert session_cookie.sent(header, "n") == [value.rstrip(" ") for value in found]


@pytest.mark.parametrize(
    ("public", "cookie_domain", "name", "domains"),
    [
        (LOCAL, None, "vestibule_session", [None]),
        (LOCAL, "localhost", "vestibule_session", [None]),
        (HTTPS, None, "__Host-vestibule", [None]),
        (
            *(HTTPS, "team.example.test", "__Secure-vestibule"),
            ["auth.team.example.test", "team.example.test", "example.test"],
        ),
        (PublicAddress("https", "auth.internal", 443), "internal", "__Secure-vestibule", ["auth.internal", "internal"]),
    ],
)
def test_a_cookie_is_cleared_in_every_way_it_may_have_been_set(
    public: PublicAddress, cookie_domain: str | None, name: str, domains: list[str | None]
) -> None:
    """A cookie of this host alone has one identity; a shared one may stem from another `cookie_domain`."""
    assert session_cookie.cookie_name(public, cookie_domain) == name
    assert session_cookie.domains(public, cookie_domain) == domains


def test_a_name_is_taken_as_text() -> None:
    """A character with a meaning in searches has none in the name of a cookie."""
    assert session_cookie.sent("nXm=a; n.m=b;;n.m=c ", "n.m") == ["b", "c"]


def test_a_cookie_of_one_host_has_a_name_of_its_own() -> None:
    """A browser accepts the prefixed name from this host alone; plain http on localhost has no prefix."""
    names = [session_cookie.host_cookie_name(public, "device") for public in (LOCAL, HTTPS)]

    assert names == ["vestibule_device", "__Host-vestibule-device"]


def test_the_probe_has_the_prefix_of_the_session_cookie() -> None:
    """A browser that refuses the one refuses the other."""
    names = [
        session_cookie.probe_cookie_name(*where) for where in ((LOCAL, None), (HTTPS, None), (HTTPS, "example.test"))
    ]

    assert names == ["vestibule_session_probe", "__Host-vestibule-probe", "__Secure-vestibule-probe"]


_PAIRS = st.sampled_from(
    [
        *[(pair, True) for pair in ("vestibule_session=x", "__Secure-vestibule=x", "__Host-vestibule-device=x.y")],
        *[(pair, False) for pair in ("a=1", "b", "a=vestibule", "my-vestibule=1", "vestibule", "")],
    ]
)


@given(st.lists(_PAIRS, max_size=8), st.sampled_from([";", "; ", ";  "]))
def test_an_app_sees_no_cookie_of_ours_and_all_others(pairs: list[tuple[str, bool]], separator: str) -> None:
    """Ours are cut out wherever they stand, and the rest is left byte for byte, in its order."""
    header = separator.join(pair for pair, _ in pairs)

    left = session_cookie.without_ours(header)

    assert left == separator.join(pair for pair, is_ours in pairs if not is_ours)
