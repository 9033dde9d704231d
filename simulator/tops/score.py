"""Measure results on the map against what is true of a pair: any GeoTIFF in any projection.

Nothing of the code that made them is used, so results of other programs are measured the same way.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer

from simulator.tops.orbits import ZeroDoppler
from simulator.tops.truth import PairTruth

Float64 = NDArray[np.float64]

MOST_PIXELS = 200_000  # taken of a raster, evenly
BORDER_S = 0.06  # of lines on either side of a border, about thirty, that tell a jump there
_WINDOW = 4  # pixels around a target in which its peak is looked for


@dataclass(frozen=True)
class PhaseScore:
    """How far a geocoded phase is from the truth.

    Parameters
    ----------
    pixels
        That were compared: those with a phase on ground that is coherent at all.
    concentration
        Length of the mean of exp(j error): 1 where there is no error, 0 where it is anything.
    bias
        Its angle, radians.
    border_jump
        Largest step of the error across the border of two bursts, radians; NaN where no border is
        seen.
    """

    pixels: int
    concentration: float
    bias: float
    border_jump: float


@dataclass(frozen=True)
class _Pixels:
    """Values of a raster that are not no data, and where they are (radians)."""

    value: Float64
    longitude: Float64
    latitude: Float64


class _Border(NamedTuple):
    """Time (s) at which two bursts of a swath are cut, and slant ranges (m) of the swath."""

    time: float
    near: float
    far: float


def score_phase(truth: PairTruth, path: Path) -> PhaseScore:
    """Compare a geocoded phase (rad, wrapped or not), of displacement alone, with the truth."""
    found = _pixels(path)
    place = found.longitude, found.latitude
    error = np.exp(1j * (found.value - truth.displacement_phase(*place)))
    is_coherent = truth.coherence(*place) > 0
    error = error[is_coherent]
    seen = ZeroDoppler(*(part[is_coherent] for part in truth.seen(*place)))
    mean = error.mean()
    jumps = [_jump(error, seen, border) for border in _borders(truth)]
    known = [jump for jump in jumps if np.isfinite(jump)]
    return PhaseScore(
        error.size, float(abs(mean)), float(np.angle(mean)), max(known, default=np.nan)
    )


def score_coherence(truth: PairTruth, path: Path) -> float:
    """Return the mean of a geocoded coherence minus that of the truth in the same pixels."""
    found = _pixels(path)
    return float((found.value - truth.coherence(found.longitude, found.latitude)).mean())


def score_displacement(truth: PairTruth, path: Path) -> tuple[float, float]:
    """Return mean and standard deviation (m) of a geocoded displacement minus the truth.

    The displacement is that towards the antenna; the mean is the choice of a reference.
    """
    found = _pixels(path)
    error = found.value - truth.displacement(found.longitude, found.latitude)
    return float(error.mean()), float(error.std())


def score_targets(truth: PairTruth, path: Path) -> list[tuple[float, float]]:
    """Return by how many columns and rows each point target lies off in a geocoded amplitude.

    The peak is that of parabolas through the brightest pixel and its neighbours.
    """
    with rasterio.open(path) as dataset:
        image = dataset.read(1).astype(np.float64)
        to_map = Transformer.from_crs(4979, dataset.crs, always_xy=True)
        to_pixel = ~dataset.transform
    image = np.where(np.isfinite(image), image, 0.0)
    errors = []
    for target in truth.targets():
        easting, northing = to_map.transform(target["longitude"], target["latitude"])
        column, row = (value - 0.5 for value in to_pixel @ (easting, northing))
        top, left = round(row) - _WINDOW, round(column) - _WINDOW
        window = image[top : top + 2 * _WINDOW + 1, left : left + 2 * _WINDOW + 1]
        peak = np.unravel_index(window[1:-1, 1:-1].argmax(), window[1:-1, 1:-1].shape)
        y, x = int(peak[0]) + 1, int(peak[1]) + 1
        errors.append((
            left + x + _vertex(window[y, x - 1 : x + 2]) - column,
            top + y + _vertex(window[y - 1 : y + 2, x]) - row,
        ))  # fmt: skip
    return errors


def _vertex(values: Float64) -> float:
    """Place of the top of a parabola through three values, from the middle one."""
    before, middle, after = (float(value) for value in values)
    return 0.5 * (before - after) / (before - 2 * middle + after)


def _pixels(path: Path) -> _Pixels:
    """Read the values of a raster, at most so many, with the places of their centres."""
    with rasterio.open(path) as dataset:
        values = dataset.read(1, masked=True).astype(np.float64).filled(np.nan)
        transform, crs = dataset.transform, dataset.crs
    rows, columns = np.nonzero(np.isfinite(values))
    step = max(1, rows.size // MOST_PIXELS)
    rows, columns = rows[::step], columns[::step]
    easting, northing = transform @ (columns + 0.5, rows + 0.5)
    to_geographic = Transformer.from_crs(crs, 4326, always_xy=True)
    longitude, latitude = to_geographic.transform(easting, northing)
    return _Pixels(values[rows, columns], np.radians(longitude), np.radians(latitude))


def _borders(truth: PairTruth) -> list[_Border]:
    """Return where bursts that follow each other are cut: the middle of what both see."""
    borders = []
    for frame in truth.passes[0].swaths:
        top, bottom = (line * frame.line_interval for line in frame.valid_lines)
        near, beyond = (frame.near_range + k * frame.range_spacing for k in frame.valid_samples)
        starts = [burst.azimuth_time for burst in frame.bursts]
        borders += [
            _Border(0.5 * (before + bottom + after + top), near, beyond)
            for before, after in pairwise(starts)
        ]
    return borders


def _jump(error: NDArray[np.complex128], seen: ZeroDoppler, border: _Border) -> float:
    """Step of the mean error (rad) from just before to just after a border; NaN if unseen."""
    late = seen.time - border.time
    inside = (seen.slant_range > border.near) & (seen.slant_range < border.far)
    before = error[inside & (late < 0) & (late > -BORDER_S)]
    after = error[inside & (late > 0) & (late < BORDER_S)]
    if not before.size or not after.size:
        return np.nan
    return float(abs(np.angle(after.mean() * before.mean().conj())))
