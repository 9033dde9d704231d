"""A feature of a resto search answer, as PEPS wrote them, as a description of a product."""

from collections.abc import Mapping
from typing import Any

from peps_wps.records.geojson import footprint_of, properties_of
from peps_wps.records.record import Description

# resto's name -> ours.
_NAMES = {
    "productIdentifier": "title",
    "collection": "collection",
    "platform": "platform",
    "productType": "product_type",
    "sensorMode": "sensor_mode",
    "instrument": "instrument",
    "processingLevel": "processing_level",
    "polarisation": "polarization",
    "swath": "swath",
    "orbitNumber": "orbit_number",
    "relativeOrbitNumber": "relative_orbit",
    "orbitDirection": "orbit_direction",
    "cycleNumber": "cycle_number",
    "missionTakeId": "mission_take_id",
    "mgrs": "mgrs_tile",
    "cloudCover": "cloud_cover",
    "snowCover": "snow_cover",
    "startDate": "start",
    "completionDate": "end",
    "published": "published",
    "updated": "updated",
    "resourceSize": "size_bytes",
    "resourceChecksum": "checksum",
}
# Shown again as they came; what the service says itself (links, storage) is not kept.
_SHOWN = (
    *("s2TakeId", "quicklook", "thumbnail", "resolution", "realtime", "isNrt"),
    *("processingBaseline", "processorVersion", "dhusIngestDate", "organisationName"),
)


def is_resto(feature: Mapping[str, Any]) -> bool:
    """Say whether a GeoJSON feature is one of a resto search."""
    properties = feature.get("properties")
    return isinstance(properties, Mapping) and "productIdentifier" in properties


def describe(feature: Mapping[str, Any]) -> Description:
    """Return what a feature says of its product."""
    properties = properties_of(feature)
    values = {ours: properties.get(theirs) for theirs, ours in _NAMES.items()}
    shown = {name: properties[name] for name in _SHOWN if properties.get(name) is not None}
    return Description(values, footprint_of(feature), shown)
