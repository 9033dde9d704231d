"""Items of what is made of published products: what these have in common, and links to them."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

import shapely

from peps_wps.writers.stac import Asset, Grid, gridded, item_on, made

Json = dict[str, Any]

# Of our own properties: the others tell of one image what it is.
_INHERITED = ("peps:calibration", "peps:parameters", "peps:parameters_hash")


def derived_item(
    identifier: str,
    kind: str,
    title: str,
    parents: Mapping[str, Json],
    *,
    grid: Grid,
    assets: Mapping[str, Asset],
    created: datetime,
) -> Json:
    """Return the item of what was made of others on one tile.

    Parameters
    ----------
    identifier
        Unique in its collection: the stem of the files.
    kind
        Which composite it is.
    title
        For people.
    parents
        The items it is made of, by their address relative to this one.
    grid
        That all share.
    assets
        By key.
    created
        UTC.
    """
    items = list(parents.values())
    common = _common(items)
    covered = shapely.union_all([shapely.geometry.shape(item["geometry"]) for item in items])
    lineage = f"Made of {', '.join(item['id'] for item in items)}."
    properties = {
        **common,
        "title": title,
        **_times(items),
        **made(created, lineage, version("peps")),
        **gridded(grid),
        "peps:composite": kind,
        "peps:dates": sorted(item["properties"]["datetime"] for item in items),
    }
    item = item_on(grid, covered, identifier, extensions=(), properties=properties, assets=assets)
    derived = [
        {"rel": "derived_from", "href": href, "type": "application/geo+json"} for href in parents
    ]
    extensions = {name for parent in items for name in parent.get("stac_extensions", [])}
    return {**item, "stac_extensions": sorted(extensions), "links": [*derived, *item["links"]]}


def _common(items: list[Json]) -> Json:
    """Return the properties that all items have with the same value, and that hold for this too."""
    first, *others = (item["properties"] for item in items)
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
        and (name in _INHERITED or not name.startswith("peps:"))
    }


def _times(items: list[Json]) -> Json:
    """Return the instant of one date, or the interval of several."""
    found = [item["properties"] for item in items]
    start = min(one.get("start_datetime") or one["datetime"] for one in found)
    end = max(one.get("end_datetime") or one["datetime"] for one in found)
    instant = found[0]["datetime"] if len(found) == 1 else None
    return {"datetime": instant, "start_datetime": start, "end_datetime": end}
