"""The words of STAC for what the catalogue holds: one table for items, filters and queryables.

A coded property (platform, constellation) has one STAC word for each word of the catalogue. It is
compared in STAC's words, here; the database is only asked for the products that have one of those
whose word meets the comparison.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from catalog_db.catalogue.conditions import (
    Among,
    Comparison,
    Condition,
    Either,
    Matches,
    Missing,
    Operator,
    check,
    tokens,
)
from catalog_db.times import to_us
from peps_wps.web.problem import ProblemError
from peps_wps.web.stac.instants import read_instant

Kind = Literal["text", "number", "integer", "time"]

MISSIONS = {"S1": "sentinel-1", "S2": "sentinel-2", "S2ST": "sentinel-2", "S3": "sentinel-3"}
PLATFORMS = {
    f"S{mission}{unit}": f"sentinel-{mission}{unit.lower()}" for mission in "123" for unit in "ABCD"
}
LEVELS = {
    "LEVEL0": "L0",
    "LEVEL1": "L1",
    "LEVEL1C": "L1C",
    "LEVEL2": "L2",
    "LEVEL2A": "L2A",
}
GRID_PREFIX = "MGRS-"

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Queryable:
    """A property that may be asked of.

    Parameters
    ----------
    name
        As items have it, without ``properties.``.
    title
        For a person.
    column
        Where the catalogue has it.
    kind
        What its values are.
    codes
        Word of the catalogue -> word of STAC, of a coded property.
    prefix
        What STAC writes before each value.
    """

    name: str
    title: str
    column: str
    kind: Kind = "text"
    codes: Mapping[str, str] | None = None
    prefix: str = ""

    def compared(self, comparison: Operator, value: object) -> Condition:
        """Return the condition that the property compares so with a value."""
        if self.codes is not None:
            wanted = self._text(value)
            return self._coded(lambda word: _COMPARE[comparison](word, wanted))
        if self.prefix and not self._text(value).startswith(self.prefix):
            if comparison in ("=", "<>"):
                # Nothing is equal to it, and all that have a value differ.
                met = () if comparison == "=" else (Comparison(self.column, "<>", ""),)
                return Either(met)
            raise _bad(f"{self.name} has values that start with {self.prefix}")
        return Comparison(self.column, comparison, self._stored(value))

    def among(self, values: Sequence[object]) -> Condition:
        """Return the condition that the property has one of these values."""
        if self.codes is not None:
            wanted = {self._text(value) for value in values}
            return self._coded(lambda word: word in wanted)
        if self.prefix:
            return Either(tuple(self.compared("=", value) for value in values))
        return Among(self.column, tuple(self._stored(value) for value in values))

    def matching(self, pattern: object) -> Condition:
        """Return the condition that the text matches a pattern of LIKE: ``%`` and ``_``."""
        if self.kind != "text":
            raise _bad(f"{self.name} is no text: it cannot be compared with LIKE")
        text = self._text(pattern)
        if self.codes is not None:
            check(Matches(self.column, text))
            expression = _expression(text)
            return self._coded(lambda word: expression.fullmatch(word) is not None)
        if self.prefix and not text.startswith(self.prefix):
            raise _bad(f"{self.name} is compared with patterns that start with {self.prefix}")
        return Matches(self.column, text.removeprefix(self.prefix))

    def missing(self) -> Condition:
        """Return the condition that a product has no such property."""
        return Missing(self.column)

    def schema(self) -> dict[str, object]:
        """Return what a JSON schema says of the values."""
        if self.kind == "time":
            return {"title": self.title, "type": "string", "format": "date-time"}
        schema: dict[str, object] = {
            "title": self.title,
            "type": "string" if self.kind == "text" else self.kind,
        }
        if self.codes is not None:
            schema["enum"] = sorted(set(self.codes.values()))
        return schema

    def _coded(self, is_met: Callable[[str], bool]) -> Condition:
        codes = self.codes or {}
        return Among(self.column, tuple(stored for stored, word in codes.items() if is_met(word)))

    def _stored(self, value: object) -> str | float | int:
        """Return a value as the catalogue has it."""
        if self.kind == "time":
            return to_us(read_instant(self.name, _instant_text(value)))
        if self.kind == "text":
            return self._text(value).removeprefix(self.prefix)
        return self._number(value)

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            raise _bad(f"{self.name} is compared with a text, found {str(value)[:40]}")
        return value

    def _number(self, value: object) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,15})?", value, re.ASCII):
            is_number = True  # clients write numbers of a query string so
        if not is_number:
            raise _bad(f"{self.name} is compared with a number, found {str(value)[:40]}")
        return float(value)  # type: ignore[arg-type]


def queryable(name: str) -> Queryable:
    """Return the property of a name, with or without ``properties.`` before it.

    Raises
    ------
    ProblemError
        400 when nothing may be asked of it.
    """
    found = QUERYABLES.get(name.removeprefix("properties."))
    if found is None:
        raise _bad(f"{name[:60]} cannot be asked of: /stac/queryables lists what can")
    return found


def _expression(pattern: str) -> re.Pattern[str]:
    """Return a pattern of LIKE as a regular expression."""
    wildcards = {"%": ".*", "_": "."}
    parts = [
        re.escape(token[1:]) if token.startswith("\\") else wildcards[token]
        for token in tokens(pattern)
    ]
    return re.compile("".join(parts), re.DOTALL)


def _instant_text(value: object) -> str:
    """Return an instant of CQL2: a text, ``{"timestamp": ...}`` or ``{"date": ...}``."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, text),) = value.items()
        if name == "timestamp":
            return str(text)
        if name == "date":
            return f"{text}T00:00:00Z"
    return str(value)


def _bad(detail: str) -> ProblemError:
    return ProblemError(400, detail)


_LISTED = (
    Queryable("id", "Item: the title of the product", "title"),
    Queryable("collection", "Collection", "collection"),
    Queryable("datetime", "Start of sensing", "t0_us", "time"),
    Queryable("start_datetime", "Start of sensing", "t0_us", "time"),
    Queryable("end_datetime", "End of sensing", "t1_us", "time"),
    Queryable("created", "Published here", "published_us", "time"),
    Queryable("updated", "Last changed here", "updated_us", "time"),
    Queryable("mission", "Mission", "collection", codes=MISSIONS),
    Queryable("constellation", "Constellation", "collection", codes=MISSIONS),
    Queryable("platform", "Satellite", "platform", codes=PLATFORMS),
    Queryable("product:type", "Product type", "product_type"),
    Queryable("processing:level", "Processing level", "processing_level", codes=LEVELS),
    Queryable("sar:product_type", "Product type", "product_type"),
    Queryable("sar:instrument_mode", "Instrument mode", "sensor_mode"),
    Queryable("sat:orbit_state", "Ascending or descending", "orbit_direction"),
    Queryable("sat:absolute_orbit", "Absolute orbit", "orbit_number", "integer"),
    Queryable("sat:relative_orbit", "Relative orbit", "relative_orbit", "integer"),
    Queryable("eo:cloud_cover", "Cloud cover, percent", "cloud_cover", "number"),
    Queryable("eo:snow_cover", "Snow cover, percent", "snow_cover", "number"),
    Queryable("grid:code", "Tile", "mgrs_tile", prefix=GRID_PREFIX),
    Queryable("peps:polarisation", "Polarisations, separated by a blank", "polarization"),
    Queryable("peps:swath", "Swath", "swath"),
    Queryable("peps:mission_take_id", "Data take", "mission_take_id", "integer"),
    Queryable("peps:cycle_number", "Cycle", "cycle_number", "integer"),
)
QUERYABLES: Mapping[str, Queryable] = {one.name: one for one in _LISTED}
