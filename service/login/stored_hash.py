"""Which password hashes can be verified, and within the time of a sign-in: one rule for imported and stored ones.

A hash is text in the PHC string format (github.com/P-H-C/phc-string-format), read exactly as libargon2 reads it.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import astuple, dataclass
from typing import Final

_FORM: Final = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})"
    r"\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{16,86})"
)
_BLOCKS_PER_LANE: Final = 8  # RFC 9106, 3.1: m is at least 8p
_STEP: Final = 4  # bytes; a hash of another length was cut short


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one verification may cost.

    It is thirteen times the default (19,456 KiB, 2 passes): 0.4 to 0.7 s where the default takes 0.03 to 0.05 s, as
    long as an attempt may wait at the gate. The defaults of comparable products lie within. Passes have a bound of
    their own: argon2 starts four threads for each pass and lane, however little memory there is (8 s for 8,192 passes).
    """

    memory_kib: int = 128 * 1024
    kib_passes: int = 512 * 1024
    passes: int = 128
    lanes: int = 8


def hash_flaw(text: str, limits: Limits = Limits()) -> str | None:
    """Return why a hash cannot be verified, or costs too much; None when it can be. The text never quotes the hash."""
    found = _FORM.fullmatch(text)
    if found is None:
        return (
            "must be $argon2id$v=19$m=…,t=…,p=…$salt$hash (or argon2i, argon2d), with salt (8 to 48 bytes) and hash "
            "(12 to 64 bytes) in standard base64 without padding"
        )
    memory, passes, lanes = (int(number) for number in found.groups()[:3])
    if not all(_is_base64(part) for part in found.groups()[3:]) or len(found[5]) * 3 // 4 % _STEP:
        return "has a salt or a hash that was cut short"
    if memory < _BLOCKS_PER_LANE * lanes:
        return f"has m={memory}, which is too little for p={lanes}: argon2 needs at least m={_BLOCKS_PER_LANE * lanes}"
    found_costs = (memory, memory * passes, passes, lanes)
    if all(cost <= most for cost, most in zip(found_costs, astuple(limits), strict=True)):
        return None
    return (
        f"costs too much with m={memory}, t={passes}, p={lanes}: a sign-in can pay for at most m={limits.memory_kib}, "
        f"m times t {limits.kib_passes}, t={limits.passes}, p={limits.lanes}"
    )


def _is_base64(text: str) -> bool:
    """Whether the text encodes whole bytes: the unused bits of its last character are zero (RFC 4648, 3.5)."""
    return len(text) % 4 != 1 and b64encode(b64decode(text + "=" * (-len(text) % 4))).decode().rstrip("=") == text
