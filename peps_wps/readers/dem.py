"""Heights above the ellipsoid of any area, from whatever DEM is configured.

A window is a mosaic on the lattice of the finest tile it touches. Tiles on the same lattice are
copied, others interpolated; voids and missing tiles are sea level or an error, as configured.
"""

import functools
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.features import geometry_mask
from rasterio.io import DatasetReader
from shapely.geometry.base import BaseGeometry

from peps_wps.errors import DemError
from peps_wps.readers.dem_mosaic import Heights, Lattice, Tile, finest_lattice, place
from peps_wps.readers.dem_tiles import Bounds, find_tiles, is_template
from peps_wps.readers.geoid import Geoid, find_geoid
from peps_wps.readers.vertical_datum import ELLIPSOID, VerticalDatum, vertical_datum

logger = logging.getLogger(__name__)

GDAL_OPTIONS: dict[str, str | int] = {
    # Without it GDAL lists the folder of each remote file.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    # A web request waits for an order's tiles to be found: seconds, for one remote read.
    "GDAL_HTTP_CONNECTTIMEOUT": 5,
    "GDAL_HTTP_TIMEOUT": 20,
}


@dataclass(frozen=True)
class DemWindow:
    """Heights of an area.

    Parameters
    ----------
    height
        Metres above the WGS84 ellipsoid, shape (row, column), north up, no gaps.
    transform
        To longitude and latitude in degrees, pixel corners; longitudes run on past 180.
    datum
        One sentence for the report: what the heights were measured from, and how it is known.
    missing
        Fraction of the pixels asked for that no tile covers, taken as sea level.
    """

    height: Heights
    transform: Affine
    datum: str
    missing: float


@dataclass(frozen=True)
class Dem:
    """A source of heights and what is configured of it (section ``[dem]``).

    Parameters
    ----------
    source
        A folder of tiles, anything GDAL opens, or a template with ``{lat}`` and ``{lon}``.
    vertical_datum
        ``EGM96``, ``EGM2008`` or ``ellipsoid``, of files that do not say it; empty: by their name.
    geoid_path, geoid_fallback
        See `find_geoid`.
    sea
        ``zero``: where there are no heights it is sea level; ``error``: there must be heights.
    """

    source: str
    vertical_datum: str = ""
    geoid_path: Path | None = None
    geoid_fallback: str = ""
    sea: str = "zero"

    @staticmethod
    def open(
        path: str | Path,
        *,
        vertical_datum: str = "",
        geoid_path: Path | None = None,
        geoid_fallback: str = "",
        sea: str = "zero",
    ) -> "Dem":
        """Return the DEM at `path`; nothing is read yet."""
        return Dem(str(path), vertical_datum, geoid_path, geoid_fallback, sea)

    def check(self, areas: Mapping[str, tuple[float, float, float, float]]) -> None:
        """Raise the DemError of `heights` for want of tiles or of a geoid, reading no height.

        Parameters
        ----------
        areas
            Bounds by what an error shall call them. Each file is opened once for all of them.
        """
        with ExitStack() as stack:
            opened = self._opener(stack)
            datum = functools.cache(lambda d: vertical_datum(d, self.vertical_datum))
            for name, bounds in areas.items():
                try:
                    for tile in self._tiles(_area(bounds, margin=0.0), opened):
                        self._geoid(datum(tile.dataset))
                except DemError as error:
                    raise DemError(f"{name}: {error}") from error

    def heights(
        self,
        bounds: tuple[float, float, float, float],
        *,
        margin: float = 0.01,
        needed: BaseGeometry | None = None,
    ) -> DemWindow:
        """Return the heights of an area.

        Parameters
        ----------
        bounds
            West, south, east, north, degrees; west more than east, or east more than 180, crosses
            the antimeridian.
        margin
            Degrees added on every side.
        needed
            Where heights matter, longitudes running on as those of the bounds; the whole area when
            None. Gaps outside are filled without a word.

        Raises
        ------
        DemError
            When no tile covers any of the area, heights are missing and `sea` is ``error``, or the
            geoid that the heights need is not on this machine.
        """
        area = _area(bounds, margin)
        datums: dict[VerticalDatum, Geoid | None] = {}
        with ExitStack() as stack:
            tiles = self._tiles(area, self._opener(stack))
            lattice = finest_lattice(tiles, area)
            height = np.full(lattice.shape, np.nan, np.float32)
            for tile in tiles:
                part = place(tile, lattice)
                if part is None:
                    continue
                datum = vertical_datum(tile.dataset, self.vertical_datum)
                datums.setdefault(datum, self._geoid(datum))
                found = part.height + _sea_level(datums[datum], lattice, part.rows, part.columns)
                target = height[part.rows, part.columns]
                np.copyto(target, found, where=np.isnan(target))
        sentence = "; ".join(_sentence(datum, geoid) for datum, geoid in datums.items())
        void = np.isnan(height)
        missing = _share(void, needed, lattice.transform)
        if missing == 1:
            raise DemError(f"no DEM for {area}")
        if void.any():
            geoid = self._geoid_of_gaps(missing, area, datums.values())
            rows, columns = slice(0, lattice.shape[0]), slice(0, lattice.shape[1])
            np.copyto(height, _sea_level(geoid, lattice, rows, columns), where=void)
            if missing > 0:
                sentence += f"; {_sentence_of_gaps(missing, geoid)}"
        return DemWindow(height, lattice.transform, sentence, missing)

    def _opener(self, stack: ExitStack) -> Callable[[str], DatasetReader | None]:
        """Return what opens each file once, all until the stack ends, never waiting for long."""
        stack.enter_context(rasterio.Env(**GDAL_OPTIONS))
        may_be_absent = is_template(self.source)

        @functools.cache
        def opened(name: str) -> DatasetReader | None:
            dataset = _open(name, may_be_absent=may_be_absent)
            return None if dataset is None else stack.enter_context(dataset)

        return opened

    def _tiles(self, area: Bounds, opened: Callable[[str], DatasetReader | None]) -> list[Tile]:
        """Return the tiles of an area, the finest first."""
        tiles = []
        for source in find_tiles(self.source, area):
            dataset = opened(source.name)
            if dataset is not None:
                tiles.append(Tile(dataset, source.turn))
        tiles = [tile for tile in tiles if tile.bounds.overlaps(area)]
        if not tiles:
            raise DemError(f"no DEM for {area}")
        return sorted(tiles, key=lambda tile: tile.posting)

    def _geoid(self, datum: VerticalDatum) -> Geoid | None:
        if datum.name == ELLIPSOID:
            return None
        return find_geoid(datum.name, geoid_path=self.geoid_path, fallback=self.geoid_fallback)

    def _geoid_of_gaps(
        self, missing: float, area: Bounds, geoids: Iterable[Geoid | None]
    ) -> Geoid | None:
        """Return the geoid that is sea level where heights are missing, if they may be."""
        if self.sea == "error" and missing > 0:
            raise DemError(
                f"{100 * missing:.2f} percent of the heights missing for {area}, "
                "none expected where sea = error"
            )
        return next((geoid for geoid in geoids if geoid is not None), None) or self._any_geoid()

    def _any_geoid(self) -> Geoid | None:
        """Return some geoid for the sea beside ellipsoidal heights, which need none themselves."""
        for model in ("EGM2008", "EGM96"):
            try:
                return find_geoid(model, geoid_path=self.geoid_path)
            except DemError as error:
                logger.debug("sea level: %s", error)
        return None


def _area(bounds: tuple[float, float, float, float], margin: float) -> Bounds:
    west, south, east, north = bounds
    if east < west:
        east += 360
    if not (-90 <= south <= north <= 90 and east - west <= 360):
        raise ValueError(f"bounds {bounds} are not west, south, east, north in degrees")
    return Bounds(west - margin, max(south - margin, -90), east + margin, min(north + margin, 90))


def _open(name: str, *, may_be_absent: bool) -> DatasetReader | None:
    """Open a file; None for a tile of a template that does not exist."""
    try:
        return rasterio.open(name)
    except RasterioError as error:
        if may_be_absent and _is_absent(name, str(error)):
            return None
        raise DemError(f"the DEM {name.rsplit('/', 1)[-1]} cannot be opened") from error


def _is_absent(name: str, message: str) -> bool:
    if "://" in name or name.startswith("/vsi"):
        return "404" in message or "does not exist" in message
    return not Path(name).exists()


def _share(void: NDArray[np.bool_], needed: BaseGeometry | None, transform: Affine) -> float:
    """Return the fraction of the pixels that are void, of all or of those inside an outline."""
    if needed is None or not void.any():
        return float(void.mean())
    inside = geometry_mask([needed], void.shape, transform, all_touched=True, invert=True)
    return float(void[inside].mean()) if inside.any() else 0.0


def _sea_level(geoid: Geoid | None, lattice: Lattice, rows: slice, columns: slice) -> Heights:
    """Return the height of the geoid at some rows and columns of the lattice."""
    if geoid is None:
        return np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    return geoid.undulation(lattice.longitude(columns), lattice.latitude(rows))


def _sentence(datum: VerticalDatum, geoid: Geoid | None) -> str:
    if geoid is None:
        return f"heights above the ellipsoid {datum.rule}"
    sentence = f"heights above {datum.name} {datum.rule}, made ellipsoidal with {geoid.path.name}"
    if geoid.model != datum.name:
        sentence += f" of {geoid.model} as geoid_fallback allows, up to 2 m off"
    return sentence


def _sentence_of_gaps(missing: float, geoid: Geoid | None) -> str:
    level = "on the ellipsoid, no geoid found" if geoid is None else f"on {geoid.model}"
    return f"{100 * missing:.2f} percent of the heights missing, taken as sea level {level}"
