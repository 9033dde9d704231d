"""What a search asks for, as typed values."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.conditions import Condition, check
from catalog_db.catalogue.product import Product
from catalog_db.errors import QueryError

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

# What products may be ordered by; all but the start only in searches of few products.
SORT_FIELDS = frozenset(
    {"start", "end", "title", "cloud_cover", "snow_cover", "published", "updated", "size_bytes"}
)
# More names than this are no search.
MOST_IDENTIFIERS = 1000


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


@dataclass(frozen=True)
class SortKey:
    """The field of SORT_FIELDS by which products are ordered; the row decides between equals.

    Products without a value come last.
    """

    field: str
    is_descending: bool = True


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


LATEST_FIRST = SortKey("start")


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
    where
        Any other condition; it is looked at in each product that meets the rest.
    sort
        The order. Latest start first is free, and so is earliest start first; any other is for
        searches of few products only.
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
    where: Condition | None = None
    sort: SortKey = LATEST_FIRST
    limit: int = 20
    offset: int = 0
    cursor: str | None = None

    def __post_init__(self) -> None:
        for name in (self.texts.keys() - TEXT_FIELDS) | (self.numbers.keys() - NUMBER_FIELDS):
            raise QueryError(f"products have no field {name} to search")
        if self.sort.field not in SORT_FIELDS:
            raise QueryError(f"products cannot be sorted by {self.sort.field}")
        if len(self.identifiers) > MOST_IDENTIFIERS:
            raise QueryError(
                f"a search names {len(self.identifiers)} products, at most {MOST_IDENTIFIERS}"
            )
        if self.where is not None:
            check(self.where)
        if self.limit < 0 or self.offset < 0:
            raise QueryError(f"limit {self.limit} and offset {self.offset} must not be negative")


@dataclass(frozen=True)
class SearchResult:
    """A page of products in the order asked for, and how many there are in all.

    Parameters
    ----------
    items
        At most `limit`; fewer although more follow where matches are rare among what had to be
        looked at: the cursor says whether there are more.
    total, total_is_exact
        How many products meet the query, all pages together; an estimate where it says so.
    cursor
        Leads to the next page; None on the last.
    cursor_before
        Leads, in the opposite order, to the page before; None on the first.
    """

    items: tuple[Product, ...]
    total: int
    total_is_exact: bool
    cursor: str | None
    cursor_before: str | None = None
