"""Air of ERA5 in GRIB files, as PyAPS and MintPy keep them: one file for a date and an hour.

ECMWF's reanalysis on pressure levels: geopotential, temperature and specific humidity, GRIB 1 or 2,
``ERA5_N30_N40_E120_E140_20101017_14.grb``. Date and hour are read from the name, the area from the
file. Nothing is fetched.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from algorithms.troposphere import PressureLevels
from peps_wps.errors import AirError

Bounds = tuple[float, float, float, float]

# ERA5 has a state of the air every hour: the nearest is at most half of one away.
FARTHEST = timedelta(minutes=60)
_NAME = re.compile(r"ERA5_(?:.*_)?(?P<date>\d{8})_(?P<hour>[01]\d|2[0-3])\.(?:grb|grib)2?")
# As GDAL names them in files of edition 1 and 2.
_GEOPOTENTIAL, _TEMPERATURE, _HUMIDITY = "geopotential", "temperature", "specific humidity"
_ELEMENTS = {
    "Z": _GEOPOTENTIAL,
    "GP": _GEOPOTENTIAL,
    "T": _TEMPERATURE,
    "TMP": _TEMPERATURE,
    "Q": _HUMIDITY,
    "SPFH": _HUMIDITY,
}
_LEVEL = re.compile(r"(?P<value>[\d.]+)\[(?P<unit>hPa|Pa)\] ISBL")
_PASCAL = {"hPa": 100.0, "Pa": 1.0}
_LEAST_LEVELS = 15
# Weight of the air that no level may leave out, at the bottom and at the top.
_LOWEST_LEVEL, _HIGHEST_LEVEL = 850e2, 100e2  # Pa


class AirFile(NamedTuple):
    """A file of the state of the air at one instant (UTC, by its name)."""

    time: datetime
    path: Path


def air_files(folder: Path) -> list[AirFile]:
    """Return the files of a folder and those below it, by time and name."""
    found = []
    for path in folder.rglob("ERA5_*.gr*") if folder.is_dir() else ():
        naming = _NAME.fullmatch(path.name)
        if naming is None:
            continue
        try:
            day = datetime.strptime(naming["date"], "%Y%m%d").replace(tzinfo=UTC)
        except ValueError:
            continue  # eight digits that are no date: another file's name
        found.append(AirFile(day + timedelta(hours=int(naming["hour"])), path))
    return sorted(found)


def find_air(files: list[AirFile], time: datetime, bounds: Bounds) -> AirFile:
    """Return the file whose time is nearest to an acquisition's, of those that cover an area.

    Parameters
    ----------
    files
        Those there are.
    time
        UTC.
    bounds
        West, south, east, north, degrees; east may be beyond 180.

    Raises
    ------
    AirError
        When no file is within an hour, or none of those covers the area.
    """
    near = [file for file in files if abs(file.time - time) <= FARTHEST]
    if not near:
        hour = (time + timedelta(minutes=30)).strftime("%Y%m%d_%H")
        raise AirError(
            f"no ERA5 file for {time:%Y-%m-%d %H:%M} UTC, expected one with a name that ends in "
            f"{hour}.grb"
        )
    covered = []
    for file in sorted(near, key=lambda one: (abs(one.time - time), one.path.name)):
        with _opened(file.path) as dataset:
            grid = _Grid.of(dataset, file.path.name)
        if grid.nodes(bounds) is not None:
            return file
        covered.append(f"{file.path.name} covers {grid}")
    raise AirError(f"no ERA5 file covers {_degrees(bounds)}: {covered[0]}")


def read_levels(file: AirFile, bounds: Bounds) -> PressureLevels:
    """Read the air over an area.

    Parameters
    ----------
    file
        Of the acquisition.
    bounds
        As in `find_air`; the nodes around it are read too.

    Returns
    -------
    Levels whose longitudes are on the turn of the bounds.

    Raises
    ------
    AirError
        When the file cannot be read, is of another time than its name says, does not cover the
        area, or lacks a variable or levels.
    """
    name = file.path.name
    with _opened(file.path) as dataset:
        nodes = _Grid.of(dataset, name).nodes(bounds)
        if nodes is None:
            raise AirError(f"{name} does not cover {_degrees(bounds)}")
        bands = _bands(dataset, file)
        pressures = _levels(bands, name)
        values = {
            variable: np.stack(
                [
                    dataset.read(bands[variable, pressure])[np.ix_(nodes.rows, nodes.columns)]
                    for pressure in pressures
                ]
            )
            for variable in dict.fromkeys(_ELEMENTS.values())
        }
    return PressureLevels(
        nodes.longitude.astype(np.float64),
        nodes.latitude.astype(np.float64),
        np.array(pressures),
        values[_GEOPOTENTIAL],
        values[_TEMPERATURE],
        values[_HUMIDITY],
    )


class _Nodes(NamedTuple):
    """Rows and columns of a file over an area, and where they lie, degrees."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    latitude: NDArray[np.floating]
    longitude: NDArray[np.floating]


@dataclass(frozen=True)
class _Grid:
    """Nodes of a file: the first one's place, degrees, north and west, and how many."""

    north: float
    west: float
    step_latitude: float
    step_longitude: float
    rows: int
    columns: int

    def __str__(self) -> str:
        south = self.north - (self.rows - 1) * self.step_latitude
        east = self.west + (self.columns - 1) * self.step_longitude
        return _degrees((self.west, south, east, self.north))

    @classmethod
    def of(cls, dataset: DatasetReader, name: str) -> "_Grid":
        """Return the nodes of a file: the centres of GDAL's pixels."""
        transform = dataset.transform
        crs = dataset.crs
        if crs is None or not crs.is_geographic or transform.e >= 0 or min(dataset.shape) < 2:
            raise AirError(f"{name} is not on a grid of longitudes and latitudes, north up")
        top, left = transform.f + transform.e / 2, transform.c + transform.a / 2
        return cls(top, left, -transform.e, transform.a, dataset.height, dataset.width)

    def nodes(self, bounds: Bounds) -> _Nodes | None:
        """Return the nodes in and just around an area, None when they are not all there."""
        west, south, east, north = bounds
        east += 360.0 if east < west else 0.0
        above = math.floor((self.north - north) / self.step_latitude)
        below = max(math.ceil((self.north - south) / self.step_latitude), above + 1)
        turns = 360.0 * math.floor((west - self.west) / 360.0)
        left = math.floor((west - turns - self.west) / self.step_longitude)
        right = max(math.ceil((east - turns - self.west) / self.step_longitude), left + 1)
        is_round = self.columns * self.step_longitude > 360.0 - 1e-6
        if above < 0 or below >= self.rows or (right >= self.columns and not is_round):
            return None
        rows, columns = np.arange(above, below + 1), np.arange(left, right + 1)
        return _Nodes(
            rows,
            columns % self.columns,
            self.north - rows * self.step_latitude,
            self.west + turns + columns * self.step_longitude,
        )


@contextmanager
def _opened(path: Path) -> Iterator[DatasetReader]:
    """Open a file with its units as they are; AirError when GDAL cannot read it."""
    try:
        with (
            rasterio.Env(GRIB_NORMALIZE_UNITS="NO"),
            rasterio.open(path, driver="GRIB") as dataset,
        ):
            yield dataset
    except RasterioError as error:
        raise AirError(f"{path.name} cannot be read as GRIB") from error


def _bands(dataset: DatasetReader, file: AirFile) -> dict[tuple[str, float], int]:
    """Return the bands by variable and pressure (Pa); all are of the time of the file's name."""
    bands: dict[tuple[str, float], int] = {}
    for band in dataset.indexes:
        tags = dataset.tags(band)
        level = _LEVEL.match(dataset.descriptions[band - 1] or "")
        variable = _ELEMENTS.get(tags.get("GRIB_ELEMENT", ""))
        if level is None or variable is None:
            continue
        time = datetime.fromtimestamp(float(tags["GRIB_VALID_TIME"].split()[0]), UTC)
        if time != file.time:
            raise AirError(
                f"{file.path.name} holds the air of {time:%Y-%m-%d %H:%M} UTC, "
                f"its name says {file.time:%Y-%m-%d %H:%M}"
            )
        bands[variable, float(level["value"]) * _PASCAL[level["unit"]]] = band
    return bands


def _levels(bands: dict[tuple[str, float], int], name: str) -> list[float]:
    """Return the pressures (Pa) at which there are all variables."""
    pressures = sorted({pressure for _, pressure in bands})
    for variable in dict.fromkeys(_ELEMENTS.values()):
        lacking = [one for one in pressures if (variable, one) not in bands]
        if len(lacking) == len(pressures):
            raise AirError(f"{name} has no {variable} on pressure levels")
        if lacking:
            raise AirError(f"{name} has no {variable} at {lacking[0] / 100:g} hPa")
    if (
        len(pressures) < _LEAST_LEVELS
        or pressures[0] > _HIGHEST_LEVEL
        or pressures[-1] < _LOWEST_LEVEL
    ):
        raise AirError(
            f"{name} has {len(pressures)} levels, {pressures[0] / 100:g} to "
            f"{pressures[-1] / 100:g} hPa: expected {_LEAST_LEVELS} or more from "
            f"{_HIGHEST_LEVEL / 100:g} hPa or less to {_LOWEST_LEVEL / 100:g} hPa or more"
        )
    return pressures


def _degrees(bounds: Bounds) -> str:
    """Return bounds in words."""
    west, south, east, north = bounds
    return f"longitudes {west:.2f} to {east:.2f}, latitudes {south:.2f} to {north:.2f}"
