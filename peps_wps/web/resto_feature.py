"""A product as resto shows it: a GeoJSON feature with the names that clients of PEPS know."""

from datetime import UTC, datetime
from typing import Any

from shapely.geometry import mapping

from catalog_db.products import Product
from peps_wps.web.resto_query import PARENT_IDENTIFIERS

Json = dict[str, Any]


def feature(product: Product, mode: str, base: str) -> Json:
    """Return a product as a GeoJSON feature.

    Parameters
    ----------
    product
        The product.
    mode
        Where its file is: ``disk``, ``staging`` or ``tape``.
    base
        Address of the service, without a slash at its end.
    """
    return {
        "type": "Feature",
        "id": product.uid,
        "geometry": mapping(product.footprint),
        "properties": {
            **_identity(product),
            **_acquisition(product),
            **_resource(product),
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
    text = instant.astimezone(UTC).isoformat(timespec=precision)
    return text.removesuffix("+00:00") + "Z"


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
        "updated": format_time(product.updated),
        "published": format_time(product.published),
        "dhusIngestDate": format_time(product.published),
        "snowCover": product.snow_cover,
        "cloudCover": product.cloud_cover,
        "keywords": {},
        "visible": 1,
        "newVersion": None,
        "isNrt": 0,
        "realtime": "Nominal",
    }


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
