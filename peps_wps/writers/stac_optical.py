"""A STAC item beside the files made from Sentinel-2 products of one tile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry

from peps_wps.writers.stac import Asset, Grid, Json, gridded, instant_text, item_on, made

_EXTENSIONS = ("eo/v1.1.0", "sat/v1.0.0")


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
    properties = {
        "title": making.title,
        **_observed(observation),
        **made(making.created, making.lineage, making.software),
        "gsd": resolution,
        **gridded(grid),
        "peps:input_products": list(observation.titles),
        **{f"peps:{name}": value for name, value in making.further.items()},
    }
    return item_on(
        grid,
        observation.footprint,
        identifier,
        extensions=_EXTENSIONS,
        properties=properties,
        assets=assets,
    )


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
