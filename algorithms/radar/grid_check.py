"""The range-Doppler model against the geolocation grid that the annotation itself gives.

This is how the quantities that the annotation does not state are found (the instant to which the
processor reduced the bistatic delay, a constant offset between orbit and image in old products),
and a figure of quality for each product.
"""

from dataclasses import dataclass

import numpy as np

from algorithms.constants import SPEED_OF_LIGHT
from algorithms.radar.grd import Float64, GrdAnnotation, StateVectors
from algorithms.radar.ground_range import ground_range_at
from algorithms.radar.model import OrbitArrays, locate_points
from algorithms.radar.orbit import fit_orbit

MAX_AZIMUTH_OFFSET_S = 1e-3
# From this processor version on the orbit and the grid agree to a thousandth of a line.
EXACT_IPF = 2.90
# rms limits (line, sample) from EXACT_IPF on, and before it.
EXACT_LIMITS = (0.05, 0.1)
OLD_LIMITS = (0.6, 3.0)


@dataclass(frozen=True)
class GridCheck:
    """Residual of the model on the points of the geolocation grid.

    Parameters
    ----------
    azimuth_offset
        Constant found between the orbit's time and the image's, seconds, taken out of the
        residual and of the geolocation.
    mid_swath_time
        Two-way time to which the processor reduced the bistatic delay, seconds.
    line_rms, line_max
        Azimuth residual in lines.
    sample_rms, sample_max
        Range residual in samples, with the nearest record, which is the grid's own rule.
    srgr_rms, srgr_max
        Difference in samples between linear and nearest records on the grid.
    """

    azimuth_offset: float
    mid_swath_time: float
    line_rms: float
    line_max: float
    sample_rms: float
    sample_max: float
    srgr_rms: float
    srgr_max: float

    def refusal(self, ipf_version: float) -> str | None:
        """Say why a product of this processor version cannot be geolocated, None if it can."""
        # Written so that what is no number is refused.
        line, sample = EXACT_LIMITS if ipf_version >= EXACT_IPF else OLD_LIMITS
        if not abs(self.azimuth_offset) <= MAX_AZIMUTH_OFFSET_S:
            return (
                f"azimuth offset of {1e3 * self.azimuth_offset:.3f} ms between orbit and "
                f"geolocation grid, at most {1e3 * MAX_AZIMUTH_OFFSET_S:.0f} ms is accepted"
            )
        if not self.line_rms <= line:
            return (
                f"geolocation model differs from the annotation by {self.line_rms:.3f} lines rms, "
                f"at most {line} is accepted"
            )
        if not self.sample_rms <= sample:
            return (
                f"geolocation model differs from the annotation by {self.sample_rms:.3f} samples "
                f"rms, at most {sample} is accepted"
            )
        return None


def check_against_grid(annotation: GrdAnnotation) -> GridCheck:
    """Compare the model with the annotation's grid, by the vectors that the grid was made with.

    These are the annotation's own. Only where they contradict the grid (a damaged orbit list) the
    precise vectors are tried: fitted to them at first, the constant offset would take back what a
    precise orbit improves along the track.

    Raises
    ------
    ValueError
        When no set of vectors agrees with the grid, within 1 ms and the limits of old products.
    """
    try:
        return _accepted(annotation, annotation.state_vectors)
    except ValueError as error:
        if annotation.precise_vectors is None:
            raise
        own = error
    try:
        return _accepted(annotation, annotation.precise_vectors)
    except ValueError:
        raise own from None


def _accepted(annotation: GrdAnnotation, vectors: StateVectors) -> GridCheck:
    """Return the check for one set of vectors, refusing what no product may have."""
    check = _check(annotation, vectors)
    reason = check.refusal(0.0)
    if reason is not None:
        raise ValueError(reason)
    return check


def _check(annotation: GrdAnnotation, vectors: StateVectors) -> GridCheck:
    """Compare the model with the grid for one set of vectors."""
    grid = annotation.grid
    last_time = annotation.first_line_time + annotation.lines * annotation.line_interval
    orbit = fit_orbit(vectors, annotation.first_line_time, last_time)
    arrays = OrbitArrays(orbit.centre, orbit.half_span, orbit.coefficients, 0.0)
    azimuth_time, slant_range = np.empty((2, grid.line.size))
    longitude, latitude, height = (
        np.array(values.ravel()) for values in (grid.longitude, grid.latitude, grid.height)
    )
    locate_points(longitude, latitude, height, arrays, azimuth_time, slant_range)
    if not np.isfinite(azimuth_time).all():
        raise ValueError("orbit vectors do not see the points of the geolocation grid")
    azimuth_offset = float(np.mean(azimuth_time - grid.azimuth_time.ravel()))
    line_time = annotation.first_line_time + grid.line.ravel() * annotation.line_interval
    bistatic = 2.0 * (grid.azimuth_time.ravel() - line_time)
    mid_swath_time = float(np.mean(grid.slant_range_time.ravel() - bistatic))
    delay = slant_range / SPEED_OF_LIGHT - 0.5 * mid_swath_time
    lines = (azimuth_time - azimuth_offset - delay - line_time) / annotation.line_interval
    nearest, linear = _grid_samples(annotation, grid.azimuth_time.ravel(), slant_range)
    samples = nearest - grid.sample.ravel()
    return GridCheck(
        azimuth_offset,
        mid_swath_time,
        *_rms_and_max(lines),
        *_rms_and_max(samples),
        *_rms_and_max(linear - nearest),
    )


def _grid_samples(
    annotation: GrdAnnotation, azimuth_time: Float64, slant_range: Float64
) -> tuple[Float64, Float64]:
    """Return samples by the nearest record and by linear interpolation between records."""
    records = annotation.ground_range
    ground = np.array(
        [ground_range_at(records, i, slant_range) for i in range(records.azimuth_time.size)]
    )
    position = np.interp(azimuth_time, records.azimuth_time, np.arange(len(ground), dtype=float))
    points = np.arange(slant_range.size)
    before = np.minimum(position.astype(np.int64), len(ground) - 2)
    weight = position - before
    nearest = ground[np.rint(position).astype(np.int64), points]
    linear = (1.0 - weight) * ground[before, points] + weight * ground[before + 1, points]
    return nearest / annotation.range_spacing, linear / annotation.range_spacing


def _rms_and_max(values: Float64) -> tuple[float, float]:
    """Return root mean square and largest magnitude."""
    return float(np.sqrt(np.mean(values**2))), float(np.max(np.abs(values)))
