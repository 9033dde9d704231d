"""JSON schemas of the STAC extensions that items use, written from their field tables.

The schemas of the extensions are on the network only; no package carries them. These say the same
of what the service writes: which fields there are, of which type and range, which are required, and
that no other field takes their prefix.
"""

from typing import Any

import pystac.validation.local_validator
import pytest
import stac_validator.utilities
from pystac.validation.stac_validator import JsonSchemaSTACValidator

Json = dict[str, Any]

_TEXT = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "format": "date-time"}
_PERCENT = {"type": "number", "minimum": 0, "maximum": 100}
_FROM_ONE = {"type": "integer", "minimum": 1}
_NOT_NEGATIVE = {"type": "number", "minimum": 0}

# prefix -> version, fields, those that properties must hold.
_OF_PROPERTIES: dict[str, tuple[str, Json, list[str]]] = {
    "sat": (
        "v1.0.0",
        {
            "orbit_state": {"enum": ["ascending", "descending", "geostationary"]},
            "absolute_orbit": _FROM_ONE,
            "relative_orbit": _FROM_ONE,
            "platform_international_designator": {"pattern": r"^\d{4}-\d{3}[A-Z]{1,3}$"},
            "anx_datetime": _TIME,
        },
        [],
    ),
    "sar": (
        "v1.0.0",
        {
            "instrument_mode": _TEXT,
            "frequency_band": {"enum": ["P", "L", "S", "C", "X", "Ku", "K", "Ka"]},
            "center_frequency": {"type": "number"},
            "polarizations": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"enum": ["HH", "VV", "HV", "VH"]},
            },
            "product_type": _TEXT,
            "looks_range": _FROM_ONE,
            "looks_azimuth": _FROM_ONE,
            "observation_direction": {"enum": ["left", "right"]},
        },
        ["instrument_mode", "frequency_band", "polarizations", "product_type"],
    ),
    "eo": ("v1.1.0", {"cloud_cover": _PERCENT, "snow_cover": _PERCENT}, []),
    "view": (
        "v1.0.0",
        {
            "incidence_angle": {"type": "number", "minimum": 0, "maximum": 90},
            "azimuth": {"type": "number", "minimum": 0, "maximum": 360},
            "sun_azimuth": {"type": "number", "minimum": 0, "maximum": 360},
            "sun_elevation": {"type": "number", "minimum": -90, "maximum": 90},
        },
        [],
    ),
    "grid": ("v1.1.0", {"code": {"pattern": r"^MGRS-\d{2}[C-HJ-NP-X][A-HJ-NP-Z]{2}$"}}, ["code"]),
    "mgrs": (
        "v1.0.0",
        {
            "utm_zone": {"type": "integer", "minimum": 1, "maximum": 60},
            "latitude_band": {"pattern": "^[C-HJ-NP-X]$"},
            "grid_square": {"pattern": "^[A-HJ-NP-Z][A-HJ-NP-V](\\d{2}|\\d{4}|\\d{6})?$"},
        },
        ["latitude_band", "grid_square"],
    ),
    "processing": (
        "v1.2.0",
        {
            "level": {"pattern": r"^(RAW|L\d[A-Z]?)$"},
            "lineage": _TEXT,
            "software": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        [],
    ),
    "proj": (
        "v2.0.0",
        {
            "code": {"pattern": "^[A-Z]+:[0-9]+$"},
            "shape": {"type": "array", "minItems": 2, "maxItems": 2, "items": _FROM_ONE},
            "transform": {
                "type": "array",
                "minItems": 6,
                "maxItems": 6,
                "items": {"type": "number"},
            },
        },
        [],
    ),
    "raster": ("v1.1.0", {}, []),
    "product": ("v1.0.0", {"type": _TEXT}, []),
    "order": (
        "v1.1.0",
        {
            "status": {
                "enum": [
                    "orderable",
                    "ordered",
                    "pending",
                    "shipping",
                    "succeeded",
                    "failed",
                    "canceled",
                ]
            },
            "id": _TEXT,
            "date": _TIME,
        },
        ["status"],
    ),
    "storage": (
        "v2.0.0",
        {
            "schemes": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "type": "object",
                    "required": ["type", "platform"],
                    "properties": {
                        "type": {"type": "string", "not": {"enum": ["aws-s3", "ms-azure"]}},
                        "platform": {"pattern": r"^[\w+.-]+://"},
                    },
                },
            }
        },
        ["schemes"],
    ),
    "file": ("v2.1.0", {}, []),
}
# What an extension is called where that is not the prefix of its fields, and other versions of it
# that items of rasters use; their fields are the same.
_NAMES = {"proj": "projection"}
_OTHER_VERSIONS = {"processing": "v1.1.0"}
_DATA_TYPES = ["int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64"]
_RASTER_BAND: Json = {
    "type": "object",
    "properties": {
        "data_type": {"enum": _DATA_TYPES},
        "nodata": {"anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]},
        "spatial_resolution": {"type": "number", "exclusiveMinimum": 0},
        "scale": {"type": "number"},
        "offset": {"type": "number"},
        "unit": _TEXT,
    },
    "additionalProperties": False,
}
_OF_ASSETS: dict[str, Json] = {
    "proj": _OF_PROPERTIES["proj"][1],
    "raster": {"bands": {"type": "array", "minItems": 1, "items": _RASTER_BAND}},
    "sar": _OF_PROPERTIES["sar"][1],
    "file": {
        "size": {"type": "integer", "minimum": 0},
        # Multihash: MD5 or SHA-256, each with the length of its digest.
        "checksum": {"pattern": "^(d50110[0-9a-f]{32}|1220[0-9a-f]{64})$"},
        "header_size": _NOT_NEGATIVE,
    },
    "storage": {"refs": {"type": "array", "minItems": 1, "items": _TEXT}},
}


def addresses(prefix: str) -> list[str]:
    """Return the identifiers of an extension, which is where its schemas would be."""
    versions = (_OF_PROPERTIES[prefix][0], _OTHER_VERSIONS.get(prefix))
    base = f"https://stac-extensions.github.io/{_NAMES.get(prefix, prefix)}"
    return [f"{base}/{version}/schema.json" for version in versions if version]


def schema(prefix: str, address: str) -> Json:
    """Return the schema of items that use an extension."""
    _, fields, required = _OF_PROPERTIES[prefix]
    of_assets = {"additionalProperties": _closed(prefix, _OF_ASSETS.get(prefix, {}))}
    properties = _closed(prefix, fields)
    properties["required"] = [f"{prefix}:{name}" for name in required]
    if fields and not required:
        properties["anyOf"] = [{"required": [f"{prefix}:{name}"]} for name in fields]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": address,
        "type": "object",
        "required": ["stac_extensions", "properties", "assets"],
        "properties": {
            "stac_extensions": {"contains": {"const": address}},
            "properties": properties,
            "assets": of_assets,
        },
    }


def _closed(prefix: str, fields: Json) -> Json:
    """Return the schema of an object whose members of a prefix are these and no others."""
    return {
        "type": "object",
        "properties": {f"{prefix}:{name}": value for name, value in fields.items()},
        "patternProperties": {f"^(?!{prefix}:)": {}},
        "additionalProperties": False,
    }


def schemas() -> dict[str, Json]:
    """Return every schema by its address: those of the core as pystac carries them, and ours."""
    core = pystac.validation.local_validator.get_local_schema_cache()
    ours = {one: schema(prefix, one) for prefix in _OF_PROPERTIES for one in addresses(prefix)}
    return {**core, **ours}


def validate(document: Json) -> None:
    """Raise where an item, collection or catalogue is not valid, by core and extensions."""
    validator = JsonSchemaSTACValidator()
    validator.schema_cache = schemas()
    validator.validate(
        document,
        pystac.STACObjectType.ITEM
        if document["type"] == "Feature"
        else pystac.STACObjectType(document["type"]),
        pystac.get_stac_version(),
        document.get("stac_extensions", []),
    )


def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give stac-validator these schemas in place of what it would fetch."""
    fetch, known = stac_validator.utilities.fetch_and_parse_file, schemas()

    def fetched(path: str, headers: dict[str, str] | None = None) -> Json:
        return known.get(path) or fetch(path, headers)

    monkeypatch.setattr(stac_validator.utilities, "fetch_and_parse_file", fetched)
