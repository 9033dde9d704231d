"""The parameters of a resto search, read into typed values.

The grammar is that of PEPS (resto 2.x): an empty value is as good as none, an unknown parameter is
ignored, `maxRecords` is clamped without a word, anything else that makes no sense is refused.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.query import SearchQuery, TextFilter
from catalog_db.catalogue.regions import box_region, square_region
from peps_wps.errors import InvalidInputError
from peps_wps.resto.intervals import NUMBER, read_numbers
from peps_wps.resto.parameters import NUMBERS, PARAMETERS, TEXTS, TIMES
from peps_wps.resto.shown import shown_condition, within_data_take

# Collection -> what its products have as parentIdentifier.
PARENT_IDENTIFIERS = {
    "S1": "urn:ogc:def:EOP:ESA::SENTINEL-1:",
    "S2": "urn:ogc:def:EOP:ESA::SENTINEL-2:",
    "S2ST": "urn:ogc:def:EOP:ESA::SENTINEL-2:",
    "S3": "urn:ogc:def:EOP:ESA::SENTINEL-3:",
}

MOST_RECORDS = 500
_DEFAULT_RECORDS = 20
_DEFAULT_RADIUS_M = 10_000.0
# Nothing lies there, and every database can count so far.
_LARGEST_OFFSET = 2**31

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_TILE = re.compile(r"T?([0-6][0-9](?:[A-Z]{1,3}%?|%))", re.IGNORECASE)


@dataclass(frozen=True)
class RestoSearch:
    """A search as a client asked for it.

    Parameters
    ----------
    query
        What the catalogue is asked.
    filters
        The parameters that were understood, by their OpenSearch names.
    place
        Name of a town to search about, or title of a product.
    """

    query: SearchQuery
    filters: Mapping[str, str]
    place: str | None = None


def parse_search(collection: str | None, parameters: Mapping[str, str]) -> RestoSearch:
    """Read the parameters of a search.

    Parameters
    ----------
    collection
        The collection of the path, None for all.
    parameters
        Name and value, percent-decoded.

    Raises
    ------
    InvalidInputError, QueryError
        With one sentence, when a value has no meaning.
    """
    given = {name: value.strip() for name, value in parameters.items() if value.strip()}
    for name, value in given.items():
        if "\0" in value:
            raise InvalidInputError(name, f"Invalid {name[:40]}: it holds a null character")
    texts = {field: _text(name, given[name]) for name, field in TEXTS.items() if name in given}
    numbers = {
        field: read_numbers(name, given[name]) for name, field in NUMBERS.items() if name in given
    }
    times: dict[str, Any] = {
        field: _time(name, given[name]) for name, field in TIMES.items() if name in given
    }
    limit = min(max(_integer(given, "maxRecords", _DEFAULT_RECORDS), 1), MOST_RECORDS)
    query = SearchQuery(
        collections=_collections(collection, given.get("parentIdentifier")),
        identifiers=(given["identifier"],) if "identifier" in given else (),
        region=_region(given),
        texts=texts,
        numbers=numbers,
        where=shown_condition(given),
        limit=limit,
        offset=_offset(given, limit),
        **times,
    )
    query = within_data_take(query, given.get("s2TakeId", ""))
    filters = {
        PARAMETERS[name].qualified: given[name] for name in sorted(given) if name in PARAMETERS
    }
    return RestoSearch(query, filters, place=given.get("q"))


def _collections(collection: str | None, parent: str | None) -> tuple[str, ...]:
    """Return the collections to search, an impossible one where the two contradict."""
    chosen = [collection] if collection else []
    if parent is None:
        return tuple(chosen)
    wanted, is_prefix = parent.removesuffix("%"), parent.endswith("%")
    children = [
        name
        for name, identifier in PARENT_IDENTIFIERS.items()
        if identifier == wanted or (is_prefix and identifier.startswith(wanted))
    ]
    return tuple(name for name in children if not chosen or name in chosen) or ("",)


def _text(name: str, value: str) -> TextFilter:
    if name == "tileid":
        tile = _TILE.fullmatch(value)
        if tile is None:
            raise InvalidInputError(name, f"Invalid {name}: {value[:40]}, expected one like 31TCJ")
        value = tile[1].upper()
    elif name == "orbitDirection":
        value = value.lower()
    elif name == "productIdentifier":
        value = value.removesuffix(".SAFE")
    return TextFilter(value.removesuffix("%"), is_prefix=value.endswith("%"))


def _time(name: str, value: str) -> datetime:
    """Read an RFC 3339 date or time; a bare date is its first instant, no zone is UTC."""
    try:
        instant = datetime.fromisoformat(value if _TIME.fullmatch(value) else "")
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            name, f"Invalid {name}: {value[:40]}, expected a date like 2021-08-09T17:39:53Z"
        ) from error


def _offset(given: Mapping[str, str], limit: int) -> int:
    """Return how many products come before the page: `page` wins over `index`, both from 1."""
    if "page" in given:
        skipped = (max(_integer(given, "page", 1), 1) - 1) * limit
    else:
        skipped = max(_integer(given, "index", 1), 1) - 1
    return min(skipped, _LARGEST_OFFSET)


def _integer(given: Mapping[str, str], name: str, default: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
        raise InvalidInputError(name, f"Invalid {name}: {value[:40]}, expected a whole number")
    # Beyond every limit already: more digits change nothing, and Python reads 4300 at most.
    return int(value.lstrip("+-").lstrip("0")[:18] or "0") * (-1 if value[0] == "-" else 1)


def _region(given: Mapping[str, str]) -> BaseGeometry | None:
    """Return the region; the more exact wins where several are given."""
    if "geometry" in given:
        return _geometry(given["geometry"])
    if "box" in given:
        return _box(given["box"])
    if "lat" in given or "lon" in given:
        return _square(given)
    return None


def _geometry(value: str) -> BaseGeometry:
    """Read WKT or GeoJSON."""
    read: Callable[[str], BaseGeometry] = (
        shapely.from_geojson if value.startswith("{") else shapely.from_wkt
    )
    try:
        return shapely.force_2d(read(value))
    except (ShapelyError, NotImplementedError) as error:  # the latter: curves
        raise InvalidInputError("geometry", "Invalid geometry: neither WKT nor GeoJSON") from error


def _box(value: str) -> BaseGeometry:
    numbers = _decimals(value.split(","))
    if numbers is None or len(numbers) != 4:
        raise InvalidInputError("box", "Invalid geo:box")
    return box_region(*numbers)


def _square(given: Mapping[str, str]) -> BaseGeometry:
    texts = [given.get("lon", ""), given.get("lat", ""), given.get("radius", "")]
    numbers = _decimals(texts if texts[2] else [*texts[:2], str(_DEFAULT_RADIUS_M)])
    if numbers is None:
        raise InvalidInputError("lon", "Invalid geo:lon, geo:lat or geo:radius: expected numbers")
    return square_region(*numbers)


def _decimals(texts: Sequence[str]) -> list[float] | None:
    """Return the numbers, None when one is none."""
    if all(re.fullmatch(rf"\s*{NUMBER}\s*", text) for text in texts):
        return [float(text) for text in texts]
    return None
