"""A STAC item beside the files of one pass on one tile.

STAC 1.1.0 with the extensions sar, sat, projection, raster, mgrs, grid, processing and file, in the
versions that pystac 1.15 reads and writes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from affine import Affine
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

# Pure geometry, no database: an item and the catalogue cut footprints the same way.
from catalog_db.catalogue.footprints import UNITS_PER_DEGREE, placed
from peps_wps.writers.acquisition import Acquisition, Processing

Json = dict[str, Any]

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
PNG = "image/png"
JPEG = "image/jpeg"

VERSION = "1.1.0"
_EXTENSIONS = ("sar/v1.0.0", "sat/v1.0.0")
# Of every item, and of those on a tile.
_COMMON_EXTENSIONS = ("projection/v2.0.0", "raster/v1.1.0", "processing/v1.1.0", "file/v2.1.0")
_TILE_EXTENSIONS = ("mgrs/v1.0.0", "grid/v1.1.0")
CENTER_FREQUENCY = 5.405  # GHz; Sentinel-1 product annotation, radarFrequency
_EDGE_POINTS = 11  # of each side of a tile: its sides are curves in longitude and latitude
PRECISION_DEG = 1e-6  # of coordinates: 11 cm
LICENCE = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"


@dataclass(frozen=True)
class Raster:
    """What the values of a GeoTIFF are; physical value = stored * scale + offset."""

    dtype: str
    nodata: float | None
    resolution: float
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class Asset:
    """One file of an item.

    Parameters
    ----------
    href
        Relative to the item.
    polarizations
        Of a radar image.
    raster
        Of a GeoTIFF.
    """

    href: str
    media_type: str
    title: str
    roles: tuple[str, ...]
    size_bytes: int | None = None
    polarizations: tuple[str, ...] = ()
    raster: Raster | None = None


@dataclass(frozen=True)
class Grid:
    """The raster grid that all GeoTIFFs of an item share.

    Parameters
    ----------
    tile
        MGRS name, empty where it is not that of a tile.
    transform
        Column and row to easting and northing of pixel corners, metres.
    shape
        Rows and columns.
    """

    tile: str
    epsg: int
    transform: Affine
    shape: tuple[int, int]


@dataclass(frozen=True)
class Quality:
    """What was measured of a result; everything ends as a property ``peps:<name>``."""

    valid_percent: float
    further: Mapping[str, Any] = field(default_factory=dict)


def tile_item(
    identifier: str,
    acquisition: Acquisition,
    processing: Processing,
    grid: Grid,
    *,
    assets: Mapping[str, Asset],
    quality: Quality,
) -> Json:
    """Return the item of one pass on one tile.

    Parameters
    ----------
    identifier
        Unique in its collection: the stem of the files.
    assets
        By key: "vv", "vh", "thumbnail", ...
    """
    polarizations = {name for asset in assets.values() for name in asset.polarizations}
    properties = {
        "title": f"Sentinel-1 {processing.calibration} on tile {grid.tile}",
        **_acquired(acquisition, polarizations),
        **_processed(acquisition, processing),
        **gridded(grid),
        **_own(acquisition, processing, quality),
    }
    return item_on(
        grid,
        acquisition.footprint,
        identifier,
        extensions=_EXTENSIONS,
        properties=properties,
        assets=assets,
    )


def item_on(
    grid: Grid,
    footprint: BaseGeometry,
    identifier: str,
    *,
    extensions: Sequence[str],
    properties: Json,
    assets: Mapping[str, Asset],
) -> Json:
    """Return an item on a tile, or on another grid.

    Parameters
    ----------
    grid
        That all GeoTIFFs share.
    footprint
        Of the products it is from; the item covers what lies on the grid.
    identifier
        Unique in its collection.
    extensions
        Names and versions of those that its properties need, beside the common ones.
    properties, assets
        What it says.
    """
    geometry, bbox = footprint_on(grid, footprint)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [
            f"https://stac-extensions.github.io/{name}/schema.json"
            for name in (*extensions, *_COMMON_EXTENSIONS, *(_TILE_EXTENSIONS if grid.tile else ()))
        ],
        "id": identifier,
        "geometry": shapely.geometry.mapping(shapely.set_precision(geometry, PRECISION_DEG)),
        "bbox": bbox,
        "properties": properties,
        "links": [{"rel": "license", "href": LICENCE, "title": "Copernicus Sentinel data"}],
        "assets": {key: asset_document(asset) for key, asset in assets.items()},
    }


def _acquired(acquisition: Acquisition, polarizations: Collection[str]) -> Json:
    return {
        "datetime": instant_text(acquisition.starts[0]),
        "start_datetime": instant_text(acquisition.starts[0]),
        "end_datetime": instant_text(acquisition.stop),
        **seen_by_radar(
            acquisition.platform,
            acquisition.mode,
            # Co-polarised first.
            sorted(polarizations, key=lambda name: (name[0] != name[1], name)),
            orbit_direction=acquisition.orbit_direction,
            relative_orbit=acquisition.relative_orbit,
        ),
        "sat:absolute_orbit": acquisition.orbit_number,
    }


def seen_by_radar(
    platform: str,
    mode: str,
    polarizations: Sequence[str],
    *,
    orbit_direction: str,
    relative_orbit: int,
) -> Json:
    """Return the properties of an item that say what Sentinel-1 saw it with, and from where."""
    return {
        "platform": f"sentinel-{platform[1:].lower()}",
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "sar:instrument_mode": mode,
        "sar:frequency_band": "C",
        "sar:center_frequency": CENTER_FREQUENCY,
        "sar:polarizations": list(polarizations),
        "sat:orbit_state": orbit_direction,
        "sat:relative_orbit": relative_orbit,
    }


def made(created: datetime, lineage: str, software: str) -> Json:
    """Return the properties of an item that say how and when it was made, by which version."""
    return {
        "created": instant_text(created),
        "processing:software": {"PEPS": software},
        "processing:lineage": lineage,
    }


def _processed(acquisition: Acquisition, processing: Processing) -> Json:
    return {
        **made(processing.created, _lineage(acquisition, processing), processing.version),
        "gsd": processing.resolution,
        # Geocoded and corrected for the terrain's position, or for its radiometry too.
        "sar:product_type": "RTC" if processing.calibration == "gamma0_rtc" else "GTC",
    }


def gridded(grid: Grid) -> Json:
    """Return the properties of an item that say where its pixels lie."""
    placed_at = {
        "proj:code": f"EPSG:{grid.epsg}",
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform)[:6],
    }
    if not grid.tile:
        return placed_at
    return placed_at | {
        "mgrs:utm_zone": int(grid.tile[:2]),
        "mgrs:latitude_band": grid.tile[2],
        "mgrs:grid_square": grid.tile[3:],
        "grid:code": f"MGRS-{grid.tile}",
    }


def _own(acquisition: Acquisition, processing: Processing, quality: Quality) -> Json:
    own = {
        "input_products": list(acquisition.titles),
        "ipf": sorted(set(acquisition.ipf)),
        "calibration": processing.calibration,
        "noise_removed": processing.denoised,
        "resampling": processing.resampling,
        "dem": processing.dem,
        "orbit": processing.orbit,
        "valid_percent": quality.valid_percent,
        **quality.further,
    }
    return {f"peps:{name}": value for name, value in own.items()}


def _lineage(acquisition: Acquisition, processing: Processing) -> str:
    noise = "thermal noise removed" if processing.denoised else "thermal noise kept"
    return (
        f"{' and '.join(acquisition.titles)}: calibrated to {processing.calibration}, {noise}, "
        f"orthorectified ({processing.resampling}); orbit from {processing.orbit}; {processing.dem}"
    )


def asset_document(asset: Asset) -> Json:
    """Return an asset as an item has it."""
    document: Json = {
        "href": asset.href,
        "type": asset.media_type,
        "title": asset.title,
        "roles": list(asset.roles),
    }
    if asset.size_bytes is not None:
        document["file:size"] = asset.size_bytes
    if asset.polarizations:
        document["sar:polarizations"] = list(asset.polarizations)
    if asset.raster is not None:
        document["raster:bands"] = [_band(asset.raster)]
    return document


def _band(raster: Raster) -> Json:
    band: Json = {
        "data_type": raster.dtype,
        "spatial_resolution": raster.resolution,
    }
    if raster.nodata is not None:
        # JSON has no word for it; the extension spells it so.
        band["nodata"] = "nan" if np.isnan(raster.nodata) else raster.nodata
    if (raster.scale, raster.offset) != (1.0, 0.0):
        band |= {"scale": raster.scale, "offset": raster.offset}
    if raster.unit:
        band["unit"] = raster.unit
    return band


def footprint_on(grid: Grid, footprint: BaseGeometry) -> tuple[BaseGeometry, list[float]]:
    """Return what a pass covers of a grid, cut at the antimeridian, and its bounding box."""
    tile = _outline(grid)
    passes = shapely.union_all(
        [shapely.affinity.translate(footprint, turn) for turn in (-360.0, 0.0, 360.0)]
    )
    common = tile.intersection(passes)
    geometry, box = placed(tile if common.area == 0 else common)
    x0, y0, x1, y1 = (value / UNITS_PER_DEGREE for value in box)
    # RFC 7946, 5.2: the west of a box across the antimeridian is more than its east.
    return geometry, [x0, y0, x1 - 360 if x1 > 180 else x1, y1]


def _outline(grid: Grid) -> shapely.Polygon:
    """Return the outline of the grid, continuous in longitude, degrees."""
    rows, columns = grid.shape
    steps = np.linspace(0, 1, _EDGE_POINTS)[:-1]
    column = np.concatenate([steps, np.ones_like(steps), 1 - steps, np.zeros_like(steps)])
    row = np.concatenate([np.zeros_like(steps), steps, np.ones_like(steps), 1 - steps])
    transform = grid.transform
    easting = transform.c + transform.a * column * columns
    northing = transform.f + transform.e * row * rows
    longitude, latitude = Transformer.from_crs(grid.epsg, 4326, always_xy=True).transform(
        easting, northing
    )
    longitude = np.degrees(np.unwrap(np.radians(longitude)))
    return shapely.Polygon(np.column_stack([longitude, latitude]))


def instant_text(instant: datetime) -> str:
    """Return an instant as items have it."""
    return f"{instant:%Y-%m-%dT%H:%M:%S.%f}Z"
