"""The heap of a thread that hashes: large pages while it works, and nothing kept for nobody."""

import ctypes
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from service.login import heap
from service.login.passwords import Parameters, Passwords

MIB = 1024 * 1024
BLOCK = 16 * MIB
Result = TypeVar("Result")
GLIBC = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")


@GLIBC
@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="no large pages in this kernel")
def test_blocks_lie_where_large_pages_are_wanted() -> None:
    """After `keep`, the next block of that size lies in memory that the kernel gives in large pages."""

    def flags() -> str:
        heap.keep(BLOCK)
        libc = ctypes.CDLL(None)
        libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
        libc.free.argtypes = [ctypes.c_void_p]
        block = libc.malloc(BLOCK)
        libc.free(block)
        return _flags_at(block + BLOCK // 2)

    assert "hg" in _in_a_thread(flags).split()


@GLIBC
def test_what_hashing_used_goes_back() -> None:
    """A thread that hashed keeps the memory for the next hash, until it is told that there is none."""

    def given_back() -> int:
        heap.keep(BLOCK)
        Passwords(Parameters(memory_kib=BLOCK // 1024, iterations=1, parallelism=1)).hash("a password")
        before = _resident()
        heap.give_back()
        return before - _resident()

    assert _in_a_thread(given_back) > BLOCK - MIB


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _flags_at(address: int) -> str:
    """Return the kernel's flags of the mapping around an address (proc(5), VmFlags)."""
    for first, last, flags in re.findall(
        r"(?ms)^([0-9a-f]+)-([0-9a-f]+) .*?^VmFlags: ([^\n]*)", Path("/proc/self/smaps").read_text()
    ):
        if int(first, 16) <= address < int(last, 16):
            return str(flags)
    return ""


def _in_a_thread(work: Callable[[], Result]) -> Result:
    """Run in a thread of its own, with a heap of its own."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]
