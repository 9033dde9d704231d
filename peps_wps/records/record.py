"""A product as a list describes it, every value checked before the catalogue sees it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shapely.geometry.base import BaseGeometry

from catalog_db.archive.staging import FileRow
from catalog_db.catalogue.products import Product
from peps_wps.errors import PepsError
from peps_wps.readers.wording import printable

COLLECTIONS = ("S1", "S2", "S2ST", "S3")
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,159}")
_DIGESTS = {32: "md5", 64: "sha256"}  # length in hexadecimal digits
# Relative orbits by the absolute ones (number of orbits a cycle, first): Sentinel-1 mission
# operations; Sentinel-2 from the names of its products.
_CYCLES = {"S1A": (175, 73), "S1B": (175, 27), "S2A": (143, -2), "S2B": (143, 27)}


class RecordError(PepsError):
    """A record is no product; the sentence says why."""


@dataclass(frozen=True)
class Record:
    """One record of a list.

    Parameters
    ----------
    number
        Its place in the list, from 1.
    title
        What it calls the product, or itself where it calls none.
    product
        None where it is refused.
    file
        Where the archive holds it, when the list says so.
    problem
        Why it is refused, empty otherwise.
    """

    number: int
    title: str
    product: Product | None = None
    file: FileRow | None = None
    problem: str = ""


@dataclass(frozen=True)
class Description:
    """What a record says, in whatever types its format has.

    Parameters
    ----------
    values
        By the names of `Product`; absent, None and empty are the same.
    footprint
        As produced.
    properties
        What is only shown.
    """

    values: Mapping[str, Any]
    footprint: BaseGeometry
    properties: Mapping[str, Any] = field(default_factory=dict)


def product_of(description: Description, now: datetime) -> Product:
    """Return the product that a record describes.

    Raises
    ------
    RecordError
        Naming the value that a product cannot have.
    """
    values = {key: value for key, value in description.values.items() if value not in (None, "")}
    start = _instant(values, "start")
    published = _instant(values, "published") if "published" in values else now
    platform = _word(values, "platform", 8) or _missing("platform")
    orbit = _integer(values, "orbit_number")
    return Product(
        title=title_of(values.get("title")),
        collection=_one_of(values, "collection", COLLECTIONS),
        platform=platform,
        product_type=_word(values, "product_type", 16) or _missing("product_type"),
        start=start,
        end=_end(values, start),
        published=published,
        updated=_instant(values, "updated") if "updated" in values else published,
        footprint=description.footprint,
        size_bytes=_size(values),
        checksum=checksum_of(values.get("checksum")),
        sensor_mode=_word(values, "sensor_mode", 16),
        instrument=_word(values, "instrument", 16),
        processing_level=_word(values, "processing_level", 16),
        polarization=_word(values, "polarization", 16),
        swath=_word(values, "swath", 32),
        orbit_number=orbit,
        relative_orbit=_integer(values, "relative_orbit") or _relative_orbit(platform, orbit),
        orbit_direction=_direction(values),
        cycle_number=_integer(values, "cycle_number"),
        mission_take_id=_integer(values, "mission_take_id"),
        mgrs_tile=_tile(values),
        cloud_cover=_percent(values, "cloud_cover"),
        snow_cover=_percent(values, "snow_cover"),
        properties=dict(description.properties),
    )


def title_of(value: object) -> str:
    """Return the name of a product, which becomes part of file names and addresses."""
    if not isinstance(value, str):
        raise RecordError("title is missing")
    title = value.removesuffix(".SAFE")
    if not _TITLE.fullmatch(title):
        raise RecordError(f"title {printable(value)} is not a name of letters, digits, . _ and -")
    return title


def checksum_of(value: object) -> str | None:
    """Return an MD5 or SHA-256 digest in hexadecimal, None where there is none."""
    if value in (None, ""):
        return None
    text = str(value).lower()
    if not re.fullmatch(r"[0-9a-f]+", text) or len(text) not in _DIGESTS:
        raise RecordError(f"checksum {printable(str(value))} is neither MD5 nor SHA-256")
    return text


def algorithm_of(checksum: str) -> str:
    """Return the algorithm of a digest by its length."""
    return _DIGESTS[len(checksum)]


def integer_of(value: object, name: str, *, bits: int = 32) -> int:
    """Return a whole number that is not negative."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,20}", text):
        raise RecordError(f"{name} {printable(str(value))} is not a whole number")
    if int(text) >= 2 ** (bits - 1):
        raise RecordError(f"{name} {text} has more than {bits} bits")
    return int(text)


def _missing(name: str) -> str:
    raise RecordError(f"{name} is missing")


def _word(values: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = values.get(name)
    if value is None:
        return None
    text = str(value).strip()
    if not re.fullmatch(r"[A-Za-z0-9 ._:/+&-]*", text) or len(text) > longest:
        raise RecordError(f"{name} {printable(text)} is not a word of at most {longest} letters")
    return text or None


def _one_of(values: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = values.get(name)
    if value not in known:
        raise RecordError(f"{name} {printable(str(value))} is none of {', '.join(known)}")
    return str(value)


def _instant(values: Mapping[str, Any], name: str) -> datetime:
    value = values.get(name)
    try:
        instant = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise RecordError(f"{name} {printable(str(value))} is not an ISO 8601 time") from None
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        raise RecordError(f"{name} {printable(str(value))} is outside the calendar") from None


def _end(values: Mapping[str, Any], start: datetime) -> datetime:
    end = _instant(values, "end") if "end" in values else start
    if end < start:
        raise RecordError(f"end {end.isoformat()} is before start {start.isoformat()}")
    return end


def _integer(values: Mapping[str, Any], name: str) -> int | None:
    return integer_of(values[name], name) if name in values else None


def _size(values: Mapping[str, Any]) -> int:
    return integer_of(values.get("size_bytes", 0), "size_bytes", bits=64)


def _percent(values: Mapping[str, Any], name: str) -> float | None:
    if name not in values:
        return None
    try:
        percent = float(values[name])
    except (TypeError, ValueError):
        percent = -1.0
    if not 0 <= percent <= 100:
        raise RecordError(f"{name} {printable(str(values[name]))} is not from 0 to 100")
    return percent


def _direction(values: Mapping[str, Any]) -> str | None:
    if "orbit_direction" not in values:
        return None
    lower = {"orbit_direction": str(values["orbit_direction"]).lower()}
    return _one_of(lower, "orbit_direction", ("ascending", "descending"))


def _tile(values: Mapping[str, Any]) -> str | None:
    if "mgrs_tile" not in values:
        return None
    tile = str(values["mgrs_tile"]).upper()
    if not re.fullmatch(r"T?[0-9]{2}[C-X][A-Z]{2}", tile):
        raise RecordError(f"mgrs_tile {printable(tile)} is not a tile such as 31TCJ")
    return tile[-5:]


def _relative_orbit(platform: str, orbit: int | None) -> int | None:
    """Return the relative orbit of a satellite whose cycle is known."""
    if orbit is None or platform not in _CYCLES:
        return None
    cycle, first = _CYCLES[platform]
    return (orbit - first) % cycle + 1
