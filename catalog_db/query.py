"""What a search asks for, as typed values."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shapely.geometry.base import BaseGeometry

from catalog_db.errors import QueryError
from catalog_db.products import Product

# The columns of a product that a text or a number may be asked of.
TEXT_FIELDS = frozenset(
    {
        "title",
        "platform",
        "product_type",
        "sensor_mode",
        "instrument",
        "processing_level",
        "polarization",
        "swath",
        "orbit_direction",
        "mgrs_tile",
    }
)
NUMBER_FIELDS = frozenset(
    {
        "orbit_number",
        "relative_orbit",
        "cycle_number",
        "mission_take_id",
        "cloud_cover",
        "snow_cover",
    }
)


@dataclass(frozen=True)
class TextFilter:
    """A text that is equal to `value`, or starts with it."""

    value: str
    is_prefix: bool = False


@dataclass(frozen=True)
class Interval:
    """A range of numbers; None is open, and a bound belongs to it unless said otherwise."""

    minimum: float | None = None
    maximum: float | None = None
    includes_minimum: bool = True
    includes_maximum: bool = True


@dataclass(frozen=True)
class OneOf:
    """A set of numbers."""

    values: tuple[float, ...]


class Position(NamedTuple):
    """Where a page ended: the next one starts after this start time and row."""

    t0_us: int
    pk: int

    def to_cursor(self) -> str:
        """Return it as opaque text for a client."""
        return base64.urlsafe_b64encode(f"{self.t0_us}:{self.pk}".encode()).decode().rstrip("=")

    @classmethod
    def from_cursor(cls, cursor: str) -> "Position":
        """Return the position of a cursor; raise QueryError for what is none."""
        padded = cursor + "=" * (-len(cursor) % 4)
        try:
            text = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            text = b""
        numbers = re.fullmatch(rb"(-?\d{1,18}):(\d{1,18})", text)
        if numbers is None:
            raise QueryError(f"{cursor[:40]} is no cursor of this catalogue")
        return cls(int(numbers[1]), int(numbers[2]))


@dataclass(frozen=True)
class SearchQuery:
    """Conditions that a product must all meet, and which page of them is wanted.

    Parameters
    ----------
    collections
        Any of these; empty means all.
    identifiers
        Any of these uids or titles; empty means all.
    region
        What the footprint must intersect: longitude and latitude in degrees, edges straight in
        them. Longitudes are continuous: a region over the antimeridian has some beyond 180.
    start_from, start_to
        Bounds of the start of sensing, both inclusive.
    published_from, published_to, updated_from
        Bounds of publication and of last change, inclusive.
    texts, numbers
        Conditions by field, of TEXT_FIELDS and NUMBER_FIELDS. A product without the value never
        meets one.
    limit, offset, cursor
        The page: at most `limit` products, after `offset` others or after the cursor of a page.
    """

    collections: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    region: BaseGeometry | None = None
    start_from: datetime | None = None
    start_to: datetime | None = None
    published_from: datetime | None = None
    published_to: datetime | None = None
    updated_from: datetime | None = None
    texts: Mapping[str, TextFilter] = field(default_factory=dict)
    numbers: Mapping[str, Interval | OneOf] = field(default_factory=dict)
    limit: int = 20
    offset: int = 0
    cursor: str | None = None

    def __post_init__(self) -> None:
        for name in (self.texts.keys() - TEXT_FIELDS) | (self.numbers.keys() - NUMBER_FIELDS):
            raise QueryError(f"products have no field {name} to search")
        if self.limit < 0 or self.offset < 0:
            raise QueryError(f"limit {self.limit} and offset {self.offset} must not be negative")


@dataclass(frozen=True)
class SearchResult:
    """A page of products, latest start first, and how many there are in all.

    `cursor` leads to the next page; None on the last.
    """

    items: tuple[Product, ...]
    total: int
    total_is_exact: bool
    cursor: str | None
