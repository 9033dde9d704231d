"""Layover and radar shadow, seen along the terrain profiles of `terrain_profiles`.

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
from algorithms.grd import Float64
from algorithms.terrain_nodes import SampleTable
from algorithms.terrain_profiles import TerrainProfiles

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
    grid = _Grid(
        profiles.nodes.stack,
        profiles.nodes.line[0],
        profiles.nodes.line[1] - profiles.nodes.line[0],
        profiles.nodes.reference_range[0],
        profiles.nodes.reference_range[1] - profiles.nodes.reference_range[0],
        profiles.range_step,
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
    """Profile points and their nodes, for the kernels; metres and lines."""

    nodes: Float64
    first_node_line: float
    node_lines: float
    first_range: float
    node_range: float
    range_step: float
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
    for pixel in range(line.size):
        if not np.isfinite(line[pixel] + sample[pixel] + height[pixel]):
            continue
        offset = line[pixel] - grid.first_line + 0.5
        profile = int(np.floor(offset * grid.profiles_per_line))
        if not 0 <= profile < profiles:
            continue
        slant_range = _range_of(table, int(offset), sample[pixel])
        row = (line[pixel] - grid.first_node_line) / grid.node_lines
        rise = height[pixel] - grid.reference_height
        reference = slant_range
        for _ in range(3):
            # The slant range at a height follows the reference range metre for metre.
            position = (reference - grid.first_range) / grid.node_range
            reference += slant_range - _range_at(grid.nodes, row, position, rise)
        column = int(np.floor((reference - grid.first_range) / grid.range_step + 0.5))
        if 0 <= column < columns:
            result[pixel] = flags[profile, column]


@compiled
def _range_of(table: SampleTable, line: int, sample: float) -> float:
    """Return the slant range of a sample on a line of the table."""
    samples = table.samples[line]
    last = samples.size - 2
    # Nearly linear: the first guess is a few knots off at most.
    k = int((sample - samples[0]) / (samples[last + 1] - samples[0]) * (last + 1))
    k = min(max(k, 0), last)
    while k > 0 and samples[k] > sample:
        k -= 1
    while k < last and samples[k + 1] < sample:
        k += 1
    position = k + (sample - samples[k]) / (samples[k + 1] - samples[k])
    slant_range: float = table.first_range + table.range_step * position
    return slant_range


@compiled
def _range_at(nodes: Float64, row: float, column: float, rise: float) -> float:
    """Return the slant range at a node position and a height above the reference."""
    k = min(max(int(row), 0), nodes.shape[0] - 2)
    m = min(max(int(column), 0), nodes.shape[2] - 2)
    t, s = row - k, column - m
    square = 0.0
    for i in range(4, 6):
        upper = (1.0 - s) * nodes[k, i, m] + s * nodes[k, i, m + 1]
        lower = (1.0 - s) * nodes[k + 1, i, m] + s * nodes[k + 1, i, m + 1]
        square += ((1.0 - t) * upper + t * lower + rise * nodes[k, i + 2, m]) ** 2
    return float(np.sqrt(square))
