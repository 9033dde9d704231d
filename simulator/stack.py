"""A stack of unwrapped interferograms with exactly known displacement, to judge an inversion by.

It has what real ones have: pairs missing pixel by pixel, wrong cycles over connected areas, noise
by coherence, the delay of the air of each date, errors of the elevations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

WAVELENGTH = 0.05546576  # m, Sentinel-1
SLANT_RANGE = 880_000.0  # m
INCIDENCE_ANGLE = 0.68  # rad
REVISIT = 12  # days
_YEAR = 365.25
_DEEPEST = 0.08  # m a year, of a bowl
_SWING = 0.006  # m, of the year over its area
_LOOKS = 20.0


@dataclass(frozen=True)
class Stack:
    """Interferograms and what they are of; images of shape (row, column), metres.

    Parameters
    ----------
    days
        Of each date since the first, shape (date,).
    baselines
        Perpendicular baseline of each date, metres; the first is zero.
    pairs
        Indexes of dates, shape (pair, 2).
    phases
        Unwrapped, first times conjugate of second, radians, shape (pair, row, column); NaN is
        missing.
    coherence
        Of each pair, same shape.
    displacement
        Towards the sensor since the first date, shape (date, row, column).
    delay
        What the air adds to it, same shape.
    velocity
        Metres a year.
    dem_error
        Height missing in the elevations.
    elevation
        Heights of the ground.
    is_wrong
        Where a phase is a cycle off, shape of `phases`.
    """

    days: Float64
    baselines: Float64
    pairs: NDArray[np.int32]
    phases: Float32
    coherence: Float32
    displacement: Float32
    delay: Float32
    velocity: Float32
    dem_error: Float32
    elevation: Float32
    is_wrong: NDArray[np.bool_]


@dataclass(frozen=True)
class Disturbances:
    """What a stack suffers from.

    Parameters
    ----------
    gaps
        Share of the phases that are missing.
    wrong_pairs
        Share of the pairs with an area of a wrong cycle.
    wrong_area
        Share of the image that such an area covers.
    delay, dem_error
        Standard deviations of the delay of a date and of the elevations, metres.
    stratified
        Standard deviation of the delay by height, metres a kilometre.
    """

    gaps: float = 0.15
    wrong_pairs: float = 0.08
    wrong_area: float = 0.15
    delay: float = 0.005
    dem_error: float = 8.0
    stratified: float = 0.0


def make_stack(
    size: int = 400,
    dates: int = 30,
    pairs: int = 80,
    *,
    seed: int = 1,
    disturbances: Disturbances | None = None,
) -> Stack:
    """Render a stack of `size` rows and columns.

    Parameters
    ----------
    dates, pairs
        How many; pairs are of each date with the next ones, some of the longest left out.
    seed
        Of everything that is random.
    disturbances
        What it suffers from.

    Raises
    ------
    ValueError
        When so few pairs do not connect the dates.
    """
    suffers = disturbances or Disturbances()
    rng = np.random.default_rng(seed)
    days = REVISIT * np.arange(dates, dtype=np.float64)
    baselines = rng.normal(0.0, 70.0, dates)
    baselines -= baselines[0]
    velocity, swing = _bowl(size), _SWING * _field(size, 60.0, rng)
    years = days[:, None, None] / _YEAR
    displacement = velocity * years + swing * np.sin(2.0 * np.pi * years)
    elevation = 400.0 + 300.0 * _field(size, size / 8, rng)
    delay = suffers.delay * np.stack([_field(size, size / 20, rng) for _ in range(dates)])
    slopes = suffers.stratified * rng.standard_normal((dates, 1, 1))
    delay += slopes * (elevation - 400.0) / 1_000.0
    delay -= delay[0].copy()
    dem_error = suffers.dem_error * _field(size, 3.0, rng)
    chosen = _network(dates, pairs, rng)
    seen = displacement + delay
    seen = seen + baselines[:, None, None] * dem_error / (SLANT_RANGE * np.sin(INCIDENCE_ANGLE))
    phases, coherence, is_wrong = _interferograms(seen, chosen, suffers, rng)
    return Stack(
        days=days,
        baselines=baselines,
        pairs=chosen,
        phases=phases,
        coherence=coherence,
        displacement=displacement.astype(np.float32),
        delay=delay.astype(np.float32),
        velocity=velocity.astype(np.float32),
        dem_error=dem_error.astype(np.float32),
        elevation=elevation.astype(np.float32),
        is_wrong=is_wrong,
    )


def _bowl(size: int) -> Float64:
    """Return a subsiding bowl, and ground that is still."""
    row, column = np.indices((size, size)) / size
    distance = (row - 0.55) ** 2 / 0.03 + (column - 0.4) ** 2 / 0.05
    return np.asarray(-_DEEPEST * np.exp(-0.5 * distance), np.float64)


def _field(size: int, smooth: float, rng: np.random.Generator) -> Float64:
    """Return a smooth random field of unit variance and no mean."""
    field = ndimage.gaussian_filter(rng.standard_normal((size, size)), smooth, mode="wrap")
    return np.asarray((field - field.mean()) / field.std(), np.float64)


def _network(dates: int, pairs: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return the pairs of neighbours, and some of the longer ones."""
    near = [(i, i + 1) for i in range(dates - 1)]
    if pairs < len(near):
        raise ValueError(f"{pairs} pairs do not connect {dates} dates")
    longer: list[tuple[int, int]] = []
    span = 2
    while len(near) + len(longer) < pairs and span < dates:
        new = [(i, i + span) for i in range(dates - span)]
        keep = min(len(new), pairs - len(near) - len(longer))
        # The first and the last date have few pairs as it is.
        order = [0, len(new) - 1, *rng.permutation(np.arange(1, len(new) - 1))]
        longer += [new[k] for k in order[:keep]]
        span += 1
    return np.array(sorted(near + longer), np.int32)


def _interferograms(
    seen: Float64, pairs: NDArray[np.int32], suffers: Disturbances, rng: np.random.Generator
) -> tuple[Float32, Float32, NDArray[np.bool_]]:
    """Return phases, coherence, and where a cycle is wrong."""
    size = seen.shape[1]
    shape = (len(pairs), size, size)
    phases, coherence = np.empty(shape, np.float32), np.empty(shape, np.float32)
    is_wrong = np.zeros(shape, np.bool_)
    ground = 0.7 + 0.08 * _field(size, 4.0, rng)
    for index, (first, second) in enumerate(pairs):
        decay = np.exp(-(second - first) * REVISIT / 150.0)
        quality = np.clip(ground * decay, 0.25, 0.95)
        # Of the phase of many looks (Rodriguez & Martin, IEE Proceedings F 139(2), 1992, eq. 53).
        spread = np.sqrt((1.0 - quality**2) / (2.0 * _LOOKS * quality**2))
        phase = -4.0 * np.pi / WAVELENGTH * (seen[second] - seen[first])
        phase += spread * rng.standard_normal((size, size))
        if rng.random() < suffers.wrong_pairs:
            area = _field(size, size / 10, rng)
            is_wrong[index] = area > np.quantile(area, 1.0 - suffers.wrong_area)
            phase += rng.choice((-1.0, 1.0)) * 2.0 * np.pi * is_wrong[index]
        phase[rng.random((size, size)) < suffers.gaps] = np.nan
        phases[index], coherence[index] = phase, quality
    return phases, coherence, is_wrong
