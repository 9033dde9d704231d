"""Where the pixels of a TIFF lie (TIFF 6.0, section 2; BigTIFF): the first image only."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from peps_wps.errors import SafeError
from peps_wps.readers.byte_source import ByteSource

_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_STRIP_OFFSETS, _SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _STRIP_SIZES = 273, 277, 278, 279
_TILE_OFFSETS, _TILE_SIZES, _SAMPLE_FORMAT = 324, 325, 339
_TYPES = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8"}  # BYTE SHORT LONG IFD LONG8
_VALUES_LIMIT = 2**24
UNCOMPRESSED = 1
UNSIGNED = 1
COMPLEX_INTEGER = 5


@dataclass(frozen=True)
class TiffLayout:
    """Size, encoding and place of the pixels of one image.

    Parameters
    ----------
    byte_order
        "<" or ">".
    rows_per_strip
        None when the image is tiled.
    block_offsets, block_sizes
        Bytes of each strip or tile, shape (n,), int64.
    """

    byte_order: str
    width: int
    height: int
    bits: int
    samples_per_pixel: int
    sample_format: int
    compression: int
    rows_per_strip: int | None
    block_offsets: NDArray[np.int64]
    block_sizes: NDArray[np.int64]

    @property
    def end(self) -> int:
        """Bytes that the file must have to hold every block."""
        return int((self.block_offsets + self.block_sizes).max(initial=0))


def read_tiff_layout(source: ByteSource, name: str) -> TiffLayout:
    """Return the layout of the first image; raise SafeError naming the file when it has none."""
    try:
        return _layout(source)
    except (struct.error, KeyError, IndexError, ValueError) as error:
        raise SafeError(f"{name} is not a readable TIFF") from error


def _layout(source: ByteSource) -> TiffLayout:
    header = source.read_at(0, 16)
    order = {b"II": "<", b"MM": ">"}[header[:2]]
    version = struct.unpack_from(f"{order}H", header, 2)[0]
    if version not in (42, 43):
        raise ValueError(version)
    big = version == 43
    directory = struct.unpack_from(f"{order}Q" if big else f"{order}I", header, 8 if big else 4)[0]
    tags = _directory(source, directory, order, big=big)
    tiled = _TILE_OFFSETS in tags
    height = int(tags[_HEIGHT][0])
    offsets = np.asarray(tags[_TILE_OFFSETS if tiled else _STRIP_OFFSETS], np.int64)
    sizes = np.asarray(tags[_TILE_SIZES if tiled else _STRIP_SIZES], np.int64)
    if offsets.size != sizes.size or min(offsets.min(), sizes.min()) < 0:
        raise ValueError(offsets.size)
    return TiffLayout(
        byte_order=order,
        width=int(tags[_WIDTH][0]),
        height=height,
        bits=int(tags.get(_BITS, [1])[0]),
        samples_per_pixel=int(tags.get(_SAMPLES_PER_PIXEL, [1])[0]),
        sample_format=int(tags.get(_SAMPLE_FORMAT, [UNSIGNED])[0]),
        compression=int(tags.get(_COMPRESSION, [UNCOMPRESSED])[0]),
        rows_per_strip=None if tiled else min(height, int(tags.get(_ROWS_PER_STRIP, [height])[0])),
        block_offsets=offsets,
        block_sizes=sizes,
    )


def _directory(
    source: ByteSource, offset: int, order: str, *, big: bool
) -> dict[int, NDArray[np.unsignedinteger]]:
    """Return the integer tags of the directory at `offset`."""
    count_size, entry_size, inline = (8, 20, 8) if big else (2, 12, 4)
    count = int.from_bytes(source.read_at(offset, count_size), "little" if order == "<" else "big")
    entries = source.read_at(offset + count_size, min(count, 4096) * entry_size)
    tags = {}
    for place in range(0, min(count, 4096) * entry_size, entry_size):
        tag, kind, number = struct.unpack_from(f"{order}HH{'Q' if big else 'I'}", entries, place)
        if kind not in _TYPES or not 0 < number <= _VALUES_LIMIT:
            continue
        dtype = np.dtype(order + _TYPES[kind])
        value = entries[place + entry_size - inline : place + entry_size]
        if number * dtype.itemsize > inline:
            where = struct.unpack(f"{order}{'Q' if big else 'I'}", value)[0]
            value = source.read_at(where, number * dtype.itemsize)
        tags[tag] = np.frombuffer(value, dtype, number)
    return tags
