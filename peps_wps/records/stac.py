"""A STAC item as a description of a product: of this service, and of the usual catalogues.

Names: STAC 1.0 and 1.1 common metadata; extensions sat, sar, eo, grid, mgrs, product, processing,
file; ``s2:`` and ``s1:`` of the public catalogues of Sentinel products.
"""

import re
from collections.abc import Mapping
from typing import Any

from peps_wps.records.geojson import footprint_of, properties_of
from peps_wps.records.record import COLLECTIONS, Description, RecordError

# The first that is there holds.
_NAMES: dict[str, tuple[str, ...]] = {
    "start": ("start_datetime", "datetime"),
    "end": ("end_datetime", "datetime"),
    "published": ("published", "created"),
    "updated": ("updated",),
    "product_type": ("product:type", "s2:product_type", "sar:product_type", "s1:product_type"),
    "sensor_mode": ("sar:instrument_mode", "s2:datatake_type"),
    "orbit_number": ("sat:absolute_orbit",),
    "relative_orbit": ("sat:relative_orbit",),
    "orbit_direction": ("sat:orbit_state",),
    "cloud_cover": ("eo:cloud_cover",),
    "snow_cover": ("eo:snow_cover", "s2:snow_ice_percentage"),
    "cycle_number": ("peps:cycle_number",),
    "mission_take_id": ("peps:mission_take_id", "s1:datatake_id"),
}
_PRODUCT_KEYS = ("product", "data", "safe-zip", "PRODUCT", "download")
_MULTIHASH = {"1220": 64, "d50110": 32}  # prefix of SHA-256 and MD5 -> digits of the digest
_LEVELS = {"L0": "LEVEL0", "L1": "LEVEL1", "L1C": "LEVEL1C", "L2": "LEVEL2", "L2A": "LEVEL2A"}


def is_stac(feature: Mapping[str, Any]) -> bool:
    """Say whether a GeoJSON feature is a STAC item."""
    return "stac_version" in feature


def describe(item: Mapping[str, Any]) -> Description:
    """Return what an item says of its product."""
    properties = properties_of(item)
    title = str(properties.get("s2:product_uri") or item.get("id") or "")
    title = re.sub(r"(\.SAFE)?(\.zip)?$", "", title)
    values = {ours: _first(properties, theirs) for ours, theirs in _NAMES.items()}
    platform = _platform(properties)
    return Description(
        {
            **values,
            **_of_instrument(properties, platform),
            **_file(item),
            "title": title,
            "collection": _collection(item, title, platform),
            "platform": platform,
            "processing_level": _level(properties),
            "mgrs_tile": _tile(properties),
        },
        footprint_of(item),
        _shown(properties),
    )


def _first(properties: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((properties[name] for name in names if properties.get(name) is not None), None)


def _platform(properties: Mapping[str, Any]) -> str:
    text = str(properties.get("platform", ""))
    match = re.fullmatch(r"(?i)(?:sentinel-?|S)([1-3])-?([A-D])", text)
    if match is None:
        raise RecordError(f"platform {text[:40]!r} is no Sentinel such as sentinel-1a")
    return f"S{match[1]}{match[2].upper()}"


def _collection(item: Mapping[str, Any], title: str, platform: str) -> str:
    stated = item.get("collection")
    if stated in COLLECTIONS:
        return str(stated)
    if platform.startswith("S2"):
        return "S2" if "_OPER_PRD_" in title else "S2ST"
    return platform[:2]


def _of_instrument(properties: Mapping[str, Any], platform: str) -> dict[str, Any]:
    """Return what only radar products have, and the name of the instrument in PEPS's words."""
    if not platform.startswith("S1"):
        return {"instrument": "MSI" if platform.startswith("S2") else None}
    polarizations = properties.get("sar:polarizations") or []
    if not isinstance(polarizations, list) or not all(isinstance(p, str) for p in polarizations):
        raise RecordError("sar:polarizations is not a list of words")
    co_polarized_first = sorted(polarizations, key=lambda name: (name[:1] != name[1:2], name))
    return {
        "instrument": "SAR-C SAR",
        "polarization": " ".join(co_polarized_first),
        "swath": _first(properties, ("peps:swath", "sar:instrument_mode")),
    }


def _level(properties: Mapping[str, Any]) -> str | None:
    level = properties.get("processing:level")
    return None if level is None else _LEVELS.get(str(level), str(level))


def _tile(properties: Mapping[str, Any]) -> str | None:
    code = str(properties.get("grid:code") or "")
    if code.startswith("MGRS-"):
        return code.removeprefix("MGRS-").rjust(5, "0")
    if tile := properties.get("s2:mgrs_tile") or properties.get("s2:tile_id"):
        found = re.search(r"T?([0-9]{2}[C-X][A-Z]{2})(?:_|$)", str(tile))
        return found[1] if found else None
    zone, *letters = (
        str(properties.get(f"mgrs:{name}") or "")
        for name in ("utm_zone", "latitude_band", "grid_square")
    )
    return zone.rjust(2, "0") + "".join(letters) if zone else None


def _file(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return size and digest of the asset that is the whole product."""
    assets = item.get("assets")
    if not isinstance(assets, Mapping):
        return {}
    found_assets = (assets.get(key) for key in _PRODUCT_KEYS)
    asset: Mapping[str, Any] = next((one for one in found_assets if isinstance(one, Mapping)), {})
    multihash = str(asset.get("file:checksum") or "").lower()
    found = {"size_bytes": asset.get("file:size")}
    for prefix, digits in _MULTIHASH.items():
        if multihash.startswith(prefix) and len(multihash) == len(prefix) + digits:
            found["checksum"] = multihash.removeprefix(prefix)
    return found


def _shown(properties: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        "processingBaseline": _first(properties, ("s2:processing_baseline", "processing:version")),
        "s2TakeId": properties.get("s2:datatake_id"),
    }
    return {name: value for name, value in shown.items() if isinstance(value, str)}
