"""Layover and radar shadow, seen along the terrain profiles of `terrain.profiles`.

Ground is in *shadow* when nearer terrain hides it: the look angle does not exceed the largest one
before it. It is in *layover* when other ground that the radar sees lies at the same slant range of
the same image line: both are in one pixel. That holds for the slope that folds (active layover) and
for the ground before and behind it that it falls upon (passive layover); one flag stands for both.
Ground in shadow may be in layover too: its pixel then shows other ground instead of darkness.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.radar.grd import Float64
from algorithms.terrain.nodes import SampleTable
from algorithms.terrain.profiles import TerrainProfiles

Floating = NDArray[np.floating]

LAYOVER = 1  # bit
SHADOW = 2  # bit


def profile_flags(profiles: TerrainProfiles) -> NDArray[np.uint8]:
    """Flag every point of the profiles.

    Parameters
    ----------
    profiles
        Terrain profiles of a window of the image.

    Returns
    -------
    Bits `LAYOVER` and `SHADOW`, uint8, shape (profile, column); 0 where the height is unknown.
    """
    flags = np.zeros(profiles.slant_range.shape, np.uint8)
    _flag(profiles.slant_range, profiles.look_tangent, flags)
    return flags


def layover_shadow(
    profiles: TerrainProfiles, line: Float64, sample: Float64, height: Floating
) -> NDArray[np.uint8]:
    """Flag the pixels of a map block that are in layover or in shadow.

    Parameters
    ----------
    profiles
        Terrain profiles of a window of the image that contains the block.
    line, sample, height
        Of every map pixel: its fractional place in the image and ellipsoidal height in metres; one
        shape, NaN outside the image.

    Returns
    -------
    Bits 1 (layover) and 2 (shadow) of every map pixel, uint8; 0 for the rest and outside.
    """
    flags = profile_flags(profiles)
    result = np.zeros(line.shape, np.uint8)
    nodes = profiles.nodes
    grid = _Grid(
        nodes.descent,
        nodes.line[0],
        1.0 / (nodes.line[1] - nodes.line[0]),
        nodes.reference_range[0],
        1.0 / (nodes.reference_range[1] - nodes.reference_range[0]),
        1.0 / profiles.range_step,
        profiles.window.first_line,
        profiles.profiles_per_line,
        profiles.reference_height,
    )
    _gather(
        flags,
        grid,
        profiles.sample_table,
        line.ravel(),
        sample.ravel(),
        height.ravel(),
        result.ravel(),
    )
    return result


class _Grid(NamedTuple):
    """Profile points and their nodes, for the kernels; metres and lines.

    `descent` is `ProfileNodes.descent`, rates are 1 / spacing.
    """

    descent: Float64
    first_node_line: float
    node_line_rate: float
    first_range: float
    node_range_rate: float
    range_rate: float
    first_line: int
    profiles_per_line: int
    reference_height: float


@compiled
def _flag(slant_range: Float64, look_tangent: Float64, flags: NDArray[np.uint8]) -> None:
    """Run along every profile away from the radar, then back."""
    profiles, columns = slant_range.shape
    for profile in range(profiles):
        horizon = farthest = -np.inf
        for column in range(columns):
            distance = slant_range[profile, column]
            tangent = look_tangent[profile, column]
            if distance <= farthest:
                flags[profile, column] |= LAYOVER
            if tangent <= horizon:
                flags[profile, column] |= SHADOW
            elif not np.isnan(distance):
                horizon = tangent
                farthest = max(farthest, distance)
        nearest = np.inf
        for column in range(columns - 1, -1, -1):
            distance = slant_range[profile, column]
            if distance >= nearest:
                flags[profile, column] |= LAYOVER
            if not flags[profile, column] & SHADOW and not np.isnan(distance):
                nearest = min(nearest, distance)


@compiled
def _gather(
    flags: NDArray[np.uint8],
    grid: _Grid,
    table: SampleTable,
    line: Float64,
    sample: Float64,
    height: Floating,
    result: NDArray[np.uint8],
) -> None:
    """Look up the profile point of every map pixel, the nearest one."""
    profiles, columns = flags.shape
    knot = 0
    for pixel in range(line.size):
        if not np.isfinite(line[pixel] + sample[pixel] + height[pixel]):
            continue
        offset = line[pixel] - grid.first_line + 0.5
        profile = int(np.floor(offset * grid.profiles_per_line))
        if not 0 <= profile < profiles:
            continue
        samples = table.samples[int(offset)]
        knot = _knot_before(samples, knot, sample[pixel])
        part = (sample[pixel] - samples[knot]) / (samples[knot + 1] - samples[knot])
        slant_range = table.first_range + table.range_step * (knot + part)
        row = (line[pixel] - grid.first_node_line) * grid.node_line_rate
        rise = height[pixel] - grid.reference_height
        reference = _reference_range(grid, row, slant_range, rise)
        column = int(np.floor((reference - grid.first_range) * grid.range_rate + 0.5))
        if 0 <= column < columns:
            result[pixel] = flags[profile, column]


@compiled
def _knot_before(samples: Float64, knot: int, sample: float) -> int:
    """Return the last knot not beyond a sample, searched from another one nearby."""
    while knot > 0 and samples[knot] > sample:
        knot -= 1
    while knot < samples.size - 2 and samples[knot + 1] <= sample:
        knot += 1
    return knot


@compiled
def _reference_range(grid: _Grid, row: float, slant_range: float, rise: float) -> float:
    """Return the range that a point would have at the reference height.

    A rise h in the plane of zero Doppler shortens a range u to R**2 = u**2 - 2 u h c + h**2, with c
    the cosine of the incidence angle: u = h c + sqrt(R**2 - h**2 (1 - c**2)). The cosine is taken
    where u is expected, which is near enough: it changes by 1e-6 a metre.
    """
    reference = slant_range
    for _ in range(2):
        position = (reference - grid.first_range) * grid.node_range_rate
        k = min(max(int(row), 0), grid.descent.shape[0] - 2)
        m = min(max(int(position), 0), grid.descent.shape[1] - 2)
        s, t = position - m, row - k
        upper = (1.0 - s) * grid.descent[k, m] + s * grid.descent[k, m + 1]
        lower = (1.0 - s) * grid.descent[k + 1, m] + s * grid.descent[k + 1, m + 1]
        cosine = (1.0 - t) * upper + t * lower
        along = rise * cosine
        square = slant_range * slant_range - rise * rise + along * along
        reference = along + np.sqrt(square)
    return reference
