"""The threads that hash: their priority, and the memory that they return when they are idle."""

import ctypes
import os
import sys
import threading
from contextlib import suppress
from typing import Final

NICENESS: Final = 10
_TRIM_THRESHOLD: Final = -1
_CHUNK: Final = 256 * 1024
_RETAINED_WHILE_BUSY: Final = 64 * 1024 * 1024


def lower_priority() -> None:
    """Lower the priority of this thread alone (Linux schedules threads; elsewhere nothing changes).

    A process that was started with a lower one stays as it is: raising a priority needs rights.
    """
    if sys.platform == "linux":  # pragma: no branch - elsewhere hashing shares the process's priority
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def return_memory() -> None:
    """Return to the system the 19 MiB that glibc retains for this thread's next hash.

    malloc_trim(3) returns what lies between other chunks, but not the end of a thread's heap. glibc cuts that off when
    a chunk is freed there, down to a threshold (mallopt(3)).
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # pragma: no branch - other C libraries retain nothing of that size
        libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        libc.malloc_trim(0)
        libc.mallopt(_TRIM_THRESHOLD, 0)
        libc.free(libc.malloc(_CHUNK))
        libc.mallopt(_TRIM_THRESHOLD, _RETAINED_WHILE_BUSY)
