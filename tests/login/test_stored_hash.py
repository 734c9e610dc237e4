"""Which password hashes can be checked, and afforded."""

from base64 import b64encode

import pytest
from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from service.login.stored_hash import Limits, hash_flaw
from tests.rig.passwords import PASSWORD

SALT = "c29tZXNhbHQ"
HASH = "aGFzaGhhc2hoYXNoaGFzaA"


def phc(
    *, kind: str = "argon2id", version: str = "v=19", cost: str = "m=16,t=1,p=2", tail: str = f"{SALT}${HASH}"
) -> str:
    """Return a hash with one part changed."""
    return f"${kind}${version}${cost}${tail}"


@pytest.mark.parametrize("kind", list(Type))
@pytest.mark.parametrize(("salt", "length"), [(8, 12), (16, 32), (48, 64)])
def test_what_argon2_makes_is_taken(kind: Type, salt: int, length: int) -> None:
    """All three kinds, with salts and hashes as short and as long as the format allows."""
    made = PasswordHasher(time_cost=1, memory_cost=16, parallelism=2, hash_len=length, salt_len=salt, type=kind)

    assert hash_flaw(made.hash(PASSWORD)) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must be"),
        ("$2b$12$abcdefghijklmnopqrstuv", "must be"),
        ("$argon2id$broken", "must be"),
        (phc(version="v=20"), "must be"),
        (phc(version="v=16"), "must be"),
        (phc(cost="t=1,m=16,p=2"), "must be"),
        (phc(cost="m=16,t=0,p=2"), "must be"),
        (phc(cost="m=16,t=1,p=0"), "must be"),
        (phc(cost="m=-16,t=1,p=2"), "must be"),
        (phc(cost="m=16,t=01,p=2"), "must be"),
        (phc(cost="m=16,t=1,p=2,data=x"), "must be"),
        (phc(cost="m=16,t=\u0661,p=2"), "must be"),
        (phc(tail=f"{SALT}=${HASH}"), "must be"),
        (phc(tail=f"{SALT}${HASH}=="), "must be"),
        (phc(tail=f"{SALT}${HASH[:-2]}-_"), "must be"),
        (phc(tail=f"c29t${HASH}"), "must be"),
        (phc(tail=SALT), "must be"),
        (phc() + "\n", "must be"),
        (phc(tail=f"{SALT[:-1]}R${HASH}"), "cut short"),
        (phc(tail=f"{SALT}${HASH[:-1]}"), "cut short"),
        (phc(tail=f"{SALT}${HASH[:-2]}"), "cut short"),
        (phc(tail=f"{SALT}${HASH}A"), "cut short"),
        (phc(cost="m=12,t=20,p=2"), "at least m=16"),
        (phc(cost="m=131073,t=1,p=1"), "m=131073, t=1, p=1: a sign-in can pay for at most m=131072"),
        (phc(cost="m=131072,t=5,p=1"), "m times t 524288"),
        (phc(cost="m=8,t=1000000,p=1"), "m times t 524288"),
        (phc(cost="m=64,t=129,p=8"), "t=128"),
        (phc(cost="m=1024,t=1,p=9"), "p=8"),
    ],
)
def test_what_cannot_be_checked_or_afforded_is_refused_with_the_reason(text: str, reason: str) -> None:
    """The reason says what is wrong, with the numbers where it is the cost, and repeats neither salt nor hash."""
    said = hash_flaw(text) or ""

    assert reason in said
    assert SALT not in said
    assert HASH not in said


@pytest.mark.parametrize("cost", ["m=131072,t=4,p=8", "m=65536,t=3,p=4", "m=7168,t=5,p=1"])
def test_the_defaults_of_other_products_are_taken(cost: str) -> None:
    """What Rauthy, Authelia and Keycloak make by default may be imported."""
    assert hash_flaw(phc(cost=cost)) is None


def test_the_limits_are_the_last_cost_that_is_taken() -> None:
    """Of memory, memory times passes, passes, and lanes."""
    limits = Limits(memory_kib=100, kib_passes=200, passes=3, lanes=2)
    beyond = ("m=101,t=1,p=2", "m=100,t=3,p=2", "m=16,t=4,p=2", "m=100,t=1,p=3")

    assert [hash_flaw(phc(cost=cost), limits) for cost in ("m=100,t=2,p=2", "m=16,t=3,p=2")] == [None, None]
    assert all(hash_flaw(phc(cost=cost), limits) for cost in beyond)


numbers = st.integers(-1, 40).map(str) | st.sampled_from(["01", "+8", " 8", "8 ", "0x8", "4294967296"])
base64 = st.text("AQgw+/=-_", min_size=9, max_size=24)
hashes = st.builds(
    "${}${}$m={},t={},p={}${}${}{}".format,
    st.sampled_from(["argon2id", "argon2i", "argon2d", "argon2", "Argon2id"]),
    st.sampled_from(["v=19", "v=16", "v=20", "19"]),
    numbers,
    numbers,
    numbers,
    base64 | st.just(SALT),
    base64 | st.just(HASH),
    st.sampled_from(["", "$", "\n", "A"]),
)


encoded = st.binary(min_size=7, max_size=28).map(lambda each: b64encode(each).decode().rstrip("="))
nearly = st.from_regex(r"\$argon2(id|i|d)\$v=19\$m=[1-9][0-9],t=[12],p=[1-3]", fullmatch=True)


@given(hashes | st.builds("{}${}${}".format, nearly, encoded, encoded))
def test_whatever_the_rule_takes_argon2_reads(text: str) -> None:
    """The password is wrong, which only a hash that could be read and verified can say."""
    if hash_flaw(text) is None:
        with pytest.raises(VerifyMismatchError):
            PasswordHasher().verify(text, PASSWORD)
