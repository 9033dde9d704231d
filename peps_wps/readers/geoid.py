"""Height of the geoid above the ellipsoid, from a grid found on this machine.

PROJ's data folders are read, never configured: setting PROJ_DATA breaks whichever PROJ it was not
meant for.
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj.datadir
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from peps_wps.errors import DemError

# Grids as PROJ's and Debian's packages name them, the finest first.
_GRIDS = {
    "EGM96": ("us_nga_egm96_15.tif", "egm96_15.gtx", "egm96.gtx"),
    "EGM2008": ("us_nga_egm08_25.tif", "egm08_25.gtx", "egm2008.gtx"),
}
_SYSTEM_FOLDERS = (Path("/usr/share/proj"), Path("/usr/local/share/proj"))


@dataclass(frozen=True)
class Geoid:
    """A geoid model, ``EGM96`` or ``EGM2008``, and the grid file that holds it."""

    model: str
    path: Path

    def undulation(
        self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return the geoid's height above the ellipsoid, bilinear as PROJ does.

        Parameters
        ----------
        longitude, latitude
            Degrees of the columns, shape (columns,), and the rows, shape (rows,), of a grid.
            Longitudes may run on past 180.

        Returns
        -------
        Metres, shape (rows, columns).
        """
        grid = _read_rows(self.path, float(latitude.min()), float(latitude.max()))
        along = _interpolation((grid.north - latitude) / grid.step_latitude, grid.value.shape[0])
        column = (longitude - grid.west) / grid.step_longitude
        first = math.floor(column.min())
        count = math.floor(column.max()) + 2 - first
        across = _interpolation(column - first, count)
        turn = round(360 / grid.step_longitude)
        nodes = grid.value[:, np.arange(first, first + count) % turn]
        # Bilinear interpolation on a grid is a product of matrices: faster than point by point.
        rows = (along @ nodes).astype(np.float32)
        undulation: NDArray[np.float32] = rows @ across.T.astype(np.float32)
        return undulation


def _interpolation(place: NDArray[np.float64], nodes: int) -> NDArray[np.float64]:
    """Return the weights of nodes 0, 1, ... at some places, shape (places, nodes)."""
    place = np.clip(place, 0, nodes - 1)
    before = np.minimum(place.astype(np.int64), nodes - 2)
    weights = np.zeros((place.size, nodes))
    rows = np.arange(place.size)
    weights[rows, before] = 1 - (place - before)
    weights[rows, before + 1] = place - before
    return weights


@dataclass(frozen=True)
class _Rows:
    """Whole rows of a grid: nodes from `west` eastwards and `north` southwards, degrees."""

    value: NDArray[np.float64]
    north: float
    west: float
    step_latitude: float
    step_longitude: float


@functools.lru_cache(maxsize=8)
def _read_rows(path: Path, south: float, north: float) -> _Rows:
    """Read the rows of a global grid that enclose an interval of latitude."""
    try:
        with rasterio.open(path) as grid:
            transform = grid.transform
            # Nodes are pixel centres.
            top, left = transform.f + transform.e / 2, transform.c + transform.a / 2
            step = -transform.e
            turn = round(360 / transform.a)
            if step <= 0 or abs(turn * transform.a - 360) > 1e-6 or grid.width < turn:
                raise DemError(f"{path.name} is not a global grid, one of a geoid expected")
            first = min(max(int((top - north) / step), 0), grid.height - 2)
            last = min(max(int((top - south) / step) + 2, first + 2), grid.height)
            value = grid.read(1, window=Window(0, first, turn, last - first)).astype(np.float64)
    except RasterioError as error:
        raise DemError(f"geoid grid {path.name} cannot be read") from error
    return _Rows(value, top - first * step, left, step, transform.a)


def find_geoid(model: str, *, geoid_path: Path | None = None, fallback: str = "") -> Geoid:
    """Return the grid of a geoid model, looked up where PROJ grids lie.

    Parameters
    ----------
    model
        ``EGM96`` or ``EGM2008``.
    geoid_path
        A grid file, or a folder that is searched first.
    fallback
        ``EGM96`` lets EGM2008 heights use the EGM96 grid: at most about 2 m off.

    Raises
    ------
    DemError
        When no grid is found; the message says how to get one.
    """
    for candidate in dict.fromkeys((model, fallback)):
        path = _find_grid(candidate, geoid_path) if candidate else None
        if path is not None:
            return Geoid(candidate, path)
    if geoid_path is not None and not geoid_path.exists():
        raise DemError(f"geoid_path of the configuration, {geoid_path.name}, does not exist")
    hint = (
        "apt-get install proj-data"
        if model == "EGM96"
        else f"projsync --file {_GRIDS[model][0]}, or geoid_fallback = EGM96"
    )
    raise DemError(
        f"no grid of the geoid {model} found, needed for the heights: {hint}, "
        f"or set geoid_path in section dem to {_GRIDS[model][0]}"
    )


def _find_grid(model: str, geoid_path: Path | None) -> Path | None:
    if geoid_path is not None and geoid_path.is_file():
        others = {name for other, names in _GRIDS.items() if other != model for name in names}
        if geoid_path.name not in others:
            return geoid_path
    for folder in _folders(geoid_path):
        for name in _GRIDS[model]:
            if (folder / name).is_file():
                return folder / name
    return None


def _folders(geoid_path: Path | None) -> list[Path]:
    own = [geoid_path] if geoid_path is not None and geoid_path.is_dir() else []
    user = Path(pyproj.datadir.get_user_data_dir())  # type: ignore[attr-defined]
    return [*own, *_SYSTEM_FOLDERS, user, Path(pyproj.datadir.get_data_dir())]
