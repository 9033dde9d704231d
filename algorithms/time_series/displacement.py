"""Displacement and velocity from unwrapped phases of Sentinel-1, or of another radar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algorithms.time_series.inversion import Series, Settings, inverter
from algorithms.time_series.model import BASELINE

Float32 = NDArray[np.float32]

_CYCLE = 2.0 * np.pi


@dataclass(frozen=True)
class Radar:
    """Geometry that turns phases into metres; the middle of Sentinel-1's IW unless told.

    Parameters
    ----------
    wavelength
        Metres.
    slant_range
        Metres: one number, or of each pixel, shape (row, column).
    incidence_angle
        Radians: one number, or of each pixel.
    """

    wavelength: float = 0.05546576
    slant_range: float | Float32 = 880_000.0
    incidence_angle: float | Float32 = 0.68

    @property
    def metres_a_radian(self) -> float:
        """Displacement towards the sensor of a radian of phase: reference times conjugate."""
        return -self.wavelength / (2.0 * _CYCLE)


@dataclass(frozen=True)
class DisplacementSeries:
    """Displacement in the line of sight, towards the sensor; NaN is no answer.

    Parameters
    ----------
    displacement
        Of each date since the first, error of the heights taken off, metres, shape (date, row,
        column). Dates that no pair of a pixel has are the model's.
    velocity, velocity_sigma
        Metres a year and its standard error, shape (row, column): dates scatter independently.
    dem_error
        Height missing in the elevations, metres; NaN without baselines.
    temporal_coherence
        How well the pairs agree with the dates, 0 to 1; above 0.7 is good.
    residual
        Root mean square of what pairs differ from their dates, metres.
    parts
        Parts of the network that only the model ties: 1 is a connected one, 0 no answer.
    terms, term_sigmas
        Every term of the model by its name, metres (velocity: a year), and its standard error.
    """

    displacement: Float32
    velocity: Float32
    velocity_sigma: Float32
    dem_error: Float32
    temporal_coherence: Float32
    residual: Float32
    parts: NDArray[np.uint16]
    terms: dict[str, Float32]
    term_sigmas: dict[str, Float32]


def invert(
    phases: ArrayLike,
    pairs: ArrayLike | Sequence[Any],
    dates: Sequence[Any],
    *,
    perpendicular_baselines: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    radar: Radar | None = None,
    settings: Settings | None = None,
    threads: int = 1,
) -> DisplacementSeries:
    """Invert unwrapped interferograms into a series of displacement.

    Parameters
    ----------
    phases
        Unwrapped, first date times the conjugate of the second, radians, less those of a
        reference, shape (pair, row, column); NaN is missing.
    pairs
        First and second date of each, or their indexes, shape (pair, 2).
    dates
        Ascending; shape (date,).
    perpendicular_baselines
        Of each date, or of each pair, metres, positive where the second orbit lies farther from
        the scene or higher; None leaves the error of the heights out.
    weights
        Inverse variances up to a factor, shape (pair,) or that of `phases`; None: all alike.
    radar
        Wavelength and geometry.
    settings
        How pairs are inverted; its `scale` in metres.
    threads
        That solve parts of the image.

    Raises
    ------
    ValueError
        When shapes, dates or pairs do not fit, or the model has more terms than there are dates.

    References
    ----------
    Berardino et al., IEEE TGRS 40(11), 2002, for the network; Lopez-Quiroz et al., Journal of
    Applied Geophysics 69, 2009, section 4, and Doin et al., Fringe 2011, for what ties its parts.
    """
    radar, settings = radar or Radar(), settings or Settings()
    metres = radar.metres_a_radian
    solver = inverter(
        dates,
        pairs,
        perpendicular_baselines=perpendicular_baselines,
        settings=replace(settings, scale=settings.scale / abs(metres)),
        is_phase=True,
    )
    series = solver.solve(phases, weights, threads=threads)
    return _displacement(series, radar, solver.terms.matrix)


def _displacement(series: Series, radar: Radar, matrix: NDArray[np.float64]) -> DisplacementSeries:
    """Turn radians into metres, the term of the baselines into heights."""
    metres = np.float32(radar.metres_a_radian)
    values = metres * series.values
    dem_error = np.full(values.shape[1:], np.nan, np.float32)
    terms = dict(zip(series.names, metres * series.terms, strict=True))
    sigmas = dict(zip(series.names, np.abs(metres) * series.sigmas, strict=True))
    if BASELINE in terms:
        by_metre = terms.pop(BASELINE)
        sigmas.pop(BASELINE)
        baselines = matrix[:, series.names.index(BASELINE)].astype(np.float32)
        for index, baseline in enumerate(baselines):
            values[index] -= baseline * by_metre
        height = radar.slant_range * np.sin(radar.incidence_angle)
        dem_error = np.asarray(by_metre * height, np.float32)
    return DisplacementSeries(
        displacement=values,
        velocity=terms["velocity"],
        velocity_sigma=sigmas["velocity"],
        dem_error=dem_error,
        temporal_coherence=series.coherence,
        residual=np.abs(metres) * series.residual,
        parts=series.parts,
        terms=terms,
        term_sigmas=sigmas,
    )
