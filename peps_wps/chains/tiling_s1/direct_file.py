"""Large pieces of a file, to and from the disk without the cache of the system.

For what is read once and written once, as large as a series of sums: pages of a cache that is full
cost the processor ten times as much as the disk does, and what others read is thrown out for them.
"""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

PAGE_BYTES = 4096  # places and sizes are multiples, which every disk accepts
Bytes = NDArray[np.uint8]


class DirectFile:
    """A file that is there, for any thread.

    On file systems without direct access their cache is used: those that refuse it at once, and
    those that do when the first bytes pass.

    Parameters
    ----------
    path
        The file.
    writable
        Whether `write` will be called.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags | os.O_DIRECT)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self._descriptor = os.open(path, flags)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def read(self, place: int, size: int) -> Bytes:
        """Return bytes from a place on, both multiples of a page; 0 beyond the end of the file.

        Raises
        ------
        OSError
            When bytes before the end of the file do not come.
        """
        content = aligned(size)
        left = content.data
        end = os.fstat(self._descriptor).st_size
        while left and place < end:
            read = self._moved(os.preadv, left, place)
            if not read:
                raise OSError(errno.EIO, f"nothing is read at byte {place} of {end}")
            left, place = left[read:], place + read
        left[:] = bytes(len(left))
        return content

    def write(self, place: int, content: NDArray[Any]) -> None:
        """Write the bytes of an array of `aligned` to a place, a multiple of a page."""
        left = content.data.cast("B")
        while left:
            written = self._moved(os.pwritev, left, place)
            left, place = left[written:], place + written

    def _moved(self, move: Callable[..., int], piece: memoryview, place: int) -> int:
        """Return how many bytes of a piece were read or written, past the cache if that works.

        It may be refused for the whole file system, or for what is left after a part of a page.
        """
        try:
            return move(self._descriptor, [piece], place)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags & ~os.O_DIRECT)
        return move(self._descriptor, [piece], place)


def aligned(size: int) -> Bytes:
    """Return room for bytes that begins at a page of memory."""
    room = np.empty(size + PAGE_BYTES, np.uint8)
    first = -room.ctypes.data % PAGE_BYTES
    return room[first : first + size]
