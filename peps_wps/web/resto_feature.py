"""A product as resto shows it: a GeoJSON feature with the names that clients of PEPS know."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import orjson

from catalog_db import times
from catalog_db.catalogue.products import Product
from peps_wps.resto.query import PARENT_IDENTIFIERS
from peps_wps.web.json_answer import geometries

Json = dict[str, Any]

# By the number of hexadecimal digits. PEPS gave MD5 only; files archived here have SHA-256.
_ALGORITHMS = {32: "MD5", 64: "SHA-256"}


def features(products: Sequence[Product], modes: Mapping[str, str], base: str) -> Iterator[Json]:
    """Yield products as GeoJSON features.

    Parameters
    ----------
    products
        A page of them.
    modes
        Where files are, by uid: ``disk``, ``staging`` or ``tape``. A product whose file the archive
        does not know has to be asked for, like one on tape.
    base
        Address of the service, without a slash at its end.
    """
    shapes = geometries([product.footprint for product in products])
    for product, shape in zip(products, shapes, strict=True):
        yield _feature(product, shape, modes.get(product.uid, "tape"), base)


def _feature(product: Product, shape: orjson.Fragment, mode: str, base: str) -> Json:
    return {
        "type": "Feature",
        "id": product.uid,
        "geometry": shape,
        "properties": {
            **_identity(product),
            **_acquisition(product),
            **_resource(product),
            "keywords": _keywords(product, base),
            **_of_its_collection(product),
            **product.properties,
            "services": {
                "download": {
                    "url": download_address(product, base),
                    "mimeType": "application/zip",
                    "size": product.size_bytes,
                    "checksum": product.checksum,
                }
            },
            "links": [
                {
                    "rel": "self",
                    "type": "application/json",
                    "title": f"GeoJSON link for {product.uid}",
                    "href": feature_address(product, base),
                }
            ],
            "storage": {"mode": mode},
        },
    }


def download_address(product: Product, base: str) -> str:
    """Return where the file of a product is downloaded."""
    return f"{base}/resto/collections/{product.collection}/{product.uid}/download"


def feature_address(product: Product, base: str) -> str:
    """Return where the feature itself is."""
    return f"{base}/resto/collections/{product.collection}/{product.uid}.json"


def format_time(instant: datetime) -> str:
    """Return an instant as PEPS wrote it: milliseconds, or microseconds where it has them."""
    precision = "microseconds" if instant.microsecond % 1000 else "milliseconds"
    return times.to_text(instant, precision)


def _identity(product: Product) -> Json:
    return {
        "collection": product.collection,
        "productIdentifier": product.title,
        "parentIdentifier": PARENT_IDENTIFIERS.get(product.collection),
        "title": product.title,
        "organisationName": "ESA",
    }


def _acquisition(product: Product) -> Json:
    return {
        "startDate": format_time(product.start),
        "completionDate": format_time(product.end),
        "productType": product.product_type,
        "processingLevel": product.processing_level,
        "platform": product.platform,
        "instrument": product.instrument,
        "resolution": None,
        "sensorMode": product.sensor_mode,
        "orbitNumber": product.orbit_number,
        "relativeOrbitNumber": product.relative_orbit,
        "orbitDirection": product.orbit_direction,
    }


def _resource(product: Product) -> Json:
    return {
        "quicklook": None,
        "thumbnail": None,
        "resourceSize": product.size_bytes,
        "resourceChecksum": product.checksum,
        "resourceChecksumAlgorithm": _ALGORITHMS.get(len(product.checksum or "")),
        "updated": format_time(product.updated),
        "published": format_time(product.published),
        "dhusIngestDate": format_time(product.published),
        "snowCover": product.snow_cover,
        "cloudCover": product.cloud_cover,
        "visible": 1,
        "newVersion": None,
        "isNrt": 0,
        "realtime": "Nominal",
    }


def _keywords(product: Product, base: str) -> Json:
    """Return the words by which resto groups products, each with the search of its group."""
    words = {
        "platform": product.platform,
        "productType": product.product_type,
        "sensorMode": product.sensor_mode,
        "orbitDirection": product.orbit_direction,
        "tileid": product.mgrs_tile,
    }
    address = f"{base}/resto/api/collections/{product.collection}/search.json"
    return dict(_keyword(address, kind, word) for kind, word in words.items() if word)


@lru_cache(maxsize=10_000)
def _keyword(address: str, kind: str, word: str) -> tuple[str, Json]:
    """Return the key of a keyword and what is said of it."""
    key = hashlib.blake2s(f"{kind}:{word}".encode(), digest_size=8).hexdigest()
    href = f"{address}?{urlencode({kind: word})}"
    return key, {"name": word, "type": kind, "href": href}


def _of_its_collection(product: Product) -> Json:
    """Return what only radar, or only gridded products have."""
    if product.collection == "S1":
        return {
            "swath": product.swath,
            "polarisation": product.polarization,
            "missionTakeId": product.mission_take_id,
            "cycleNumber": product.cycle_number,
        }
    return {"mgrs": product.mgrs_tile}
