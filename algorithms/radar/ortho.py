"""Orthorectification of an image onto a map grid, block by block.

A tile is prepared once: at nodes every few hundred metres the zero-Doppler solution is found at
three heights. A block then needs, at each pixel, the height of the terrain, a parabola in height
and the ground range table; what it reads of the image is a window a little larger than itself.
Blocks are independent: threads may work on different ones, in any order.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms.block import Block
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.grd import Float64
from algorithms.radar.ground_range import SLANT_STEP
from algorithms.radar.ortho_kernels import BlockGrid, HeightGrid, fill_nodes, fill_positions

Float32 = NDArray[np.float32]

NODE_SPACING = 32  # pixels
# A range of heights is widened to this, so that the parabola has three distinct points.
LEAST_HEIGHT_RANGE_M = 100.0


class Window(NamedTuple):
    """A rectangle of the whole image; the last line and sample are not in it."""

    first_line: int
    last_line: int
    first_sample: int
    last_sample: int


class FrameWindow(NamedTuple):
    """The part of a window that lies in one frame.

    `read` is in the frame's own lines and samples, `lines` and `samples` are the slices of the
    window that it fills; pixels of the window outside every frame stay without data.
    """

    frame: int
    read: Window
    lines: slice
    samples: slice


@dataclass(frozen=True)
class TileNodes:
    """The geometry of a tile at its nodes.

    Parameters
    ----------
    geometry
        Of the image.
    epsg
        Code of the tile's projection.
    transform
        Column and row of the tile's pixels to easting and northing of their corner, metres.
    shape
        Rows and columns of the tile.
    spacing
        Pixels between nodes; node (0, 0) is the centre of pixel (0, 0).
    heights
        The three heights of the nodes, metres above the ellipsoid.
    coefficients
        Shape (node row, node column, 8): the image's row (`model.ImageArrays`) as a parabola
        c0 + c1 z + c2 z**2 of the height z, normalised to -1 at the lowest and 1 at the highest;
        slant range (m) likewise; longitude and latitude (degrees), continuous over the tile.
    """

    geometry: RadarGeometry
    epsg: int
    transform: Affine
    shape: tuple[int, int]
    spacing: int
    heights: tuple[float, float, float]
    coefficients: Float64


@dataclass(frozen=True)
class BlockPositions:
    """Where the pixels of a block lie in the image.

    Parameters
    ----------
    block
        The pixels of the tile.
    first_line, first_sample
        Pixel of the whole image that positions are relative to.
    line, sample
        Relative positions, float32 (exact to 1e-4 pixels), shape of the block, NaN outside the
        image or where the height is not known.
    height
        Terrain at each pixel, metres above the ellipsoid, float32.
    window
        The pixels around all positions; None when no position lies in the image.
    """

    block: Block
    first_line: int
    first_sample: int
    line: Float32
    sample: Float32
    height: Float32
    window: Window | None

    def relative_to(self, window: Window) -> tuple[Float32, Float32]:
        """Return line and sample relative to the first pixel of a window, float32."""
        return (
            self.line + np.float32(self.first_line - window.first_line),
            self.sample + np.float32(self.first_sample - window.first_sample),
        )

    def absolute(self) -> tuple[Float64, Float64]:
        """Return line and sample in the whole image, float64."""
        return (
            self.line.astype(np.float64) + self.first_line,
            self.sample.astype(np.float64) + self.first_sample,
        )


def prepare_tile(
    geometry: RadarGeometry,
    *,
    epsg: int,
    transform: Affine,
    shape: tuple[int, int],
    height_range: tuple[float, float],
    node_spacing: int = NODE_SPACING,
) -> TileNodes:
    """Solve the geometry of a map grid at its nodes.

    Parameters
    ----------
    geometry
        Of the image.
    epsg, transform, shape
        The grid: projection, pixel corners, rows and columns.
    height_range
        Least and largest height of the terrain, metres above the ellipsoid.
    node_spacing
        Pixels between nodes.
    """
    rows, columns = (
        np.arange(0, size + node_spacing, node_spacing, dtype=np.float64) for size in shape
    )
    column, row = np.meshgrid(columns + 0.5, rows + 0.5)
    easting = transform.a * column + transform.b * row + transform.c
    northing = transform.d * column + transform.e * row + transform.f
    to_geographic = Transformer.from_crs(epsg, 4326, always_xy=True)
    longitude, latitude = to_geographic.transform(easting, northing)
    longitude = _continuous(longitude)
    low, high = height_range
    middle = 0.5 * (low + high)
    half = 0.5 * max(high - low, LEAST_HEIGHT_RANGE_M)
    coefficients = np.empty((*longitude.shape, 8))
    coefficients[..., 6], coefficients[..., 7] = longitude, latitude
    fill_nodes(coefficients, middle, half, geometry.orbit_arrays, geometry.image_arrays)
    return TileNodes(
        geometry,
        epsg,
        transform,
        shape,
        node_spacing,
        (middle - half, middle, middle + half),
        coefficients,
    )


def block_positions(
    nodes: TileNodes, block: Block, heights: Float32, heights_transform: Affine
) -> BlockPositions:
    """Find every pixel of a block in the image.

    Parameters
    ----------
    nodes
        Of the tile.
    block
        Which pixels.
    heights
        Terrain, metres above the ellipsoid, float32, contiguous or it is copied, shape (latitude
        down, longitude), NaN where not known. It must surround the block: positions are NaN beyond
        its outermost centres.
    heights_transform
        Column and row of `heights` to longitude and latitude of the corner, degrees, no rotation.
    """
    _, middle, high = nodes.heights
    near = nodes.coefficients[block.row // nodes.spacing, block.column // nodes.spacing]
    longitude = heights_transform.c + heights_transform.a * 0.5 * heights.shape[1]
    turns = 360.0 * round((near[6] - longitude) / 360.0)
    height_grid = HeightGrid(
        np.ascontiguousarray(heights, np.float32),
        heights_transform.c + 0.5 * heights_transform.a + turns,
        1.0 / heights_transform.a,
        heights_transform.f + 0.5 * heights_transform.e,
        1.0 / heights_transform.e,
    )
    grid = BlockGrid(
        nodes.coefficients, nodes.spacing, middle, high - middle, block.row, block.column
    )
    line, sample, height = np.empty((3, block.rows, block.columns), np.float32)
    image = nodes.geometry.image_arrays
    origin = _origin(nodes, block)
    extremes = fill_positions(grid, height_grid, image, origin, line, sample, height)
    return BlockPositions(block, *origin, line, sample, height, _window(origin, extremes))


def _origin(nodes: TileNodes, block: Block) -> tuple[int, int]:
    """Return a line and sample near the block, inside the image or not."""
    node = nodes.coefficients[
        (block.row + block.rows // 2) // nodes.spacing,
        (block.column + block.columns // 2) // nodes.spacing,
    ]
    image = nodes.geometry.image_arrays
    row, slant_range = np.nan_to_num(node[0]), np.nan_to_num(node[3])
    span = int(np.clip(np.searchsorted(image.begin, row) - 1, 0, image.record.size - 1))
    column = int(
        np.clip((slant_range - image.slant_origin) / SLANT_STEP, 0, image.sample.shape[1] - 1)
    )
    return int(row), int(image.sample[image.record[span], column])


def _window(origin: tuple[int, int], extremes: tuple[float, float, float, float]) -> Window | None:
    """Return the pixels around all positions, None when there are no positions."""
    if not extremes[0] <= extremes[1]:
        return None
    low_line, high_line, low_sample, high_sample = (int(np.floor(value)) for value in extremes)
    return Window(
        origin[0] + low_line,
        origin[0] + high_line + 2,
        origin[1] + low_sample,
        origin[1] + high_sample + 2,
    )


def source_window(geometry: RadarGeometry, positions: BlockPositions, radius: int) -> Window | None:
    """Return what must be read for a block, None when it lies outside the image.

    Parameters
    ----------
    geometry
        Of the image.
    positions
        Of the block.
    radius
        Neighbours on each side (`resampling.RADIUS`).
    """
    touched = positions.window
    if touched is None:
        return None
    return Window(
        max(touched.first_line - radius + 1, 0),
        min(touched.last_line + radius - 1, geometry.lines),
        max(touched.first_sample - radius + 1, 0),
        min(touched.last_sample + radius - 1, geometry.samples),
    )


def frame_windows(geometry: RadarGeometry, window: Window) -> list[FrameWindow]:
    """Split a window of the whole image into what each frame holds."""
    parts = []
    for index, frame in enumerate(geometry.frames):
        lines, samples = frame.annotation.lines, frame.annotation.samples
        read = Window(
            max(window.first_line - frame.first_line, 0),
            min(window.last_line - frame.first_line, lines),
            max(window.first_sample - frame.sample_shift, 0),
            min(window.last_sample - frame.sample_shift, samples),
        )
        if read.first_line >= read.last_line or read.first_sample >= read.last_sample:
            continue
        top = read.first_line + frame.first_line - window.first_line
        left = read.first_sample + frame.sample_shift - window.first_sample
        parts.append(
            FrameWindow(
                index,
                read,
                slice(top, top + read.last_line - read.first_line),
                slice(left, left + read.last_sample - read.first_sample),
            )
        )
    return parts


def _continuous(longitude: Float64) -> Float64:
    """Shift longitudes (degrees) by whole turns to lie around the first one."""
    origin = longitude.flat[0]
    return np.asarray(origin + (longitude - origin + 180.0) % 360.0 - 180.0)
