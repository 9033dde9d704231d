"""What a Cloud Optimized GeoTIFF says of itself, as far as tiles need it."""

import functools
import math
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pyproj
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import RasterioIOError
from rasterio.io import DatasetReader

from peps_wps.tiles import grid
from peps_wps.tiles.errors import NotACogError, ReplacedError
from peps_wps.tiles.stored_member import gdal_path
from peps_wps.writers.cog import OverviewRule

# Nothing beside the file is looked for: no world file, no external overviews. GDAL would fill a
# twentieth of the memory with decoded blocks in every web process; it keeps what it hears at first.
GDAL_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": 128,  # MB
}
LARGEST_BLOCK = 1024  # pixels a side
# Where the smallest resolution has more, a tile of a low zoom would read too much.
LARGEST_OVERVIEW = 2048
_LATITUDE_LIMIT = 85.06
_RULE_OF: dict[str, OverviewRule] = {"decibels": "mean_db", "amplitude": "rms"}
_STEPS_OF_EDGES = 21


@dataclass(frozen=True)
class Source:
    """Where a GeoTIFF is: a file, or the member of a zip that stores it as it is."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Its own name, without folders."""
        return PurePosixPath(self.member).name or self.path.name


@dataclass(frozen=True)
class Identity:
    """A GeoTIFF with the bytes that it has now: replaced or rewritten it is another one."""

    source: Source
    inode: int
    modified_ns: int
    size_bytes: int

    @classmethod
    def of(cls, source: Source) -> "Identity":
        """Return the identity of a GeoTIFF.

        Raises
        ------
        OSError
            When its file does not exist.
        """
        found = source.path.stat()
        return cls(source, found.st_ino, found.st_mtime_ns, found.st_size)


@dataclass(frozen=True)
class Level:
    """One resolution of a raster.

    Parameters
    ----------
    overview
        Index of the overview, None for the full resolution.
    shape
        Rows and columns.
    factor
        Pixels of the full resolution that one of these holds, down and across.
    """

    overview: int | None
    shape: tuple[int, int]
    factor: tuple[float, float]


@dataclass(frozen=True)
class Raster:
    """A published raster.

    Parameters
    ----------
    identity
        The file.
    crs
        As EPSG code or WKT.
    transform
        From pixel corners of the full resolution to the map.
    levels
        Full resolution first.
    dtype, nodata, scales, offsets
        Of the values; physical value = stored * scale + offset, band by band.
    tags
        Of the file.
    """

    identity: Identity
    crs: str
    transform: Affine
    levels: tuple[Level, ...]
    dtype: str
    nodata: float | None
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    tags: dict[str, str] = field(repr=False)

    @property
    def bands(self) -> int:
        """How many there are."""
        return len(self.scales)

    @property
    def is_picture(self) -> bool:
        """Whether it is red, green and blue already."""
        return self.dtype == "uint8" and self.bands >= 3

    @property
    def holds_classes(self) -> bool:
        """Whether values are classes or flags, of which no mean makes sense."""
        return self.dtype == "uint8" and not self.is_picture

    @property
    def quantity(self) -> str:
        """What the values are, as its tags say."""
        return self.tags.get("QUANTITY", "")

    @property
    def overview_rule(self) -> OverviewRule:
        """How the writer halved it."""
        if self.holds_classes:
            return "nearest"
        return _RULE_OF.get(self.quantity, "mean")

    @functools.cached_property
    def to_raster(self) -> pyproj.Transformer:
        """From the Mercator plane to the raster's map; may be used by many threads."""
        return pyproj.Transformer.from_crs(grid.EPSG, self.crs, always_xy=True)

    @functools.cached_property
    def box(self) -> grid.Box:
        """Where it lies in the Mercator plane; a raster across 180 degrees spans the world."""
        west, south, east, north = self.bounds
        limit, half = _LATITUDE_LIMIT, grid.HALF_SIDE
        to_plane = pyproj.Transformer.from_crs("EPSG:4326", grid.EPSG, always_xy=True)
        if east < west:
            west, east = -180.0, 180.0
        x, y = to_plane.transform(
            [west, east], [max(-limit, min(limit, south)), max(-limit, min(limit, north))]
        )
        return grid.Box(max(-half, x[0]), max(-half, y[0]), min(half, x[1]), min(half, y[1]))

    @functools.cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north in degrees; west above east across 180 degrees."""
        rows, columns = self.levels[0].shape
        corners = [self.transform @ (x, y) for x in (0, columns) for y in (0, rows)]
        eastings, northings = [point[0] for point in corners], [point[1] for point in corners]
        to_degrees = pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        west, south, east, north = to_degrees.transform_bounds(
            min(eastings), min(northings), max(eastings), max(northings), _STEPS_OF_EDGES
        )
        return west, south, east, north

    @functools.cached_property
    def native_zoom(self) -> int:
        """The first zoom that shows every pixel."""
        rows, columns = self.levels[0].shape
        size = max((self.box.north - self.box.south) / rows, 1e-3)
        if self.box.east - self.box.west < grid.HALF_SIDE:
            size = min(size, max((self.box.east - self.box.west) / columns, 1e-3))
        return grid.native_zoom(size)


def open_level(identity: Identity, overview: int | None) -> DatasetReader:
    """Open one resolution of a GeoTIFF, and nothing else whatever the file holds.

    Raises
    ------
    NotACogError
        When it is none.
    ReplacedError
        When it is no longer the one that was identified.
    """
    options = {} if overview is None else {"overview_level": overview}
    source = identity.source
    place = gdal_path(source.path, source.member) if source.member else str(source.path)
    try:
        with rasterio.Env(**GDAL_OPTIONS):
            dataset = rasterio.open(place, driver="GTiff", **options)
    except RasterioIOError as error:
        raise NotACogError(source.name, "it is no GeoTIFF") from error
    if Identity.of(source) != identity:
        dataset.close()
        raise ReplacedError(source.name)
    return dataset


def describe(identity: Identity, dataset: DatasetReader) -> Raster:
    """Return what a file says of itself.

    Parameters
    ----------
    identity, dataset
        The file, open at full resolution.

    Raises
    ------
    NotACogError
        When it lies on no map, or parts of it cannot be read alone.
    """
    name = identity.source.name
    if dataset.crs is None:
        raise NotACogError(name, "it lies on no map")
    if np.dtype(dataset.dtypes[0]).kind not in "iuf":
        raise NotACogError(name, f"its values are {dataset.dtypes[0]}")
    levels = _levels(identity, dataset)
    if max(dataset.block_shapes[0]) > LARGEST_BLOCK or max(levels[-1].shape) > LARGEST_OVERVIEW:
        raise NotACogError(name, "it is no Cloud Optimized GeoTIFF, with blocks and overviews")
    epsg = dataset.crs.to_epsg()
    return Raster(
        identity=identity,
        crs=dataset.crs.to_wkt() if epsg is None else f"EPSG:{epsg}",
        transform=dataset.transform,
        levels=levels,
        dtype=dataset.dtypes[0],
        nodata=dataset.nodata,
        scales=dataset.scales,
        offsets=dataset.offsets,
        tags=dataset.tags(),
    )


def _levels(identity: Identity, dataset: DatasetReader) -> tuple[Level, ...]:
    """Return the resolutions of a dataset.

    An overview of ours holds 2**n pixels a pixel exactly, its last ones reach beyond the edge;
    GDAL itself stretches it to the edge, and so are overviews of other sizes here.
    """
    full = dataset.height, dataset.width
    levels = [Level(None, full, (1.0, 1.0))]
    for index, factor in enumerate(dataset.overviews(1)):
        power = 2 ** round(math.log2(factor))
        halved = math.ceil(full[0] / power), math.ceil(full[1] / power)
        with open_level(identity, index) as overview:
            shape = overview.height, overview.width
        exact = (float(power), float(power))
        stretched = (full[0] / shape[0], full[1] / shape[1])
        levels.append(Level(index, shape, exact if shape == halved else stretched))
    return tuple(levels)


def values_of(raster: Raster, stored: NDArray[np.generic], band: int) -> NDArray[np.float32]:
    """Return physical values of one band, NaN for no data."""
    values = stored.astype(np.float32)
    if raster.nodata is not None and not math.isnan(raster.nodata):
        values[stored == raster.nodata] = np.nan
    scale, offset = raster.scales[band - 1], raster.offsets[band - 1]
    if (scale, offset) != (1.0, 0.0):
        values = values * np.float32(scale) + np.float32(offset)
    return values
