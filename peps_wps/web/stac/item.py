"""A product as a STAC item.

STAC 1.1.0 as everything that the service publishes (docs/decisions/stac-1-1-0.md), extensions in
the versions that pystac 1.15 reads, and product, processing and order.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.products import Product
from peps_wps.web.json_answer import geometries
from peps_wps.web.resto_feature import download_address, feature_address, format_time
from peps_wps.web.stac.vocabulary import GRID_PREFIX, LEVELS, MISSIONS, PLATFORMS

Json = dict[str, Any]

STAC_VERSION = "1.1.0"
GEOJSON = "application/geo+json"
_JSON = "application/json"

_EXTENSIONS = {
    name: f"https://stac-extensions.github.io/{name}/{version}/schema.json"
    for name, version in (
        ("sat", "v1.0.0"),
        ("sar", "v1.0.0"),
        ("eo", "v1.1.0"),
        ("view", "v1.0.0"),
        ("grid", "v1.1.0"),
        ("mgrs", "v1.0.0"),
        ("processing", "v1.2.0"),
        ("product", "v1.0.0"),
        ("order", "v1.1.0"),
        ("storage", "v2.0.0"),
        ("file", "v2.1.0"),
    )
}
_ALWAYS = ("product", "order", "storage", "file")
_INSTRUMENTS = {"S1": "c-sar", "S2": "msi", "S2ST": "msi"}
# COSPAR identifiers, of the satellites in the archive.
_DESIGNATORS = {
    "S1A": "2014-016A",
    "S1B": "2016-025A",
    "S2A": "2015-028A",
    "S2B": "2017-013A",
}
_CENTER_FREQUENCY = 5.405  # GHz; Sentinel-1 product annotation, radarFrequency
_POLARIZATIONS = frozenset({"HH", "VV", "HV", "VH"})
# Words of the order extension for where a file is.
_ORDER_STATUS = {"disk": "succeeded", "staging": "shipping", "tape": "orderable"}
# Multihash prefixes by length in hexadecimal digits: code and length of MD5 and SHA-256.
_MULTIHASH = {32: "d50110", 64: "1220"}
# Names that resto gives to angles of optical products, and those of the view extension.
_ANGLES = {
    "sunAzimuth": "view:sun_azimuth",
    "sunElevation": "view:sun_elevation",
    "incidenceAngle": "view:incidence_angle",
}
_PRECISION_DEG = 6


def items(products: Sequence[Product], modes: Sequence[str], base: str) -> Iterator[Json]:
    """Yield the items of products.

    Parameters
    ----------
    products
        A page of them.
    modes
        Where the file of each is: ``disk``, ``staging`` or ``tape``.
    base
        Address of the service, without a slash at its end.
    """
    shapes = geometries([product.footprint for product in products])
    for product, mode, shape in zip(products, modes, shapes, strict=True):
        yield _item(product, mode, shape, base)


def item_address(product: Product, base: str) -> str:
    """Return where the item of a product is."""
    return f"{base}/stac/collections/{product.collection}/items/{quote(product.title)}"


def bbox(footprint: BaseGeometry) -> list[float]:
    """Return the box of a footprint cut at the antimeridian.

    West is beyond east where it crosses the antimeridian (RFC 7946, 5.2).
    """
    west, south, east, north = footprint.bounds
    if west <= -180 and east >= 180:
        parts = shapely.bounds(shapely.get_parts(footprint))
        eastern = [float(part[0]) for part in parts if part[2] >= 180 and part[0] > -180]
        western = [float(part[2]) for part in parts if part[0] <= -180 and part[2] < 180]
        if eastern and western and min(eastern) > max(western):
            west, east = min(eastern), max(western)
    return [round(value, _PRECISION_DEG) for value in (west, south, east, north)]


def _item(product: Product, mode: str, shape: orjson.Fragment, base: str) -> Json:
    words = {
        "sat": _orbit(product),
        "sar": _radar(product),
        "eo": _clouds(product),
        "view": _view(product),
        "grid": _grid(product),
        "mgrs": _mgrs(product),
        "processing": _processing(product),
    }
    used = [name for name, properties in words.items() if properties]
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [_EXTENSIONS[name] for name in (*used, *_ALWAYS)],
        "id": product.title,
        "collection": product.collection,
        "geometry": shape,
        "bbox": bbox(product.footprint),
        "properties": {
            **_common(product),
            **{name: value for word in words.values() for name, value in word.items()},
            "product:type": product.product_type,
            "order:status": _ORDER_STATUS.get(mode, "orderable"),
            "storage:schemes": {mode: {"type": "peps-archive", "platform": base, "tier": mode}},
            **_own(product),
        },
        "links": _links(product, base),
        "assets": _assets(product, mode, base),
    }


def _common(product: Product) -> Json:
    start = format_time(product.start)
    common: Json = {
        "title": product.title,
        "datetime": start,
        "start_datetime": start,
        "end_datetime": format_time(product.end),
        "created": format_time(product.published),
        "updated": format_time(product.updated),
        "platform": PLATFORMS.get(product.platform, product.platform.lower()),
    }
    if product.collection in MISSIONS:
        common["mission"] = common["constellation"] = MISSIONS[product.collection]
    if product.collection in _INSTRUMENTS:
        common["instruments"] = [_INSTRUMENTS[product.collection]]
    return common


def _orbit(product: Product) -> Json:
    found = {
        "sat:orbit_state": product.orbit_direction,
        "sat:absolute_orbit": product.orbit_number,
        "sat:relative_orbit": product.relative_orbit,
        "sat:platform_international_designator": _DESIGNATORS.get(product.platform),
    }
    return {name: value for name, value in found.items() if value}


def _radar(product: Product) -> Json:
    """Return what the sar extension requires, nothing where the product lacks a part of it."""
    polarizations = (product.polarization or "").split()
    is_known = polarizations and _POLARIZATIONS.issuperset(polarizations)
    if product.collection != "S1" or not is_known or not product.sensor_mode:
        return {}
    return {
        "sar:instrument_mode": product.sensor_mode,
        "sar:frequency_band": "C",
        "sar:center_frequency": _CENTER_FREQUENCY,
        "sar:polarizations": polarizations,
        "sar:product_type": product.product_type,
    }


def _clouds(product: Product) -> Json:
    found = {"eo:cloud_cover": product.cloud_cover, "eo:snow_cover": product.snow_cover}
    return {name: value for name, value in found.items() if value is not None}


def _view(product: Product) -> Json:
    return {
        word: product.properties[name]
        for name, word in _ANGLES.items()
        if isinstance(product.properties.get(name), int | float)
    }


def _grid(product: Product) -> Json:
    return {} if product.mgrs_tile is None else {"grid:code": GRID_PREFIX + product.mgrs_tile}


def _mgrs(product: Product) -> Json:
    tile = product.mgrs_tile
    if tile is None:
        return {}
    return {
        "mgrs:utm_zone": int(tile[:2]),
        "mgrs:latitude_band": tile[2],
        "mgrs:grid_square": tile[3:],
    }


def _processing(product: Product) -> Json:
    level = LEVELS.get(product.processing_level or "")
    return {} if level is None else {"processing:level": level}


def _own(product: Product) -> Json:
    found = {
        "peps:uid": product.uid,
        "peps:polarisation": product.polarization,
        "peps:swath": product.swath,
        "peps:mission_take_id": product.mission_take_id,
        "peps:cycle_number": product.cycle_number,
    }
    return {name: value for name, value in found.items() if value is not None}


def _links(product: Product, base: str) -> list[Json]:
    collection = f"{base}/stac/collections/{product.collection}"
    return [
        {"rel": "self", "type": GEOJSON, "href": item_address(product, base)},
        {"rel": "parent", "type": _JSON, "href": collection},
        {"rel": "collection", "type": _JSON, "href": collection},
        {"rel": "root", "type": _JSON, "href": f"{base}/stac"},
        {
            "rel": "alternate",
            "type": _JSON,
            "title": "The product as resto shows it",
            "href": feature_address(product, base),
        },
    ]


def _assets(product: Product, mode: str, base: str) -> Json:
    file: Json = {
        "href": download_address(product, base),
        "type": "application/zip",
        "title": "Product, zipped SAFE",
        "roles": ["data"],
        "file:size": product.size_bytes,
        "storage:refs": [mode],
    }
    prefix = _MULTIHASH.get(len(product.checksum or ""))
    if prefix is not None:
        file["file:checksum"] = f"{prefix}{product.checksum}"
    assets: Json = {"product": file}
    picture = product.properties.get("quicklook") or product.properties.get("thumbnail")
    if isinstance(picture, str):
        assets["thumbnail"] = {
            "href": picture,
            "type": "image/png" if picture.endswith(".png") else "image/jpeg",
            "title": "Quicklook",
            "roles": ["thumbnail"],
        }
    return assets
