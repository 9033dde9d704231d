"""Cells of a radar grid on a map: where each map pixel lies, and how the radar looked at it.

Place and look direction are smooth functions of row, column and height on a map block: exact
solutions at some nodes, polynomials between them. Maps are filled by looking back into the radar
image, so that none has holes.
"""

import math
from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms.compiled import compiled
from algorithms.geodesy import geodetic_to_ecef
from algorithms.interferometry.cells import CellGrid
from algorithms.interferometry.geometry import baseline_at, place_of, zero_doppler_of
from algorithms.interferometry.model import Complex64, Float32, RadarFrame
from algorithms.interferometry.smooth import SmoothFunction, fit_smooth
from algorithms.radar.grd import Float64
from algorithms.terrain.directions import look_vectors

# Rows, columns, heights: blocks of some 30 km are right within a thousandth of a pixel.
_DEGREES = (6, 6, 3)
_LEAST_HEIGHTS = 10.0  # m, of heights fitted


class MapBlock(NamedTuple):
    """A part of a map.

    Parameters
    ----------
    epsg
        Projection.
    transform
        Column and row of the block to easting and northing of their corner.
    height
        Metres above the ellipsoid, float32, shape (row, column), NaN where unknown.
    """

    epsg: int
    transform: Affine
    height: Float32


class RadarView(NamedTuple):
    """How the radar sees the pixels of a map block; float arrays of its shape, NaN alike.

    Parameters
    ----------
    line, sample
        Place in the frame, float64.
    east, north, up
        Unit vector from the ground to the antenna, float32.
    incidence_angle
        From the ellipsoid's normal, radians, float32.
    perpendicular_baseline
        Metres, float32, as in `geometry.Baseline`; NaN without a secondary.
    """

    line: Float64
    sample: Float64
    east: Float32
    north: Float32
    up: Float32
    incidence_angle: Float32
    perpendicular_baseline: Float32


def radar_view(
    frame: RadarFrame, block: MapBlock, secondary: RadarFrame | None = None
) -> RadarView:
    """Compute where the pixels of a map block lie in a frame, and the look directions.

    Parameters
    ----------
    frame
        Of the reference.
    block
        At most some 30 km wide.
    secondary
        Of the secondary product; only its orbit and times count.
    """
    known = np.isfinite(block.height)
    if not known.any():
        empty = np.full(block.height.shape, np.nan)
        return RadarView(empty, empty, *(empty.astype(np.float32),) * 5)
    low, high = float(block.height[known].min()), float(block.height[known].max())
    smooth = _fit_view(frame, secondary, block, (low, max(high, low + _LEAST_HEIGHTS)))
    fields = _evaluate(smooth, block.height)
    line, sample, east, north, up, perpendicular = fields
    incidence = np.arccos(np.clip(up, -1.0, 1.0))
    return RadarView(
        line,
        sample,
        *(field.astype(np.float32) for field in (east, north, up, incidence, perpendicular)),
    )


def values_on_map(cells: Float32, grid: CellGrid, view: RadarView) -> Float32:
    """Interpolate cells at the pixels of a map, bilinearly.

    Parameters
    ----------
    cells
        One value a cell of the whole grid, NaN where there is none. An unwrapped phase is
        interpolated so; a wrapped one as complex numbers, by `phasors_on_map`.
    grid
        The grid.
    view
        Of the map block in the grid's frame.

    Returns
    -------
    Values of the block, NaN outside the grid and where cells of half the weight have no value.
    """
    out = np.empty(view.line.shape, np.float32)
    _interpolate(cells, *_places(grid, view), out)
    return out


def phasors_on_map(
    cells: Complex64, grid: CellGrid, view: RadarView, *, is_unit: bool = False
) -> Complex64:
    """Interpolate complex cells at the pixels of a map; 0 stands for what has no value.

    With `is_unit` only their phases count: bright cells do not decide about the phase beside them.
    """
    out = np.empty(view.line.shape, np.complex64)
    _interpolate_complex(cells, *_places(grid, view), is_unit, out)
    return out


def nearest_on_map(
    cells: NDArray[np.unsignedinteger], grid: CellGrid, view: RadarView
) -> NDArray[np.unsignedinteger]:
    """Return the nearest cell's value at the pixels of a map, 0 outside: for components."""
    row, column = (
        np.nan_to_num(np.floor(place + 0.5), nan=-1.0).astype(np.int64)
        for place in _places(grid, view)
    )
    inside = (row >= 0) & (row < cells.shape[0]) & (column >= 0) & (column < cells.shape[1])
    out = np.zeros(row.shape, cells.dtype)
    out[inside] = cells[row[inside], column[inside]]
    return out


def _places(grid: CellGrid, view: RadarView) -> tuple[Float64, Float64]:
    """Return rows and columns of cells, integers at their middles."""
    row = (view.line + 0.5) / grid.looks.azimuth - 0.5
    column = (view.sample + 0.5) / grid.looks.range - 0.5
    return row, column


def _fit_view(
    frame: RadarFrame,
    secondary: RadarFrame | None,
    block: MapBlock,
    height_range: tuple[float, float],
) -> SmoothFunction:
    """Fit line, sample, look vector and perpendicular baseline over a block."""
    to_degrees = Transformer.from_crs(block.epsg, 4326, always_xy=True)

    def view(row: Float64, column: Float64, height: Float64) -> Float64:
        a, b, c, d, e, f, *_ = block.transform
        longitude, latitude = to_degrees.transform(
            a * column + b * row + c, d * column + e * row + f
        )
        ground = geodetic_to_ecef(np.radians(longitude), np.radians(latitude), height)
        place = place_of(frame, ground)
        time, _ = zero_doppler_of(frame, ground)
        look = np.moveaxis(look_vectors(ground, frame.orbit_polynomial.position(time)), -1, 0)
        across = np.full(row.shape, np.nan)
        if secondary is not None:
            across = baseline_at(frame, secondary, ground).perpendicular
        return np.stack([place.line, place.sample, *look, across])

    rows, columns = block.height.shape
    return fit_smooth(view, ((0.0, rows), (0.0, columns), height_range), _DEGREES)


def _evaluate(smooth: SmoothFunction, height: Float32) -> Float64:
    """Evaluate functions at the pixels of a block, each with its height."""
    rows, columns = (np.arange(size) + 0.5 for size in height.shape)
    y = (rows - smooth.middle[0]) / smooth.half_span[0]
    x = (columns - smooth.middle[1]) / smooth.half_span[1]
    first = np.vander(y, smooth.coefficients.shape[1], increasing=True)
    second = np.vander(x, smooth.coefficients.shape[2], increasing=True)
    # Powers of the height, each a polynomial of row and column on the grid.
    planes = np.einsum("ra,fabh,cb->fhrc", first, smooth.coefficients, second, optimize=True)
    z = (height.astype(np.float64) - smooth.middle[2]) / smooth.half_span[2]
    value: Float64 = planes[:, -1] + 0.0 * z
    for power in range(planes.shape[1] - 2, -1, -1):
        value = value * z + planes[:, power]
    return value


@compiled
def _interpolate(cells: Float32, row: Float64, column: Float64, out: Float32) -> None:
    """Weigh the four cells around each place; what is NaN has no weight."""
    rows, columns = cells.shape
    for i in range(row.shape[0]):
        for j in range(row.shape[1]):
            y, x = row[i, j], column[i, j]
            out[i, j] = math.nan
            if not (y >= -0.5 and y <= rows - 0.5 and x >= -0.5 and x <= columns - 0.5):
                continue
            top, left = math.floor(y), math.floor(x)
            total = weights = 0.0
            for m in range(2):
                for n in range(2):
                    near_row = min(max(top + m, 0), rows - 1)
                    near_column = min(max(left + n, 0), columns - 1)
                    value = cells[near_row, near_column]
                    if not math.isnan(value):
                        weight = (1.0 - abs(y - top - m)) * (1.0 - abs(x - left - n))
                        total += weight * value
                        weights += weight
            if weights > 0.5:
                out[i, j] = total / weights


@compiled
def _interpolate_complex(
    cells: Complex64,
    row: Float64,
    column: Float64,
    is_unit: bool,  # noqa: FBT001 - kernels take no keywords
    out: Complex64,
) -> None:
    """Weigh the four cells around each place, or their phasors; what is 0 has no weight."""
    rows, columns = cells.shape
    for i in range(row.shape[0]):
        for j in range(row.shape[1]):
            y, x = row[i, j], column[i, j]
            out[i, j] = 0.0
            if not (y >= -0.5 and y <= rows - 0.5 and x >= -0.5 and x <= columns - 0.5):
                continue
            top, left = math.floor(y), math.floor(x)
            real = imaginary = weights = 0.0
            for m in range(2):
                for n in range(2):
                    near_row = min(max(top + m, 0), rows - 1)
                    near_column = min(max(left + n, 0), columns - 1)
                    value = cells[near_row, near_column]
                    if value != 0.0:
                        weight = (1.0 - abs(y - top - m)) * (1.0 - abs(x - left - n))
                        scaled = weight / abs(value) if is_unit else weight
                        real += scaled * value.real
                        imaginary += scaled * value.imag
                        weights += weight
            if weights > 0.5:
                out[i, j] = complex(real / weights, imaginary / weights)
