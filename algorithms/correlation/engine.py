"""Correlation of two images: down the pyramid, then strip by strip at the full resolution."""

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.correlation.coarse import RoughField, axis_of_nodes, rough_field
from algorithms.correlation.deformation import refine_deformations
from algorithms.correlation.field import CorrelationSettings, DisplacementField, Flag, Float32
from algorithms.correlation.filters import ASTRAY, EMPTY, FLAT, OUTSIDE, Int32, Mask, Pair
from algorithms.correlation.images import CLOUD, NO_DATA, VALID, Image, Strip, strip_of
from algorithms.correlation.outliers import is_outlier
from algorithms.correlation.refinement import MARGIN, refine_translations, window_weights
from algorithms.correlation.search import search_nodes

# Rows of pixels whose nodes are computed at once: what memory the filtered images take.
_STRIP_ROWS = 256
# A node whose way back ends farther from where it began is not answered, pixels.
_LARGEST_LOOP = 0.25
# Displacement changes so much a pixel before windows are let deform, and what they do not explain
# falls by so much before it is believed.
_LEAST_SHEAR, _LEAST_GAIN = 0.008, 0.9
_FLAG_OF = (
    (OUTSIDE, Flag.BORDER),
    (EMPTY, Flag.NO_DATA),
    (FLAT, Flag.LOW_TEXTURE),
    (ASTRAY, Flag.NOT_CONVERGED),
)

Pixels = NDArray[Any]
Progress = Callable[[float], None]


def correlate(  # noqa: PLR0913 - images and settings, or the arguments of the simple call
    reference: Image | Pixels,
    secondary: Image | Pixels,
    settings: CorrelationSettings | None = None,
    *,
    window: int | None = None,
    step: int | None = None,
    max_displacement: float | None = None,
    mask: Mask | None = None,
    prior: tuple[Float32, Float32] | tuple[float, float] = (0.0, 0.0),
    threads: int = 1,
    progress: Progress | None = None,
) -> DisplacementField:
    """Measure the displacement between two images at the nodes of a grid.

    Parameters
    ----------
    reference, secondary
        The images, on one grid of pixels; the first pixels coincide, sizes may differ.
    settings
        How windows are compared.
    window, step, max_displacement
        In place of those of the settings, pixels.
    mask
        True where pixels of both images count, shape of the images; None: all do, or those that
        the images say.
    prior
        Displacement in rows and columns about which to search, pixels: two numbers, or two arrays
        at the nodes.
    threads
        Strips worked on at once.
    progress
        Told the share that is done, 0 to 1.

    Returns
    -------
    The field at nodes `step` pixels apart. It does not depend on the number of threads.

    Raises
    ------
    ValueError
        When the window does not fit into the images, no node lies in the reference, or a prior is
        not finite.
    """
    given = {"window": window, "step": step, "max_displacement": max_displacement}
    settings = replace(
        settings or CorrelationSettings(),
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
    )
    reference, secondary = (_image(one, mask) for one in (reference, secondary))
    least = settings.window + 2 * MARGIN
    if min(*reference.shape, *secondary.shape) < least:
        raise ValueError(
            f"images of {reference.shape} and {secondary.shape} pixels are smaller than a window "
            f"of {settings.window} and its margin, {least} pixels"
        )
    rows, columns = (axis_of_nodes(size, settings.step) for size in reference.shape)
    shape = (rows.size, columns.size)
    if 0 in shape:
        raise ValueError(
            f"step = {settings.step}: no node lies in an image of {reference.shape} pixels"
        )
    start = tuple(np.broadcast_to(np.asarray(part, np.float32), shape) for part in prior)
    if not all(np.isfinite(part).all() for part in start):
        raise ValueError("prior is not finite everywhere")
    rough = rough_field(reference, secondary, settings, rows, columns, (start[0], start[1]))
    work = _Work(reference, secondary, settings, rows, columns, rough)
    parts = list(work.parts())
    with ThreadPoolExecutor(threads, "correlate") as executor:
        futures = [executor.submit(work.measure, part) for part in parts]
        for count, future in enumerate(as_completed(futures), 1):
            future.result()
            if progress is not None:
                progress(count / len(parts))
    return work.field()


def _image(pixels: Image | Pixels, mask: Mask | None) -> Image:
    """Return pixels as an image, those outside a mask left out."""
    image = pixels if isinstance(pixels, Image) else Image(np.asarray(pixels))
    if mask is None:
        return image
    if mask.shape != image.shape:
        raise ValueError(f"the mask has shape {mask.shape}, expected {image.shape}")
    codes = np.full(image.shape, VALID, np.uint8) if image.mask is None else image.mask
    return Image(image.pixels, np.where(mask, codes, np.uint8(NO_DATA)))


class _Work:
    """One correlation under way: strips write into arrays of the whole field."""

    def __init__(
        self,
        reference: Image,
        secondary: Image,
        settings: CorrelationSettings,
        rows: Int32,
        columns: Int32,
        rough: RoughField,
    ) -> None:
        self._images = reference, secondary
        self._settings = settings
        self._rows = rows
        self._columns = columns
        self._rough = rough
        self._weights = window_weights(settings.window, "gauss")
        shape = (rows.size, columns.size)
        self._refined = np.empty((*shape, 4), np.float32)
        self._ratio = rough.peak_ratio.copy()
        self._flags = np.zeros(shape, np.uint8)

    def parts(self) -> Iterable[slice]:
        """Return the rows of nodes of each strip."""
        count = max(1, _STRIP_ROWS // self._settings.step)
        for first in range(0, self._rows.size, count):
            yield slice(first, min(first + count, self._rows.size))

    def measure(self, part: slice) -> None:
        """Search and refine the nodes of a strip."""
        reach = self._settings.window // 2 + MARGIN
        first, last = int(self._rows[part][0]), int(self._rows[part][-1])
        rough = self._rough.dy[part]
        around = reach + self._rough.radius + 2
        smoothing = self._settings.smoothing
        strips = (
            strip_of(self._images[0], first - reach, last + reach + 1, smoothing=smoothing),
            strip_of(
                self._images[1],
                first + math.floor(rough.min()) - around,
                last + math.ceil(rough.max()) + around + 1,
                smoothing=smoothing,
            ),
        )
        self._measure_nodes(*strips, part)
        if self._settings.model == "auto":
            self._deform(*strips, part)

    def _measure_nodes(self, reference: Strip, secondary: Strip, part: slice) -> None:
        """Search and refine the nodes of a strip as they are."""
        settings = self._settings
        shape = self._flags[part].shape
        rows, columns = (
            np.ravel(one).astype(np.int32)
            for one in np.meshgrid(self._rows[part] - reference.first, self._columns, indexing="ij")
        )
        # Displacements between strips, whose first rows differ.
        offset = np.array([reference.first - secondary.first, 0], np.float32)
        start = np.stack([self._rough.dy[part], self._rough.dx[part]], axis=-1) + offset
        found, outcome = np.empty((rows.size, 4), np.float32), np.empty(rows.size, np.uint8)
        search_nodes(
            Pair(
                reference.values, reference.valid, secondary.values, secondary.valid, rows, columns
            ),
            np.rint(start.reshape(-1, 2)).astype(np.int32),
            settings.window // 2,
            self._rough.radius,
            settings.least_valid,
            found,
            outcome,
        )
        refined = self._refine(reference, secondary, rows, columns, found[:, :2], outcome)
        flags = self._flags[part].reshape(-1)
        for code, flag in _FLAG_OF:
            flags[outcome == code] |= np.uint8(flag)
        if settings.is_checked_backward:
            is_astray = self._is_inconsistent(reference, secondary, rows, columns, refined)
            flags[is_astray] |= np.uint8(Flag.INCONSISTENT)
        refined[:, :2] -= offset
        self._refined[part] = refined.reshape(*shape, 4)
        ratio = self._ratio[part]
        self._ratio[part] = np.where(np.isnan(ratio), found[:, 3].reshape(shape), ratio)

    def _refine(
        self,
        reference: Strip,
        secondary: Strip,
        rows: Int32,
        columns: Int32,
        start: Float32,
        outcome: Mask,
    ) -> Float32:
        refined = np.empty((rows.size, 4), np.float32)
        pair = Pair(
            reference.values,
            reference.valid,
            secondary.coefficients,
            secondary.valid,
            rows,
            columns,
        )
        refine_translations(
            pair,
            self._weights,
            self._settings.least_valid,
            start,
            refined,
            outcome,
        )
        if self._settings.model != "affine":
            return refined
        deformed = np.empty_like(refined)
        refine_deformations(pair, self._weights, refined, deformed, outcome)
        return deformed

    def _deform(self, reference: Strip, secondary: Strip, part: slice) -> None:
        """Let the windows of a strip deform where they shear and resemble more then."""
        refined = self._refined[part]
        is_sheared = _shear(refined, self._settings) > _LEAST_SHEAR
        is_sheared &= refined[..., 2] >= self._settings.least_correlation
        offset = np.array([reference.first - secondary.first, 0], np.float32)
        weights, columns = self._weights, self._columns
        for index in np.flatnonzero(is_sheared.any(axis=1)):
            at = is_sheared[index]
            own = refined[index][at]
            pair = Pair(
                reference.values,
                reference.valid,
                secondary.coefficients,
                secondary.valid,
                np.full(len(own), self._rows[part][index] - reference.first, np.int32),
                columns[at],
            )
            deformed, outcome = np.empty_like(own), np.empty(len(own), np.uint8)
            refine_deformations(pair, weights, own + np.pad(offset, (0, 2)), deformed, outcome)
            deformed[:, :2] -= offset
            is_better = 1.0 - deformed[:, 2] < _LEAST_GAIN * (1.0 - own[:, 2])
            refined[index, at] = np.where(is_better[:, None], deformed, own)

    def _is_inconsistent(
        self,
        reference: Strip,
        secondary: Strip,
        rows: Int32,
        columns: Int32,
        refined: Float32,
    ) -> Mask:
        """Trace nodes back from the secondary; True where the way does not end at its start."""
        moved = np.rint(np.nan_to_num(refined[:, :2])).astype(np.int32)
        outcome = np.empty(rows.size, np.uint8)
        back = self._refine(
            secondary,
            reference,
            rows + moved[:, 0],
            columns + moved[:, 1],
            -refined[:, :2],
            outcome,
        )
        loop = np.hypot(*(back[:, :2] + refined[:, :2]).T)
        return np.asarray(~(loop <= _LARGEST_LOOP) & np.isfinite(refined[:, 0]))

    def field(self) -> DisplacementField:
        """Judge what was found and return it."""
        dy, dx, correlation, sigma = (part.copy() for part in np.moveaxis(self._refined, -1, 0))
        flags = self._flags
        flags[correlation < self._settings.least_correlation] |= np.uint8(Flag.LOW_CORRELATION)
        flags[sigma > self._settings.largest_sigma] |= np.uint8(Flag.LOW_TEXTURE)
        self._clear(flags, dy, dx, sigma)
        flags[is_outlier(dy, dx)] |= np.uint8(Flag.OUTLIER)
        self._clear(flags, dy, dx, sigma)
        self._tell_clouds(flags)
        return DisplacementField(
            self._rows, self._columns, dx, dy, correlation, self._ratio, sigma, flags
        )

    @staticmethod
    def _clear(flags: Mask, *fields: Float32) -> None:
        for one in fields:
            one[flags != 0] = np.nan

    def _tell_clouds(self, flags: Mask) -> None:
        """Say of nodes without enough data whether clouds are the reason."""
        for image in self._images:
            if image.mask is not None:
                inside = self._rows < image.shape[0], self._columns < image.shape[1]
                at_nodes = image.mask[np.ix_(self._rows[inside[0]], self._columns[inside[1]])]
                part = flags[: at_nodes.shape[0], : at_nodes.shape[1]]
                part[((part & Flag.NO_DATA) != 0) & (at_nodes == CLOUD)] ^= np.uint8(
                    Flag.NO_DATA | Flag.CLOUD
                )


def _shear(refined: Float32, settings: CorrelationSettings) -> Float32:
    """Return the largest change of displacement a pixel about nodes, 0 where it is not known.

    Parameters
    ----------
    refined
        Displacements first, shape (row, column, 4) of nodes.
    settings
        Differences are taken over half a window.
    """
    reach = max(1, round(settings.window / (4 * settings.step)))
    largest = np.zeros(refined.shape[:2], np.float32)
    for axis in (0, 1):
        field = np.moveaxis(refined[..., :2], axis, 0)
        outside = np.full((reach, *field.shape[1:]), np.nan, np.float32)
        whole = np.concatenate([outside, field, outside])
        before, after = whole[: -2 * reach], whole[2 * reach :]
        # A neighbour without answer, or outside, gives its place to the node itself.
        apart = reach * (2.0 - np.isnan(before[..., 0]) - np.isnan(after[..., 0]))
        change = np.where(np.isnan(after), field, after) - np.where(np.isnan(before), field, before)
        slope = np.abs(change).max(axis=-1) / np.maximum(apart * settings.step, 1.0)
        largest = np.fmax(largest, np.moveaxis(slope, 0, axis))
    return np.asarray(np.nan_to_num(largest), np.float32)
