"""Random access to the bytes of one file, also inside a zip, with bounded memory.

Plain reads at an offset are used rather than a memory map: the pages of a map count as memory of
the process, and a product of 1.8 GB would pass the limit of a worker.
"""

import os
import threading
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

from peps_wps.errors import SafeError

# Expanded bytes between two places where decompression can start again; each keeps about 45 kB.
RESTART_INTERVAL = 4 * 2**20
CHUNKS_KEPT = 12
_READ = 256 * 1024


class ByteSource(Protocol):
    """Bytes that can be read from anywhere, by several threads."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end of the file."""


class StoredBytes:
    """A file, or a part of a file that is not compressed."""

    def __init__(self, path: Path, *, offset: int, size: int) -> None:
        self.size = size
        self._offset = offset
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end of the file."""
        length = max(0, min(length, self.size - offset))
        parts = []
        while length > 0:
            part = os.pread(self._descriptor, length, self._offset + offset)
            if not part:  # the file has shrunk since its size was taken
                break
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class DeflatedBytes:
    """A deflated zip member.

    It is expanded once from its start; on the way the state of the decompressor is kept every
    `RESTART_INTERVAL` bytes, so that going back costs one interval. The last chunks stay in memory.
    """

    def __init__(
        self, path: Path, *, offset: int, compressed_size: int, size: int, checksum: int, label: str
    ) -> None:
        self.size = size
        self._stored = StoredBytes(path, offset=offset, size=compressed_size)
        self._checksum = checksum
        self._label = label
        self._lock = threading.Lock()
        # Decompressor and place in the compressed bytes at the start of each chunk reached so far.
        self._restarts: list[tuple[zlib._Decompress, int]] = [(zlib.decompressobj(-15), 0)]
        self._checksum_so_far = 0
        self._chunks_checked = 0
        self._chunks: OrderedDict[int, bytes] = OrderedDict()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end of the file."""
        end = min(offset + length, self.size)
        if end <= offset:
            return b""
        parts = []
        for number in range(offset // RESTART_INTERVAL, (end - 1) // RESTART_INTERVAL + 1):
            start = number * RESTART_INTERVAL
            parts.append(self._chunk(number)[max(0, offset - start) : end - start])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _chunk(self, number: int) -> bytes:
        """Return a chunk, expanding whatever lies between it and the nearest restart before it."""
        with self._lock:
            if number in self._chunks:
                self._chunks.move_to_end(number)
                return self._chunks[number]
            for reached in range(min(number, len(self._restarts) - 1), number + 1):
                chunk = self._expand(reached)
            self._chunks[number] = chunk
            if len(self._chunks) > CHUNKS_KEPT:
                self._chunks.popitem(last=False)
            return chunk

    def _expand(self, number: int) -> bytes:
        """Expand one chunk from its restart; the first time, note the restart of the next."""
        expected = min(RESTART_INTERVAL, self.size - number * RESTART_INTERVAL)
        start, position = self._restarts[number]
        decompressor = start.copy()
        parts, found = [], 0
        while found < expected:
            data = decompressor.unconsumed_tail
            if not data:
                data = self._stored.read_at(position, _READ)
                position += len(data)
            part = self._decompress(decompressor, data, expected - found)
            if not part and not data:
                raise SafeError(
                    f"{self._label} is truncated: {number * RESTART_INTERVAL + found} bytes found, "
                    f"{self.size} expected"
                )
            parts.append(part)
            found += len(part)
        chunk = b"".join(parts)
        if number == self._chunks_checked:
            self._note(number, chunk, decompressor, position)
        return chunk

    def _decompress(self, decompressor: "zlib._Decompress", data: bytes, most: int) -> bytes:
        try:
            return decompressor.decompress(data, most)
        except zlib.error as error:
            raise SafeError(f"{self._label} is damaged: it cannot be decompressed") from error

    def _note(
        self, number: int, chunk: bytes, decompressor: "zlib._Decompress", position: int
    ) -> None:
        """Keep the next restart; at the end of the member its checksum must hold."""
        checksum = zlib.crc32(chunk, self._checksum_so_far)
        if (number + 1) * RESTART_INTERVAL < self.size:
            self._restarts.append((decompressor, position))
        elif checksum != self._checksum:
            raise SafeError(
                f"{self._label} is damaged: checksum {checksum:08x} found, "
                f"{self._checksum:08x} expected"
            )
        self._checksum_so_far = checksum
        self._chunks_checked += 1
