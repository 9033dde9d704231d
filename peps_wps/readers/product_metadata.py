"""What the catalogue needs to know of a product: Sentinel-1 and -2 of every level."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shapely.geometry import MultiPolygon, Polygon

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2_metadata import metadata_name, read_sentinel2
from peps_wps.readers.wording import printable

_LEVELS = {"RAW": "LEVEL0", "SLC": "LEVEL1", "GRD": "LEVEL1", "OCN": "LEVEL2"}


@dataclass(frozen=True)
class ProductMetadata:
    """A product as the catalogue describes it, with the names of its `Product`.

    Parameters
    ----------
    collection
        "S1"; "S2ST" of one Sentinel-2 tile, "S2" of the many that products held before 2016-12.
    instrument, processing_level
        As PEPS writes them: "SAR-C SAR", "LEVEL1".
    polarization, swath, cycle_number, mission_take_id
        Of radar products. Polarisations are separated by a blank, co-polarised first: "VV VH".
    mgrs_tile, cloud_cover, snow_cover
        Of optical products; percent.
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
    instrument: str
    processing_level: str
    orbit_number: int | None
    relative_orbit: int
    orbit_direction: str
    start: datetime
    end: datetime
    footprint: Polygon | MultiPolygon
    properties: Mapping[str, str]
    swath: str | None = None
    polarization: str | None = None
    cycle_number: int | None = None
    mission_take_id: int | None = None
    mgrs_tile: str | None = None
    cloud_cover: float | None = None
    snow_cover: float | None = None


def read_metadata(path: Path) -> ProductMetadata:
    """Return the description of a SAFE product, a folder or a zip file.

    Raises
    ------
    SafeError
        When there is no sound Sentinel-1 or Sentinel-2 product at `path`.
    """
    return metadata_of(Safe.open(path))


def metadata_of(safe: Safe) -> ProductMetadata:
    """Return the description of an open product; raise SafeError where it is not sound."""
    return _of_sentinel1(safe) if metadata_name(safe) is None else _of_sentinel2(safe)


def _of_sentinel1(safe: Safe) -> ProductMetadata:
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


def _of_sentinel2(safe: Safe) -> ProductMetadata:
    metadata = read_sentinel2(safe)
    # Old products hold many tiles, or say so by their name where they happen to hold one.
    is_compact = re.match(r"S2[A-D]_MSIL", metadata.title) is not None
    if is_compact and len(metadata.tiles) != 1:
        raise SafeError(f"{safe.title} has granules of {len(metadata.tiles)} tiles, 1 expected")
    return ProductMetadata(
        title=metadata.title,
        collection="S2ST" if is_compact else "S2",
        platform=metadata.platform,
        product_type=metadata.product_type,
        sensor_mode=metadata.datatake_type,
        instrument="MSI",
        processing_level=metadata.level,
        orbit_number=metadata.orbit_number,
        relative_orbit=metadata.relative_orbit,
        orbit_direction=metadata.orbit_direction,
        start=metadata.start,
        end=metadata.stop,
        footprint=metadata.footprint,
        mgrs_tile=metadata.tiles[0] if is_compact else None,
        cloud_cover=metadata.cloud_cover,
        snow_cover=metadata.snow_cover,
        properties={"s2TakeId": metadata.datatake, "processingBaseline": metadata.baseline},
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
