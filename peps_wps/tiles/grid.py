"""The grid of web maps: square tiles of the Mercator square, halved at each zoom.

OGC 17-083r2, annex D.1, WebMercatorQuad; its scales are those of OGC 07-057r7, annex E.4,
GoogleMapsCompatible.
"""

import math
from typing import NamedTuple

EPSG = 3857
EARTH_RADIUS = 6_378_137.0  # m, of the sphere that EPSG:3857 projects from
HALF_SIDE = math.pi * EARTH_RADIUS  # m
TILE_SIDE = 256  # pixels
LARGEST_ZOOM = 24
# Of the well-known scale set GoogleMapsCompatible.
SCALE_SET_ZOOMS = 19
_PIXEL_OF_SCALES = 0.28e-3  # m, OGC 07-057r7, clause 6.1


class Box(NamedTuple):
    """An area of the Mercator plane, in metres."""

    west: float
    south: float
    east: float
    north: float


class Tile(NamedTuple):
    """A tile; columns count from the west, rows from the north."""

    zoom: int
    column: int
    row: int

    @property
    def exists(self) -> bool:
        """Whether the grid has this tile."""
        side = 1 << max(0, min(self.zoom, LARGEST_ZOOM))
        return 0 <= self.zoom <= LARGEST_ZOOM and 0 <= self.column < side and 0 <= self.row < side

    @property
    def box(self) -> Box:
        """Where it lies."""
        side = 2 * HALF_SIDE / (1 << self.zoom)
        west, north = self.column * side - HALF_SIDE, HALF_SIDE - self.row * side
        return Box(west, north - side, west + side, north)


def resolution(zoom: int) -> float:
    """Return the metres a pixel of the Mercator plane, true on the equator."""
    return 2 * HALF_SIDE / (TILE_SIDE << zoom)


def scale_denominator(zoom: int) -> float:
    """Return the scale of a zoom as WMTS states it."""
    return resolution(zoom) / _PIXEL_OF_SCALES


def native_zoom(pixel_size: float) -> int:
    """Return the first zoom that shows every pixel of this size, in metres of the plane."""
    zoom = math.ceil(math.log2(resolution(0) / pixel_size) - 0.01)
    return max(0, min(LARGEST_ZOOM, zoom))


def tiles_over(box: Box, zoom: int) -> tuple[Tile, Tile]:
    """Return the north-western and the south-eastern tile that an area touches."""
    side = 2 * HALF_SIDE / (1 << zoom)
    last = (1 << zoom) - 1

    def index(distance: float) -> int:
        return max(0, min(last, math.floor(distance / side)))

    first = Tile(zoom, index(box.west + HALF_SIDE), index(HALF_SIDE - box.north))
    return first, Tile(zoom, index(box.east + HALF_SIDE), index(HALF_SIDE - box.south))
