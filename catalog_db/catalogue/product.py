"""A product of the archive, as Python sees it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.kinds import Kind

# PEPS's namespace: its feature identifiers are uuid5(namespace, "COLLECTION:productIdentifier").
NAMESPACE = uuid.UUID("92708059-2077-45a3-a4f3-1eb428789cff")

# Columns of `item` that hold a field of Product under the field's own name.
PLAIN = (
    "title",
    "orbit_number",
    "relative_orbit",
    "cycle_number",
    "mission_take_id",
    "mgrs_tile",
    "cloud_cover",
    "snow_cover",
    "size_bytes",
    "checksum",
    "withdrawn",
)


def product_uid(collection: str, title: str) -> str:
    """Return the identifier by which clients of PEPS know a product."""
    return str(uuid.uuid5(NAMESPACE, f"{collection}:{title}"))


@dataclass(frozen=True)
class Product:
    """One product of the catalogue.

    Parameters
    ----------
    title
        The producer's name without extension: ``S1A_IW_GRDH_1SDV_20210809T173953_..._6FF8``.
    collection
        ``S1``, ``S2``, ``S2ST`` or ``S3``.
    platform, product_type, sensor_mode, instrument, processing_level
        As PEPS writes them: ``S1A``, ``GRD``, ``IW``, ``SAR-C SAR``, ``LEVEL1``.
    polarization
        Separated by blanks: ``VV VH``.
    orbit_number, relative_orbit, orbit_direction
        Absolute and relative orbit; ``ascending`` or ``descending``.
    mgrs_tile
        Sentinel-2 tile without its leading T, of gridded products.
    cloud_cover, snow_cover
        Percent.
    size_bytes, checksum
        Of the file that a client gets; MD5 or SHA-256, hexadecimal.
    start, end
        Sensing, UTC.
    published, updated
        When this catalogue first had it, and had it in this form.
    footprint
        Longitude and latitude in degrees, as produced or cut at the antimeridian.
    properties
        What is only shown: JSON values by their resto names.
    withdrawn
        No longer served; kept so that its identifier is never reused.
    file_path
        Path inside the archive of the file that holds it. Read from the database, not written.
    """

    title: str
    collection: str
    platform: str
    product_type: str
    start: datetime
    end: datetime
    published: datetime
    updated: datetime
    footprint: BaseGeometry
    size_bytes: int
    checksum: str | None = None
    sensor_mode: str | None = None
    instrument: str | None = None
    processing_level: str | None = None
    polarization: str | None = None
    swath: str | None = None
    orbit_number: int | None = None
    relative_orbit: int | None = None
    orbit_direction: str | None = None
    cycle_number: int | None = None
    mission_take_id: int | None = None
    mgrs_tile: str | None = None
    cloud_cover: float | None = None
    snow_cover: float | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    withdrawn: bool = False
    file_path: str | None = None

    @cached_property
    def uid(self) -> str:
        """The public identifier."""
        return product_uid(self.collection, self.title)

    @property
    def kind(self) -> Kind:
        """What it is, but for place and time."""
        return Kind(*(getattr(self, name) for name in Kind._fields))
