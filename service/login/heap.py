"""The heap of a thread that hashes: one large block, taken and freed for each hash, under glibc (mallopt(3)).

Elsewhere (musl, macOS) nothing here does anything: their heaps behave otherwise.
"""

import ctypes
import mmap
from typing import Any, Final

_ADVICE: Final = getattr(mmap, "MADV_HUGEPAGE", None)
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_OF_SOME_SIZE: Final = 256 * 1024
_KEPT_WHILE_BUSY: Final = 64 * 1024 * 1024


def keep(block: int) -> None:
    """Keep what this thread frees of so many bytes for its next block, in large pages.

    A block that is kept spares a third of a hash's time; argon2 reads all over it, and in large pages that is
    another 7 % faster. Nothing changes where the kernel has none to give, and for blocks above 32 MiB, which glibc
    never keeps.
    """
    libc = _glibc()
    if libc is None or _ADVICE is None:  # pragma: no cover - not on glibc
        return
    libc.mallopt(_MMAP_THRESHOLD, block + mmap.PAGESIZE)
    libc.mallopt(_TRIM_THRESHOLD, _KEPT_WHILE_BUSY)
    taken = libc.malloc(block)
    first = -(-taken // mmap.PAGESIZE) * mmap.PAGESIZE
    libc.madvise(first, taken + block - first, _ADVICE)
    libc.free(taken)


def give_back() -> None:
    """Return to the system what this thread keeps: 19 MiB are a lot to keep for nobody.

    glibc trims a thread's heap when something of some size is freed, down to a threshold.
    """
    libc = _glibc()
    if libc is None:  # pragma: no cover - not on glibc
        return
    libc.mallopt(_TRIM_THRESHOLD, 0)
    libc.free(libc.malloc(_OF_SOME_SIZE))
    libc.mallopt(_TRIM_THRESHOLD, _KEPT_WHILE_BUSY)


def _glibc() -> Any:  # noqa: ANN401 - ctypes
    """Return the C library with its functions typed, or None when it is another one."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):  # pragma: no cover - not on glibc
        return None
    libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    libc.free.argtypes, libc.free.restype = [ctypes.c_void_p], None
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return libc
