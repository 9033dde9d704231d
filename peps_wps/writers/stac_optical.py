"""A STAC item beside the files made from Sentinel-2 products of one tile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from peps_wps.writers.stac import (
    LICENCE,
    PRECISION_DEG,
    VERSION,
    Asset,
    Grid,
    Json,
    asset_document,
    footprint_on,
    gridded,
    instant_text,
)

_EXTENSIONS = tuple(
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in (
        "eo/v1.1.0",
        "sat/v1.0.0",
        "projection/v2.0.0",
        "raster/v1.1.0",
        "mgrs/v1.0.0",
        "grid/v1.1.0",
        "processing/v1.1.0",
        "file/v2.1.0",
    )
)


@dataclass(frozen=True)
class Observation:
    """What Sentinel-2 products a result is from.

    Parameters
    ----------
    titles
        Of the products, in the order of time.
    start, stop
        UTC.
    platform
        "S2A" of the first product.
    level
        "L1C" or "L2A".
    cloud_cover
        Percent of the first product; None where it does not say.
    footprint
        Longitude and latitude.
    """

    titles: tuple[str, ...]
    start: datetime
    stop: datetime
    platform: str
    level: str
    relative_orbit: int
    orbit_direction: str
    cloud_cover: float | None
    footprint: BaseGeometry


@dataclass(frozen=True)
class Making:
    """What was done.

    Parameters
    ----------
    title
        Of the item, for people.
    lineage
        One sentence.
    software
        Version of PEPS.
    created
        UTC.
    further
        Ends as properties ``peps:<name>``.
    """

    title: str
    lineage: str
    software: str
    created: datetime
    further: Mapping[str, Any] = field(default_factory=dict)


def optical_item(
    identifier: str,
    observation: Observation,
    making: Making,
    grid: Grid,
    *,
    resolution: float,
    assets: Mapping[str, Asset],
) -> Json:
    """Return the item of one tile.

    Parameters
    ----------
    identifier
        Unique in its collection: the stem of the files.
    grid
        That all GeoTIFFs share.
    resolution
        Pixel size, metres.
    assets
        By key.
    """
    footprint, bbox = footprint_on(grid, observation.footprint)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": list(_EXTENSIONS),
        "id": identifier,
        "geometry": shapely.geometry.mapping(shapely.set_precision(footprint, PRECISION_DEG)),
        "bbox": bbox,
        "properties": {
            "title": making.title,
            **_observed(observation),
            "created": instant_text(making.created),
            "gsd": resolution,
            "processing:software": {"PEPS": making.software},
            "processing:lineage": making.lineage,
            **gridded(grid),
            "peps:input_products": list(observation.titles),
            **{f"peps:{name}": value for name, value in making.further.items()},
        },
        "links": [{"rel": "license", "href": LICENCE, "title": "Copernicus Sentinel data"}],
        "assets": {key: asset_document(asset) for key, asset in assets.items()},
    }


def _observed(observation: Observation) -> Json:
    cloud = {} if observation.cloud_cover is None else {"eo:cloud_cover": observation.cloud_cover}
    return {
        "datetime": instant_text(observation.start),
        "start_datetime": instant_text(observation.start),
        "end_datetime": instant_text(observation.stop),
        "platform": f"sentinel-{observation.platform[1:].lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "sat:orbit_state": observation.orbit_direction,
        "sat:relative_orbit": observation.relative_orbit,
        "processing:level": observation.level,
        **cloud,
    }
