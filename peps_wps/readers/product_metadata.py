"""What the catalogue needs to know of a product, from its manifest: Sentinel-1 of every level."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shapely.geometry import Polygon

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.wording import printable

_LEVELS = {"RAW": "LEVEL0", "SLC": "LEVEL1", "GRD": "LEVEL1", "OCN": "LEVEL2"}


@dataclass(frozen=True)
class ProductMetadata:
    """A product as the catalogue describes it, with the names of `catalog_db.products.Product`.

    Parameters
    ----------
    collection
        "S1".
    instrument, processing_level
        As PEPS writes them: "SAR-C SAR", "LEVEL1".
    polarization
        Separated by a blank, co-polarised first: "VV VH".
    footprint
        Longitude and latitude in degrees; beyond 180 where the product crosses the antimeridian.
    properties
        What is only shown.
    """

    title: str
    collection: str
    platform: str
    product_type: str
    sensor_mode: str
    swath: str
    instrument: str
    processing_level: str
    polarization: str
    orbit_number: int
    relative_orbit: int
    orbit_direction: str
    cycle_number: int
    mission_take_id: int
    start: datetime
    end: datetime
    footprint: Polygon
    properties: Mapping[str, str]


def read_metadata(path: Path) -> ProductMetadata:
    """Return the description of a SAFE product, a folder or a zip file.

    Raises
    ------
    SafeError
        When there is no sound Sentinel-1 product at `path`.
    """
    safe = Safe.open(path)
    manifest = safe.manifest
    if manifest.product_type not in _LEVELS:
        found = printable(manifest.product_type)
        raise SafeError(f"{safe.title} is of type {found}, {', '.join(_LEVELS)} expected")
    properties = {}
    if manifest.ipf_version is not None:
        properties["processorVersion"] = str(manifest.ipf_version)
    return ProductMetadata(
        title=safe.title,
        collection="S1",
        platform=manifest.platform,
        product_type=manifest.product_type,
        sensor_mode=manifest.mode,
        swath=manifest.swath,
        instrument="SAR-C SAR",
        processing_level=_LEVELS[manifest.product_type],
        polarization=" ".join(_polarizations(safe)),
        orbit_number=manifest.orbit_number,
        relative_orbit=manifest.relative_orbit,
        orbit_direction=manifest.orbit_direction,
        cycle_number=manifest.cycle_number,
        mission_take_id=manifest.datatake_id,
        start=manifest.start,
        end=manifest.stop,
        footprint=manifest.footprint,
        properties=properties,
    )


def _polarizations(safe: Safe) -> tuple[str, ...]:
    """Return the polarisations that are there: with pixels, or at least with an annotation.

    A manifest goes on naming both when a product was cut down to one.
    """
    stated = safe.manifest.polarizations
    for folder in ("measurement/", "annotation/"):
        names = [name.removeprefix(folder) for name in safe.names(folder)]
        present = tuple(p for p in stated if any(_is_of(name, p) for name in names))
        if present:
            return present
    return stated


def _is_of(name: str, polarization: str) -> bool:
    """Say whether a file name is of a polarisation: ``s1a-iw-grd-vv-...`` or ``iw-vv.tiff``."""
    return re.fullmatch(rf"[^/]*-{polarization.lower()}(-[^/]*)?\.(xml|tiff?)", name) is not None
