"""One picture of all tiles of an order, as they lie on the map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms import mgrs
from peps_wps.writers.quicklook import read_overview, write_quicklook

LARGEST_SIDE = 1600  # pixels


@dataclass(frozen=True)
class TileImages:
    """The images of one tile by polarisation, and what their values are."""

    tile: mgrs.Tile
    images: Mapping[str, Path]
    quantity: str


def draw_tiles(path: Path, tiles: Sequence[TileImages]) -> None:
    """Draw tiles on one canvas in the zone of the first, others shifted onto it, not turned.

    Where tiles overlap, the first one with data is seen.
    """
    corners = np.array([_corner(one.tile, tiles[0].tile.epsg) for one in tiles])
    west, north = corners[:, 0].min(), corners[:, 1].max()
    extent = max(np.ptp(corners[:, 0]), np.ptp(corners[:, 1])) + mgrs.TILE_M
    side = max(1, int(LARGEST_SIDE * mgrs.TILE_M / extent))
    names = list(dict.fromkeys(name for one in tiles for name in one.images))
    canvas: dict[str, NDArray[np.float32]] = {}
    for one, (easting, northing) in zip(tiles, corners, strict=True):
        for name, file in one.images.items():
            overview = read_overview(file, quantity=one.quantity, side=side)
            pixel = mgrs.TILE_M / overview.shape[1]
            if name not in canvas:
                size = int(np.ceil(extent / pixel)) + 1
                canvas[name] = np.full((size, size), np.nan, np.float32)
            _place(
                canvas[name],
                overview,
                round((north - northing) / pixel),
                round((easting - west) / pixel),
            )
    write_quicklook(path, _cropped({name: canvas[name] for name in names}))


def _corner(tile: mgrs.Tile, epsg: int) -> tuple[float, float]:
    """Return easting and northing of the upper left corner of a tile in a given zone."""
    easting, northing = tile.transform.c, tile.transform.f
    if tile.epsg == epsg:
        return easting, northing
    half = mgrs.TILE_M / 2
    centre = Transformer.from_crs(tile.epsg, epsg, always_xy=True).transform(
        easting + half, northing - half
    )
    return centre[0] - half, centre[1] + half


def _place(canvas: NDArray[np.float32], image: NDArray[np.float32], row: int, column: int) -> None:
    """Fill the empty pixels of a part of the canvas."""
    part = canvas[row : row + image.shape[0], column : column + image.shape[1]]
    image = image[: part.shape[0], : part.shape[1]]
    np.copyto(part, image, where=np.isnan(part))


def _cropped(canvas: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Cut off the empty margins that all images share."""
    filled = np.any([np.isfinite(image) for image in canvas.values()], axis=0)
    rows, columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    if rows.size == 0:
        return dict(canvas)
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return {name: image[window] for name, image in canvas.items()}
