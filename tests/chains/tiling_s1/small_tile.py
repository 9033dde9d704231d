"""A tile of 8 km in place of 110: cost depends on its size, what S1_TILING does with it not."""

from dataclasses import dataclass
from unittest.mock import _patch, patch

from affine import Affine

from algorithms import mgrs

SIDE = 768  # pixels
TILE = "31TCJ"
# Row and column of the tile where the small one begins: around the middle of simulated passes.
_ROW, _COLUMN = 6700, 7000

_full_size = mgrs.tile


@dataclass(frozen=True)
class SmallTile(mgrs.Tile):
    """A part of a tile under the tile's name."""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        rows, columns = self.shape
        west, north = self.transform.c, self.transform.f
        return west, north - rows * mgrs.PIXEL_M, west + columns * mgrs.PIXEL_M, north


def small_tile(name: str) -> mgrs.Tile:
    """The part of the tile that the tests look at; any other tile as it is."""
    whole = _full_size(name)
    if whole.name != TILE:
        return whole
    transform = whole.transform @ Affine.translation(_COLUMN, _ROW)
    return SmallTile(whole.name, whole.epsg, transform, (SIDE, SIDE))


def small_tiles() -> "_patch[object]":
    """A context in which tiles are small."""
    return patch.object(mgrs, "tile", small_tile)
