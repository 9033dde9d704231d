"""Which files hold the heights of an area: a folder of tiles, one file, or a template of URLs."""

import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from peps_wps.errors import DemError

# Tiles of one degree named after their south-west corner: N44E003.hgt, ..._N44_00_E003_00_DEM.tif.
_CORNER = re.compile(r"([NS])(\d{2})(?:_00)?_?([EW])(\d{3})")
_SUFFIXES = (".tif", ".tiff", ".vrt", ".hgt", ".hgt.zip", ".dt1", ".dt2", ".img")
# Tiles reach half a posting beyond their degree; 3 arc seconds at most.
_OVERLAP = 1.5 / 3600


class Bounds(NamedTuple):
    """An area in degrees; `east` is more than `west`, and may pass 180."""

    west: float
    south: float
    east: float
    north: float

    def turned(self, degrees: float) -> "Bounds":
        """Return the area with other, equal longitudes."""
        return Bounds(self.west + degrees, self.south, self.east + degrees, self.north)

    def overlaps(self, other: "Bounds") -> bool:
        """Say whether two areas have a surface in common."""
        return (
            self.west < other.east
            and other.west < self.east
            and self.south < other.north
            and other.south < self.north
        )

    def __str__(self) -> str:
        return (
            f"longitude {self.west:.2f} to {self.east:.2f}, "
            f"latitude {self.south:.2f} to {self.north:.2f}"
        )


@dataclass(frozen=True)
class TileSource:
    """A file to read, and the turn (a multiple of 360 degrees) that brings it to the area."""

    name: str
    turn: float


def find_tiles(source: str | Path, area: Bounds) -> list[TileSource]:
    """Return the files that may hold heights of an area, in a stable order.

    Parameters
    ----------
    source
        A folder (searched with its sub-folders), anything GDAL opens, or a template in which
        ``{lat}`` and ``{lon}`` stand for ``N44`` and ``E003``.
    """
    text = str(source)
    if is_template(text):
        return [
            TileSource(text.format(lat=_latitude(south), lon=_longitude(west)), turn)
            for south, west, turn in _cells(area)
        ]
    path = Path(text)
    if path.is_dir():
        return [
            TileSource(str(file), turn)
            for file in _files(path)
            for turn in _turns(_tile_bounds(file), area)
        ]
    return [TileSource(text, turn) for turn in _turns(_file_bounds(text), area)]


def is_template(source: str) -> bool:
    """Say whether a source names one file a degree."""
    return "{lat}" in source and "{lon}" in source


def _cells(area: Bounds) -> Iterator[tuple[int, int, float]]:
    """Yield the south-west corners of the one-degree cells of an area, west from -180 to 179."""
    for south in range(math.floor(area.south), math.ceil(area.north)):
        for west in range(math.floor(area.west), math.ceil(area.east)):
            inside = (west + 180) % 360 - 180
            yield south, inside, float(west - inside)


def _latitude(south: int) -> str:
    return f"{'N' if south >= 0 else 'S'}{abs(south):02d}"


def _longitude(west: int) -> str:
    return f"{'E' if west >= 0 else 'W'}{abs(west):03d}"


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.name.lower().endswith(_SUFFIXES))


def _tile_bounds(file: Path) -> Bounds:
    """Return the bounds of a tile, from its name if that says them: opening thousands is slow."""
    corner = _CORNER.search(file.name)
    if corner is None:
        state = file.stat()
        return _opened_bounds(str(file), state.st_mtime_ns)
    south = int(corner[2]) * (1 if corner[1] == "N" else -1)
    west = int(corner[4]) * (1 if corner[3] == "E" else -1)
    return Bounds(west - _OVERLAP, south - _OVERLAP, west + 1 + _OVERLAP, south + 1 + _OVERLAP)


@functools.lru_cache(maxsize=10_000)
def _opened_bounds(name: str, _modified_ns: int) -> Bounds:
    return _file_bounds(name)


def _file_bounds(name: str) -> Bounds:
    try:
        with rasterio.open(name) as dataset:
            if dataset.crs is None:
                raise DemError(f"{Path(name).name} has no coordinate reference system")
            return Bounds(*transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds))
    except RasterioError as error:
        raise DemError(f"the DEM {Path(name).name} cannot be opened") from error


def _turns(tile: Bounds, area: Bounds) -> list[float]:
    """Return the turns that bring a tile to the area; a global file may have two."""
    return [turn for turn in (-360.0, 0.0, 360.0) if tile.turned(turn).overlaps(area)]
