"""The file to which nginx appends a line for each request: each line is read once, and its space freed.

nginx appends and waits for nothing: a reader that stalls or has ended holds up no answer.
"""

import ctypes
import fcntl
import os
from collections.abc import Iterator

CHUNK_BYTES = 65536
CHUNKS_AT_ONCE = 128
_BLOCK = 65536  # a multiple of every file system's: only whole blocks are given back
_FALLOCATE = getattr(ctypes.CDLL(None), "fallocate", None)  # Linux has it
_PUNCH_HOLE = 0x02 | 0x01  # FALLOC_FL_PUNCH_HOLE, FALLOC_FL_KEEP_SIZE
_LONGEST = 1 << 40  # bytes, most of them a hole; ext4 ends at sixteen times that


class RequestFile:
    """The file while this process reads it; another process waits until this one has ended."""

    def __init__(self, path: str) -> None:
        """Open the file and wait for its lock. Raises OSError."""
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._read = self._given_back = os.lseek(self._file, 0, os.SEEK_DATA)
        except OSError:  # nothing but a hole
            self._read = self._given_back = os.fstat(self._file).st_size

    def is_replaced(self) -> bool:
        """Whether nginx writes to another file of this name by now."""
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._file))  # noqa: PTH116 - pathlib costs memory
        except FileNotFoundError:
            return False

    def close(self) -> None:
        os.close(self._file)

    def lines(self) -> Iterator[list[bytes]]:
        """Yield the next whole lines by the thousand, at most some megabytes of them."""
        if os.fstat(self._file).st_size < self._read:  # another program emptied it
            self._read = self._given_back = 0
        for _ in range(CHUNKS_AT_ONCE):
            chunk = os.pread(self._file, CHUNK_BYTES, self._read)
            whole = chunk.rfind(b"\n") + 1 or len(chunk) // CHUNK_BYTES * CHUNK_BYTES
            if not whole:
                return
            yield chunk[:whole].lstrip(b"\0").split(b"\n")  # zeros: what an earlier process has read of a block
            self._read += whole

    def give_back(self) -> None:
        """Free the space of the lines that were read. Comes after they are counted, so that none is lost."""
        if self._read == self._given_back:
            return
        begin = self._given_back // _BLOCK * _BLOCK
        if self._read < _LONGEST and _punch_hole(self._file, begin, self._read - begin):
            self._given_back = self._read
        elif os.fstat(self._file).st_size == self._read:
            os.ftruncate(self._file, 0)  # a line that nginx appends at this very moment is lost
            self._read = self._given_back = 0


def _punch_hole(file: int, begin: int, length: int) -> bool:
    """Make bytes of a file a hole, which reads as zeros; return whether its file system can."""
    return _FALLOCATE is not None and not _FALLOCATE(file, _PUNCH_HOLE, ctypes.c_int64(begin), ctypes.c_int64(length))
