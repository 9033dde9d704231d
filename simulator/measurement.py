"""Measurement files: uncompressed 16-bit TIFF, one line a strip, tie points; and quick-looks.

Images are of unsigned integers (detected) or of complex ones, 16 bits a part (single look).

Written by hand, since the layout (a strip a line, in order, GCPs) is what readers of real
products rely on: TIFF 6.0, Adobe 1992; GeoTIFF 1.1, OGC 19-008r4.
"""

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BYTE_TEXT, SHORT, LONG, DOUBLE = 2, 3, 4, 12
UNSIGNED, COMPLEX_INTEGER = 1, 5  # sample formats
SIZES = {BYTE_TEXT: 1, SHORT: 2, LONG: 4, DOUBLE: 8}
FORMS = {BYTE_TEXT: "B", SHORT: "H", LONG: "I", DOUBLE: "d"}
# GeoTIFF keys: version 1.1.0, geographic model, pixel is area, WGS 84.
GEO_KEYS = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)


class MeasurementFile:
    """A measurement file that is written from its first line to its last.

    Parameters
    ----------
    path
        File to write.
    shape
        Lines and samples.
    tie_points
        Sample, line, 0, longitude and latitude in degrees, height in metres, shape (n, 6).
    description
        What readers know a Sentinel-1 image by: "Sentinel-1A IW GRD HR L1".
    is_complex
        Whether pixels are complex.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int],
        tie_points: NDArray[np.float64],
        description: str,
        *,
        is_complex: bool = False,
    ) -> None:
        self._file = path.open("wb")
        self._digest = hashlib.md5(usedforsecurity=False)
        self.size = 0
        header = _header(shape, tie_points, description, is_complex=is_complex)
        self.first_pixel = len(header)
        self._write(header)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    @property
    def md5(self) -> str:
        """Checksum of what has been written."""
        return self._digest.hexdigest()

    def append(self, lines: NDArray[np.uint16]) -> None:
        """Write some more lines, shape (n, samples)."""
        self._write(np.ascontiguousarray(lines, "<u2").data.cast("B"))

    def append_complex(self, lines: NDArray[np.int16]) -> None:
        """Write some more complex lines: real and imaginary part last, shape (n, samples, 2)."""
        self._write(np.ascontiguousarray(lines, "<i2").data.cast("B"))

    def _write(self, data: bytes | memoryview) -> None:
        """Write bytes and account for them."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)


def _header(
    shape: tuple[int, int],
    tie_points: NDArray[np.float64],
    description: str,
    *,
    is_complex: bool,
) -> bytes:
    """TIFF header, directory and its long values; the lines follow."""
    lines, samples = shape
    pixel, kind_of_pixel = (4, COMPLEX_INTEGER) if is_complex else (2, UNSIGNED)
    fields = [
        (256, LONG, (samples,)),
        (257, LONG, (lines,)),
        (258, SHORT, (8 * pixel,)),
        (259, SHORT, (1,)),
        (262, SHORT, (1,)),
        (270, BYTE_TEXT, tuple(description.encode("ascii") + b"\0")),
        (273, LONG, tuple(range(lines))),  # offsets, replaced below
        (277, SHORT, (1,)),
        (278, LONG, (1,)),
        (279, LONG, (pixel * samples,) * lines),
        (284, SHORT, (1,)),
        (339, SHORT, (kind_of_pixel,)),
        (33922, DOUBLE, tuple(tie_points.ravel())),
        (34735, SHORT, GEO_KEYS),
    ]
    directory_end = 8 + 2 + 12 * len(fields) + 4
    long_values = sum(
        SIZES[kind] * len(values) for _, kind, values in fields if SIZES[kind] * len(values) > 4
    )
    first = -(-(directory_end + long_values) // 16) * 16
    offsets = tuple(first + pixel * samples * line for line in range(lines))
    directory, tail, place = b"", b"", directory_end
    for tag, kind, given in fields:
        values = offsets if tag == 273 else given
        packed = struct.pack(f"<{len(values)}{FORMS[kind]}", *values)
        if len(packed) > 4:
            directory += struct.pack("<HHII", tag, kind, len(values), place)
            tail += packed
            place += len(packed)
        else:
            directory += struct.pack("<HHI4s", tag, kind, len(values), packed)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(fields)) + directory + bytes(4) + tail
    return head.ljust(first, b"\0")


class QuickLook:
    """A small colour picture of an image, filled strip by strip: red co, green cross, blue ratio.

    Parameters
    ----------
    shape
        Lines and samples of the image.
    width
        Columns of the picture, at most.
    """

    def __init__(self, shape: tuple[int, int], width: int = 512) -> None:
        self.step = max(-(-shape[1] // width), 1)
        self.rows: list[NDArray[np.float64]] = []
        self._line = 0

    def append(self, strip: NDArray[np.uint16]) -> None:
        """Add a strip of shape (polarization, lines, samples)."""
        taken = strip[:, -self._line % self.step :: self.step, :]
        self._line += strip.shape[1]
        columns = taken.shape[2] // self.step
        # A short strip may have no line of the picture: its array is empty, of a definite shape.
        shape = (*taken.shape[:2], columns, self.step)
        blocks = taken[:, :, : columns * self.step].reshape(shape)
        self.rows.append(blocks.mean(axis=3))

    def png(self) -> bytes:
        """Picture as a PNG file."""
        image = np.concatenate(self.rows, axis=1)
        co, cross = image[0], image[-1]
        ratio = np.divide(co, cross, out=np.zeros_like(co), where=cross > 0)
        bands = []
        for band in (co, cross, ratio):
            lit = band[band > 0]
            top = float(np.percentile(lit, 98)) if lit.size else 1.0
            bands.append(np.clip(255 * band / top, 0, 255))
        return png_bytes(np.dstack(bands).astype(np.uint8))


def png_bytes(picture: NDArray[np.uint8]) -> bytes:
    """Encode an RGB picture of shape (rows, columns, 3) as PNG (ISO/IEC 15948)."""
    rows, columns, _ = picture.shape
    filtered = np.zeros((rows, 1 + 3 * columns), np.uint8)
    filtered[:, 1:] = picture.reshape(rows, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6))
        + chunk(b"IEND", b"")
    )
