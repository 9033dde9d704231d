"""Which files hold the heights of an area: a folder of tiles, one file, or a template of URLs."""

import functools
import math
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from peps_wps.errors import DemError

# Tiles of one degree named after their south-west corner: N44E003.hgt, ..._N44_00_E003_00_DEM.tif,
# ALPSMLC30_N044E003_DSM.tif.
_CORNER = re.compile(r"([NS])0?(\d{2})(?:_00)?_?([EW])(\d{3})", re.IGNORECASE)
# Copernicus has a folder a tile. Other folders named after a corner may hold many degrees.
_FOLDER_OF_TILE = re.compile(r"_[NS]\d{2}_00_[EW]\d{3}_00(_|$)")
_SUFFIXES = (".tif", ".tiff", ".vrt", ".hgt", ".hgt.zip", ".dt1", ".dt2", ".img")
# What lies beside the heights in the products of Copernicus, TanDEM-X, ALOS and ASTER.
_NO_HEIGHTS = re.compile(
    r"_(ACM|AM2|AMP|COM|COV|EDM|FLM|HEM|IN2|INT|LSM|MSK|NUM|QL|STK|WAM|WBM)\.", re.IGNORECASE
)
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

    def grown(self, degrees: float) -> "Bounds":
        """Return the area with a margin on every side."""
        west, south, east, north = self
        return Bounds(west - degrees, south - degrees, east + degrees, north + degrees)

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


Corner = tuple[int, int]  # south and west, whole degrees


@dataclass(frozen=True, order=True)
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
    if Path(text).is_dir():
        return sorted(set(_folder_tiles(text, area)))
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


@dataclass(frozen=True)
class _Listing:
    """What lies in one folder: by corner where the name tells it, the rest opened or searched."""

    files: Mapping[Corner | None, list[str]]
    folders: Mapping[Corner | None, list[str]]


def _folder_tiles(folder: str, area: Bounds) -> Iterator[TileSource]:
    """Yield the tiles in a folder; of the worldwide thousands only those named so are looked at."""
    listing = _listing(folder, Path(folder).stat().st_mtime_ns)
    for name in listing.files.get(None, ()):
        bounds = _opened_bounds(name, Path(name).stat().st_mtime_ns)
        yield from (TileSource(name, turn) for turn in _turns(bounds, area))
    near = list(_cells(area.grown(_OVERLAP)))
    for south, west, turn in near:
        yield from (TileSource(name, turn) for name in listing.files.get((south, west), ()))
    corners: set[Corner | None] = {None, *((south, west) for south, west, _ in near)}
    for name in (name for corner in corners for name in listing.folders.get(corner, ())):
        yield from _folder_tiles(name, area)


# A folder's time changes with what it holds: nothing stale is ever found here.
@functools.lru_cache(maxsize=32_768)
def _listing(folder: str, _modified_ns: int) -> _Listing:
    files: dict[Corner | None, list[str]] = defaultdict(list)
    folders: dict[Corner | None, list[str]] = defaultdict(list)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                is_of_tile = _FOLDER_OF_TILE.search(entry.name)
                folders[_corner(entry.name) if is_of_tile else None].append(entry.path)
            elif entry.name.lower().endswith(_SUFFIXES) and not _NO_HEIGHTS.search(entry.name):
                files[_corner(entry.name)].append(entry.path)
    return _Listing(dict(files), dict(folders))


def _corner(name: str) -> Corner | None:
    """Return the corner in the name of a tile; None for what is named after none or several."""
    found = _CORNER.findall(name)
    if len(found) != 1:
        return None
    ((north_or_south, latitude, east_or_west, longitude),) = found
    south = int(latitude) * (1 if north_or_south in "Nn" else -1)
    west = int(longitude) * (1 if east_or_west in "Ee" else -1)
    return (south, west) if -180 <= west < 180 else None


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
