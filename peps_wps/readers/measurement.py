"""Lines of digital numbers of one image, read from wherever the measurement TIFF lies."""

import threading
import warnings
from typing import Protocol

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from peps_wps.errors import SafeError
from peps_wps.readers.byte_source import ByteSource
from peps_wps.readers.safe import Safe
from peps_wps.readers.tiff_layout import UNCOMPRESSED, UNSIGNED, TiffLayout, read_tiff_layout
from peps_wps.readers.wording import printable


class LineSource(Protocol):
    """An image that gives its lines, in any order and to several threads."""

    lines: int
    samples: int

    def read(self, first_line: int, last_line: int) -> NDArray[np.uint16]:
        """Return lines from `first_line` to before `last_line`, shape (lines, samples).

        Raises
        ------
        ValueError
            When the interval is not one of the image.
        SafeError
            When the file is damaged there.
        """


def open_lines(safe: Safe, name: str, *, lines: int, samples: int) -> LineSource:
    """Open the measurement `name`, which must have the size that the annotation says.

    Raises
    ------
    SafeError
        When it is no TIFF of 16-bit unsigned integers, ends early, or has another size.
    """
    label = printable(name)
    source = safe.open_bytes(name)
    layout = read_tiff_layout(source, label)
    if (layout.height, layout.width) != (lines, samples):
        raise SafeError(
            f"{label} has {layout.height} lines of {layout.width} samples, "
            f"{lines} lines of {samples} expected"
        )
    if (layout.bits, layout.sample_format, layout.samples_per_pixel) != (16, UNSIGNED, 1):
        raise SafeError(f"{label} does not hold one band of 16-bit unsigned integers")
    if layout.end > source.size:
        raise SafeError(f"{label} is truncated: {source.size} bytes found, {layout.end} expected")
    if layout.compression == UNCOMPRESSED and layout.rows_per_strip is not None:
        return UncompressedLines(source, layout, label)
    return GdalLines(safe.gdal_path(name), label, lines=lines, samples=samples)


class UncompressedLines:
    """Lines of a TIFF of uncompressed strips, as the processor of Sentinel-1 writes them."""

    def __init__(self, source: ByteSource, layout: TiffLayout, label: str) -> None:
        self.lines = layout.height
        self.samples = layout.width
        self._source = source
        self._label = label
        self._dtype = np.dtype(f"{layout.byte_order}u2")
        rows = layout.rows_per_strip or layout.height
        line = np.arange(layout.height)
        strip = line // rows
        if strip[-1] >= layout.block_offsets.size:
            raise SafeError(
                f"{label} has {layout.block_offsets.size} strips, {strip[-1] + 1} expected"
            )
        # Where each line starts: strips mostly follow each other, which nothing guarantees.
        self._offsets = layout.block_offsets[strip] + line % rows * self._line_bytes
        short = (
            self._offsets + self._line_bytes > (layout.block_offsets + layout.block_sizes)[strip]
        )
        if short.any():
            raise SafeError(f"{label} has a strip that is too short for line {int(short.argmax())}")

    @property
    def _line_bytes(self) -> int:
        return 2 * self.samples

    def read(self, first_line: int, last_line: int) -> NDArray[np.uint16]:
        """Return lines from `first_line` to before `last_line`, shape (lines, samples)."""
        _check_interval(first_line, last_line, self.lines)
        offsets = self._offsets[first_line:last_line]
        breaks = np.flatnonzero(np.diff(offsets) != self._line_bytes) + 1
        runs = np.split(np.arange(offsets.size), breaks)
        out = np.empty((offsets.size, self.samples), np.uint16)
        for run in runs:
            length = run.size * self._line_bytes
            data = self._source.read_at(int(offsets[run[0]]), length)
            if len(data) != length:
                raise SafeError(f"{self._label} is truncated: {len(data)} bytes of {length} found")
            out[run[0] : run[-1] + 1] = np.frombuffer(data, self._dtype).reshape(run.size, -1)
        return out


class GdalLines:
    """Lines of any other TIFF: tiled or compressed, as in the COG form of the product."""

    def __init__(self, path: str, label: str, *, lines: int, samples: int) -> None:
        self.lines = lines
        self.samples = samples
        self._label = label
        # A GDAL dataset serves one thread at a time.
        self._lock = threading.Lock()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                self._dataset = rasterio.open(path)
        except RasterioError as error:
            raise SafeError(f"{label} cannot be opened as a TIFF") from error

    def __del__(self) -> None:
        dataset = getattr(self, "_dataset", None)
        if dataset is not None:
            dataset.close()

    def read(self, first_line: int, last_line: int) -> NDArray[np.uint16]:
        """Return lines from `first_line` to before `last_line`, shape (lines, samples)."""
        _check_interval(first_line, last_line, self.lines)
        window = Window(0, first_line, self.samples, last_line - first_line)
        try:
            with self._lock:
                pixels: NDArray[np.uint16] = self._dataset.read(1, window=window)
        except RasterioError as error:
            raise SafeError(
                f"{self._label} is damaged between lines {first_line} and {last_line}"
            ) from error
        return pixels


def _check_interval(first_line: int, last_line: int, lines: int) -> None:
    if not 0 <= first_line < last_line <= lines:
        raise ValueError(f"lines {first_line} to {last_line} asked of an image of {lines} lines")
