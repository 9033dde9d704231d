"""The bytes of a Cloud Optimized GeoTIFF around its compressed blocks.

Layout after the GDAL COG driver's documentation ("Cloud Optimized GeoTIFF GDAL driver", file format
details) and TIFF 6.0: header, structural metadata, all image file directories, then the blocks
from the smallest overview to the full resolution, each between its size and its last four bytes.
What describes the raster (CRS keys, metadata, no data, scale) is encoded by GDAL itself, into a
file of one pixel whose tags are taken over.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

# TIFF 6.0, section 2, and the BigTIFF types.
SHORT, LONG, LONG8 = 3, 4, 16
_TYPE_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}

_NEW_SUBFILE_TYPE, _WIDTH, _LENGTH, _BITS, _COMPRESSION = 254, 256, 257, 258, 259
_PHOTOMETRIC, _SAMPLES, _PLANAR, _PREDICTOR = 262, 277, 284, 317
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTE_COUNTS = 322, 323, 324, 325
_EXTRA_SAMPLES, _SAMPLE_FORMAT = 338, 339
_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_BYTE_COUNTS = 273, 278, 279
_GDAL_NODATA = 42113
_REDUCED_IMAGE = 1
_BLACK_IS_ZERO, _RGB = 1, 2

# Tags of the one-pixel file that belong to its layout, not to what it describes.
_LAYOUT_TAGS = frozenset(
    [
        *(_NEW_SUBFILE_TYPE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES),
        *(_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_BYTE_COUNTS, _PLANAR, _PREDICTOR),
        *(_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTE_COUNTS, _SAMPLE_FORMAT),
    ]
)

_STRUCTURE = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
_GHOST = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_STRUCTURE) + _STRUCTURE
_LEADER = _TRAILER = 4
_CLASSIC_LIMIT = 2**32 - 2**20


@dataclass(frozen=True)
class Tag:
    """One entry of an image file directory, its value as little-endian bytes."""

    type: int
    count: int
    value: bytes


@dataclass(frozen=True)
class RasterDescription:
    """What a file says about its pixels beside their values; see `rasterio` for the meanings.

    The tag UNIT, where there is one, is the unit of the bands too, as QGIS and GDAL show it.
    `samples` is 1, or 3 of a picture: red, green and blue. `bands` are the descriptions of bands
    that lie one after the other, so that each can be read alone; empty for one band or a picture.
    """

    dtype: str
    epsg: int
    transform: Affine
    nodata: float | None
    tags: Mapping[str, str]
    scale: float = 1.0
    offset: float = 0.0
    description: str = ""
    samples: int = 1
    bands: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of bands as a reader sees them."""
        return len(self.bands) or self.samples


@dataclass(frozen=True)
class Level:
    """One resolution: its size in pixels and its blocks in row-major order, None where all no data.

    The first level of a file is the full resolution; blocks of further bands come after those of
    the first.
    """

    width: int
    height: int
    blocks: Sequence[bytes | None]


@dataclass(frozen=True)
class Coding:
    """How blocks are coded: side in pixels, TIFF compression and predictor codes."""

    side: int
    compression: int
    predictor: int


def describing_tags(description: RasterDescription) -> dict[int, Tag]:
    """Let GDAL encode everything that does not depend on the layout of the pixels."""
    profile = {
        "driver": "GTiff",
        "width": 1,
        "height": 1,
        "count": description.count,
        "dtype": description.dtype,
        "crs": f"EPSG:{description.epsg}",
        "transform": description.transform,
        "nodata": description.nodata,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as one:
            one.update_tags(AREA_OR_POINT="Area", **description.tags)
            if (description.scale, description.offset) != (1.0, 0.0):
                one.scales = (description.scale,) * description.count
                one.offsets = (description.offset,) * description.count
            if description.description or description.bands:
                names = (description.description,) * description.samples
                one.descriptions = description.bands or names
            if "UNIT" in description.tags:
                one.units = (description.tags["UNIT"],) * description.count
            one.write(np.zeros((description.count, 1, 1), description.dtype))
        tags = read_first_directory(memory.read())
    return {code: tag for code, tag in tags.items() if code not in _LAYOUT_TAGS}


def read_first_directory(content: bytes) -> dict[int, Tag]:
    """Return the entries of the first directory of a classic little-endian TIFF."""
    order, version, start = struct.unpack_from("<2sHI", content)
    if (order, version) != (b"II", 42):
        raise ValueError(f"not a little-endian classic TIFF: it starts with {content[:4]!r}")
    (entries,) = struct.unpack_from("<H", content, start)
    tags = {}
    for index in range(entries):
        position = start + 2 + 12 * index
        code, kind, count = struct.unpack_from("<HHI", content, position)
        size = _TYPE_SIZE[kind] * count
        where = position + 8
        if size > 4:
            (where,) = struct.unpack_from("<I", content, where)
        tags[code] = Tag(kind, count, content[where : where + size])
    return tags


def write_cog(
    stream: BinaryIO, levels: Sequence[Level], coding: Coding, description: RasterDescription
) -> None:
    """Write header, directories and blocks.

    Parameters
    ----------
    stream
        Open for writing at its start.
    levels
        Full resolution first, then the overviews, each half of the one before.
    """
    data_bytes = sum(
        len(block) + _LEADER + _TRAILER
        for level in levels
        for block in level.blocks
        if block is not None
    )
    width = _CLASSIC if data_bytes < _CLASSIC_LIMIT else _BIG
    describing = describing_tags(description)
    directories = [
        _directory(level, coding, description, describing, width, is_overview=index > 0)
        for index, level in enumerate(levels)
    ]
    starts, position = [], width.header_size + len(_GHOST)
    position += position % 2
    first = position
    for directory in directories:
        starts.append(position)
        position += width.directory_size(directory)
    _set_block_positions(levels, directories, width, position)

    stream.write(width.header(first) + _GHOST)
    stream.write(b"\0" * (first - width.header_size - len(_GHOST)))
    for index, directory in enumerate(directories):
        following = starts[index + 1] if index + 1 < len(starts) else 0
        stream.write(width.directory(directory, starts[index], following))
    for level in reversed(levels):
        for block in level.blocks:
            if block is not None:
                stream.write(struct.pack("<I", len(block)))
                stream.write(block)
                stream.write(block[-_TRAILER:])


def _directory(
    level: Level,
    coding: Coding,
    description: RasterDescription,
    describing: Mapping[int, Tag],
    width: "_Width",
    *,
    is_overview: bool,
) -> dict[int, Tag]:
    """Return the entries of one level, block positions still zero."""
    dtype, samples = np.dtype(description.dtype), description.count
    sample_format = {"u": 1, "i": 2, "f": 3}[dtype.kind]
    blocks = len(level.blocks)
    entries = {
        _WIDTH: _long(level.width),
        _LENGTH: _long(level.height),
        _BITS: _short(dtype.itemsize * 8, samples),
        _COMPRESSION: _short(coding.compression),
        _PHOTOMETRIC: _short(_BLACK_IS_ZERO if description.samples == 1 else _RGB),
        _SAMPLES: _short(samples),
        _PLANAR: _short(2 if description.bands else 1),
        _PREDICTOR: _short(coding.predictor),
        _TILE_WIDTH: _short(coding.side),
        _TILE_LENGTH: _short(coding.side),
        _TILE_OFFSETS: Tag(width.offset_type, blocks, bytes(width.offset_size * blocks)),
        _TILE_BYTE_COUNTS: Tag(LONG, blocks, bytes(4 * blocks)),
        _SAMPLE_FORMAT: _short(sample_format, samples),
    }
    if is_overview:
        entries[_NEW_SUBFILE_TYPE] = _long(_REDUCED_IMAGE)
        for code in (_EXTRA_SAMPLES, _GDAL_NODATA):
            if code in describing:
                entries[code] = describing[code]
    else:
        entries.update(describing)
    return dict(sorted(entries.items()))


def _set_block_positions(
    levels: Sequence[Level], directories: Sequence[dict[int, Tag]], width: "_Width", position: int
) -> None:
    """Fill in where each block lies: smallest overview first, a sparse block at 0 with 0 bytes."""
    for level, directory in reversed(list(zip(levels, directories, strict=True))):
        offsets, counts = [], []
        for block in level.blocks:
            offsets.append(0 if block is None else position + _LEADER)
            counts.append(0 if block is None else len(block))
            if block is not None:
                position += _LEADER + len(block) + _TRAILER
        offset_dtype = "<u4" if width.offset_size == 4 else "<u8"
        for code, values, dtype in (
            (_TILE_OFFSETS, offsets, offset_dtype),
            (_TILE_BYTE_COUNTS, counts, "<u4"),
        ):
            tag = directory[code]
            directory[code] = replace(tag, value=np.array(values, dtype).tobytes())


def _short(value: int, count: int = 1) -> Tag:
    return Tag(SHORT, count, struct.pack("<H", value) * count)


def _long(value: int) -> Tag:
    return Tag(LONG, 1, struct.pack("<I", value))


@dataclass(frozen=True)
class _Width:
    """Sizes of offsets and counts: classic TIFF or BigTIFF (struct formats)."""

    header_format: str
    header_values: tuple[object, ...]
    offset_format: str
    count_format: str
    offset_type: int

    @property
    def header_size(self) -> int:
        return struct.calcsize(self.header_format)

    @property
    def offset_size(self) -> int:
        return struct.calcsize(self.offset_format)

    def header(self, first_directory: int) -> bytes:
        return struct.pack(self.header_format, *self.header_values, first_directory)

    def directory_size(self, entries: Mapping[int, Tag]) -> int:
        return len(self.directory(entries, 0, 0))

    def directory(self, entries: Mapping[int, Tag], start: int, following: int) -> bytes:
        """Return the bytes of a directory at `start`; values that do not fit stand behind it."""
        count = struct.pack(self.count_format, len(entries))
        entry_size = 4 + 2 * self.offset_size
        outside_at = start + len(count) + entry_size * len(entries) + self.offset_size
        head, outside = bytearray(count), bytearray()
        for code, tag in entries.items():
            head += struct.pack("<HH", code, tag.type) + self._offset(tag.count)
            if len(tag.value) <= self.offset_size:
                head += tag.value.ljust(self.offset_size, b"\0")
            else:
                head += self._offset(outside_at + len(outside))
                outside += tag.value.ljust(_even(len(tag.value)), b"\0")
        content = bytes(head + self._offset(following) + outside)
        return content.ljust(_even(len(content)), b"\0")

    def _offset(self, value: int) -> bytes:
        return struct.pack(self.offset_format, value)


_CLASSIC = _Width("<2sHI", (b"II", 42), "<I", "<H", LONG)
_BIG = _Width("<2sHHHQ", (b"II", 43, 8, 0), "<Q", "<Q", LONG8)


def _even(size: int) -> int:
    return size + size % 2
