"""Grids of results: a UTM zone, or tiles of Sentinel-2."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from algorithms import mgrs
from peps_wps.errors import ChainError, OrderRefusedError

_LONGEST_SIDE_DEG = 0.02  # of outlines that are projected
# Tens of metres that divide the side of a tile.
TILE_RESOLUTIONS = tuple(r for r in range(10, 301, 10) if mgrs.TILE_M % r == 0)


@dataclass(frozen=True)
class MapGrid:
    """Pixels on a map.

    Parameters
    ----------
    tile
        MGRS name, empty where the grid is not a tile.
    epsg
        UTM zone.
    transform
        Column and row to easting and northing of corners, metres.
    shape
        Rows and columns.
    """

    tile: str
    epsg: int
    transform: Affine
    shape: tuple[int, int]

    @property
    def resolution(self) -> float:
        """Pixel size, metres."""
        return float(self.transform.a)


def utm_grid(shown: BaseGeometry, resolution: int) -> MapGrid:
    """Return the pixels of the UTM zone of an area's middle that the area touches.

    Parameters
    ----------
    shown
        Degrees, longitudes continuous.
    resolution
        Metres; corners lie on multiples of it, so that results of one zone fit each other.
    """
    middle = shown.centroid
    zone = int((middle.x + 180.0) % 360.0 // 6.0) + 1
    epsg = (32700 if middle.y < 0 else 32600) + zone
    west, south, east, north = projected(shown, epsg).bounds
    left, top = math.floor(west / resolution), math.ceil(north / resolution)
    shape = top - math.floor(south / resolution), math.ceil(east / resolution) - left
    transform = Affine(resolution, 0.0, left * resolution, 0.0, -resolution, top * resolution)
    return MapGrid("", epsg, transform, (max(shape[0], 1), max(shape[1], 1)))


def tile_grids(
    shown: BaseGeometry, resolution: int, tiles: Sequence[str] = ()
) -> tuple[MapGrid, ...]:
    """Return the tiles that an area touches, or those that are asked for.

    Raises
    ------
    ChainError
        When the area touches none of those.
    """
    touched = mgrs.tiles_over(shown)
    names = [name for name in touched if not tiles or name in tiles]
    if not names:
        raise ChainError(f"the bursts touch tiles {', '.join(touched)}, not {', '.join(tiles)}")
    return tuple(tile_grid(name, resolution) for name in names)


def tile_grid(name: str, resolution: int) -> MapGrid:
    """Return the pixels of a tile."""
    tile = mgrs.tile(name)
    factor = resolution / mgrs.PIXEL_M
    side = mgrs.TILE_M // resolution
    return MapGrid(name, tile.epsg, tile.transform @ Affine.scale(factor), (side, side))


def projected(shown: BaseGeometry, epsg: int) -> BaseGeometry:
    """Return an area (degrees) in metres of a UTM zone."""
    to_map = Transformer.from_crs(4326, epsg, always_xy=True)
    dense = shapely.segmentize(shown, _LONGEST_SIDE_DEG)
    return shapely.transform(dense, lambda places: np.column_stack(to_map.transform(*places.T)))


def default_resolution(grid: str, looks_azimuth: int) -> int:
    """Return the pixel size for some looks along the track: 20 m a look, on tiles what fits."""
    wanted = 20 * looks_azimuth
    if grid == "utm":
        return wanted
    return max(resolution for resolution in TILE_RESOLUTIONS if resolution <= max(wanted, 10))


def check_tile_resolution(resolution: int) -> None:
    """Refuse a pixel size that does not divide a tile."""
    if resolution not in TILE_RESOLUTIONS:
        near = sorted(TILE_RESOLUTIONS, key=lambda one: (abs(one - resolution), one))[:4]
        raise OrderRefusedError(
            "resolution",
            f"resolution is {resolution} m, not one of tens that divide the 109800 m of a tile: "
            f"expected {', '.join(map(str, sorted(near)))} or others that do",
        )
