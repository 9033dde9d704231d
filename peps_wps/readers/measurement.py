"""Lines of digital numbers of one image, read from wherever the measurement TIFF lies."""

import threading
import warnings
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from peps_wps.errors import SafeError
from peps_wps.readers.byte_source import ByteSource
from peps_wps.readers.safe import Safe
from peps_wps.readers.tiff_layout import (
    COMPLEX_INTEGER,
    UNCOMPRESSED,
    UNSIGNED,
    TiffLayout,
    read_tiff_layout,
)
from peps_wps.readers.wording import printable

Integer = TypeVar("Integer", bound=np.integer[Any])
# Complex lines are decoded so many bytes at a time, which stays in a processor's cache.
_DECODED_AT_ONCE = 2**20


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
    layout = _sound_layout(source, label, lines=lines, samples=samples)
    if (layout.bits, layout.sample_format) != (16, UNSIGNED):
        raise SafeError(f"{label} does not hold one band of 16-bit unsigned integers")
    if layout.compression == UNCOMPRESSED and layout.rows_per_strip is not None:
        return UncompressedLines(source, layout, label, np.uint16)
    return GdalLines(safe.gdal_path(name), label, lines=lines, samples=samples)


class ComplexLines:
    """The complex image of a single look product, 16 bits a part; 0 where there is no data.

    Parameters
    ----------
    safe, name
        The product, and its measurement.
    lines, samples
        Its size, as the annotation says.

    Raises
    ------
    SafeError
        When it is no TIFF of complex 16-bit integers, ends early, or has another size.
    """

    def __init__(self, safe: Safe, name: str, *, lines: int, samples: int) -> None:
        label = printable(name)
        source = safe.open_bytes(name)
        layout = _sound_layout(source, label, lines=lines, samples=samples)
        if (layout.bits, layout.sample_format) != (32, COMPLEX_INTEGER):
            raise SafeError(f"{label} does not hold one band of complex 16-bit integers")
        self.lines = lines
        self.samples = samples
        self._stored: UncompressedLines[np.int16] | GdalLines
        if layout.compression == UNCOMPRESSED and layout.rows_per_strip is not None:
            self._stored = UncompressedLines(source, layout, label, np.int16)
        else:
            self._stored = GdalLines(safe.gdal_path(name), label, lines=lines, samples=samples)

    def read(
        self, first_line: int, last_line: int, first_sample: int = 0, last_sample: int | None = None
    ) -> NDArray[np.complex64]:
        """Return a window from `first_line` to before `last_line`, and so along the range.

        Raises
        ------
        ValueError
            When the window does not lie within the image.
        SafeError
            When the file is damaged there.
        """
        last_sample = self.samples if last_sample is None else last_sample
        _check_interval(first_line, last_line, self.lines)
        if not 0 <= first_sample < last_sample <= self.samples:
            raise ValueError(
                f"samples {first_sample} to {last_sample} asked of lines of {self.samples} samples"
            )
        out = np.empty((last_line - first_line, last_sample - first_sample), np.complex64)
        step = max(1, _DECODED_AT_ONCE // (4 * self.samples))
        for line in range(first_line, last_line, step):
            end = min(line + step, last_line)
            block = out[line - first_line : end - first_line]
            if isinstance(self._stored, GdalLines):
                block[:] = self._stored.read(line, end)[:, first_sample:last_sample]
            else:
                parts = self._stored.read(line, end)[:, 2 * first_sample : 2 * last_sample]
                block.view(np.float32)[:] = parts
        return out


def _sound_layout(source: ByteSource, label: str, *, lines: int, samples: int) -> TiffLayout:
    """Return the layout of a whole image of one band, of the size expected."""
    layout = read_tiff_layout(source, label)
    if (layout.height, layout.width) != (lines, samples):
        raise SafeError(
            f"{label} has {layout.height} lines of {layout.width} samples, "
            f"{lines} lines of {samples} expected"
        )
    if layout.samples_per_pixel != 1:
        raise SafeError(f"{label} has {layout.samples_per_pixel} bands, 1 expected")
    if layout.end > source.size:
        raise SafeError(f"{label} is truncated: {source.size} bytes found, {layout.end} expected")
    return layout


class UncompressedLines(Generic[Integer]):
    """Lines of a TIFF of uncompressed strips, as the processor of Sentinel-1 writes them.

    A line has so many integers as fill it: two a sample where samples are complex.
    """

    def __init__(
        self, source: ByteSource, layout: TiffLayout, label: str, integer: type[Integer]
    ) -> None:
        self.lines = layout.height
        self.samples = layout.width
        self._source = source
        self._label = label
        self._line_bytes = layout.width * layout.bits // 8
        self._native = np.dtype(integer)
        self._stored = np.dtype(f"{layout.byte_order}{self._native.str[1:]}")
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

    def read(self, first_line: int, last_line: int) -> NDArray[Integer]:
        """Return lines from `first_line` to before `last_line`, shape (lines, integers)."""
        _check_interval(first_line, last_line, self.lines)
        offsets = self._offsets[first_line:last_line]
        breaks = np.flatnonzero(np.diff(offsets) != self._line_bytes) + 1
        runs = np.split(np.arange(offsets.size), breaks)
        integers = self._line_bytes // self._native.itemsize
        out: NDArray[Integer] = np.empty((offsets.size, integers), self._native)
        for run in runs:
            length = run.size * self._line_bytes
            data = self._source.read_at(int(offsets[run[0]]), length)
            if len(data) != length:
                raise SafeError(f"{self._label} is truncated: {len(data)} bytes of {length} found")
            out[run[0] : run[-1] + 1] = np.frombuffer(data, self._stored).reshape(run.size, -1)
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

    def read(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Return lines from `first_line` to before `last_line`, shape (lines, samples)."""
        _check_interval(first_line, last_line, self.lines)
        window = Window(0, first_line, self.samples, last_line - first_line)
        try:
            with self._lock:
                pixels: NDArray[Any] = self._dataset.read(1, window=window)
        except RasterioError as error:
            raise SafeError(
                f"{self._label} is damaged between lines {first_line} and {last_line}"
            ) from error
        return pixels


def _check_interval(first_line: int, last_line: int, lines: int) -> None:
    if not 0 <= first_line < last_line <= lines:
        raise ValueError(f"lines {first_line} to {last_line} asked of an image of {lines} lines")
