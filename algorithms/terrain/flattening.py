"""Radiometric terrain flattening: beta nought to terrain-corrected gamma nought.

On a slope that faces the radar many square metres of ground share one radar pixel, and it is bright
whatever covers it. Small (2011) divides by the true area: the ground that a pixel shows, projected
on the plane at right angles to the look direction, shaded ground left out. A strip of terrain one
image line wide that spans an angle d_theta at the antenna projects onto width * R * d_theta there,
whatever its slope along the path, so the area is accumulated facet after facet along the profiles
of `terrain.profiles`, each facet spread over exactly the samples that it covers. Folded terrain
(layover) adds up in its pixel by itself. The width of a line cancels against the pixel's own area.

References
----------
Small, D. (2011), Flattening Gamma: Radiometric Terrain Correction for SAR Imagery, IEEE TGRS 49(8),
3081-3093, doi 10.1109/TGRS.2011.2120616, equations 15 to 17.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.radar.grd import Float64
from algorithms.terrain.nodes import SampleTable
from algorithms.terrain.profiles import TerrainProfiles

# Ground is lit at a grazing angle below this fraction of the pixel's own area: -13 dB and less of
# what flat ground at 45 degrees shows. Dividing by it would only raise noise.
MINIMUM_AREA = 0.05


def flattening_factor(
    profiles: TerrainProfiles, *, minimum_area: float = MINIMUM_AREA
) -> NDArray[np.float32]:
    """Compute what turns beta nought into terrain-flattened gamma nought.

    Parameters
    ----------
    profiles
        Terrain profiles of a window of the image.
    minimum_area
        Smallest area, as a fraction of the area of a pixel in the slant plane, to divide by.

    Returns
    -------
    Factor A_beta / A_gamma of every pixel of the window, float32, shape (line, sample); NaN in
    shadow and where a height that matters is unknown. On flat ground it is the tangent of the
    incidence angle.

    References
    ----------
    Small (2011), equations 15 to 17, with A_beta the area of a pixel in the slant plane.
    """
    window = profiles.window
    shape = (window.last_line - window.first_line, window.last_sample - window.first_sample)
    area = np.zeros(shape)
    _accumulate(
        profiles.slant_range,
        profiles.look_tangent,
        profiles.profiles_per_line,
        profiles.sample_table,
        window.first_sample,
        area,
    )
    factor = np.empty(shape, np.float32)
    _divide(
        area,
        profiles.profiles_per_line,
        profiles.sample_table,
        window.first_sample,
        minimum_area,
        factor,
    )
    return factor


@compiled
def _sample_at(table: SampleTable, line: int, slant_range: float) -> float:
    """Interpolate the sample of a slant range on one line of a table."""
    position = (slant_range - table.first_range) / table.range_step
    k = min(max(int(position), 0), table.samples.shape[1] - 2)
    left, right = table.samples[line, k], table.samples[line, k + 1]
    sample: float = left + (position - k) * (right - left)
    return sample


@compiled
def _spread(row: Float64, start: float, end: float, amount: float) -> None:
    """Add an amount evenly over pixels between two positions (pixel j covers [j, j + 1))."""
    if start > end:
        start, end = end, start
    first, last = int(np.floor(start)), int(np.floor(end))
    if last < 0 or first >= row.size:
        return
    if first == last:
        row[first] += amount
        return
    density = amount / (end - start)
    for j in range(max(first, 0), min(last, row.size - 1) + 1):
        row[j] += density * (min(end, j + 1.0) - max(start, float(j)))


@compiled
def _accumulate(
    slant_range: Float64,
    look_tangent: Float64,
    profiles_per_line: int,
    table: SampleTable,
    first_sample: int,
    area: Float64,
) -> None:
    """Add R * d_theta (m) of every lit facet to the pixels that it covers; NaN where unknown."""
    profiles, columns = slant_range.shape
    for profile in range(profiles):
        line = profile // profiles_per_line
        row = area[line]
        # Far left of the window and unlit by definition: what precedes the first column.
        previous, previous_range, previous_tangent = -1.0, 0.0, 0.0
        horizon = -np.inf
        unknown = False
        for column in range(columns):
            distance = slant_range[profile, column]
            if np.isnan(distance):
                unknown = True
                continue
            tangent = look_tangent[profile, column]
            position = _sample_at(table, line, distance) - first_sample + 0.5
            if unknown:
                _spread(row, previous, position, np.nan)
            elif tangent > horizon and column > 0:
                start, start_range, start_tangent = previous, previous_range, previous_tangent
                if start_tangent < horizon:
                    # The facet emerges from the shadow of a nearer one.
                    part = (horizon - start_tangent) / (tangent - start_tangent)
                    start += part * (position - start)
                    start_range += part * (distance - start_range)
                    start_tangent = horizon
                middle = 0.5 * (tangent + start_tangent)
                angle = (tangent - start_tangent) / (1.0 + middle * middle)
                _spread(row, start, position, 0.5 * (distance + start_range) * angle)
            unknown = False
            horizon = max(horizon, tangent)
            previous, previous_range, previous_tangent = position, distance, tangent
        if unknown:
            _spread(row, previous, row.size + 1.0, np.nan)


@compiled
def _divide(
    area: Float64,
    profiles_per_line: int,
    table: SampleTable,
    first_sample: int,
    minimum_area: float,
    factor: NDArray[np.float32],
) -> None:
    """Divide the slant width of every pixel by the lit length that was accumulated in it."""
    for line in range(area.shape[0]):
        knots = table.samples[line]
        k = 0
        previous = 0.0
        for sample in range(area.shape[1] + 1):
            edge = first_sample + sample - 0.5
            while k < knots.size - 2 and knots[k + 1] < edge:
                k += 1
            # Metres from the first knot of the table.
            distance = table.range_step * (k + (edge - knots[k]) / (knots[k + 1] - knots[k]))
            if sample > 0:
                width = (distance - previous) * profiles_per_line
                lit = area[line, sample - 1]
                factor[line, sample - 1] = width / lit if lit > minimum_area * width else np.nan
            previous = distance
