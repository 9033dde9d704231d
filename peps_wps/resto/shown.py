"""Parameters about what products show and the catalogue has no column of."""

import re
from collections.abc import Mapping
from dataclasses import replace

from catalog_db.catalogue.conditions import (
    Among,
    Both,
    Comparison,
    Condition,
    Either,
    Matches,
    Missing,
    Operator,
)
from catalog_db.catalogue.query import Interval, OneOf, SearchQuery, TextFilter
from peps_wps.resto.intervals import read_numbers
from peps_wps.resto.parameters import SHOWN_NUMBERS, SHOWN_TEXTS

# GS2A_20200815T005251_026883_N02.09: satellite, start, absolute orbit, processing baseline.
_DATA_TAKE = re.compile(r"G(S2[A-D])_\d{8}T\d{6}_(\d{6})_N\d\d\.\d\d")


def shown_condition(given: Mapping[str, str]) -> Condition | None:
    """Return the condition of these parameters, None where there is none among them.

    A product that does not show a value has the one that resto shows in its place.
    """
    parts = [
        *(_text(name, given[name], usual) for name, usual in SHOWN_TEXTS.items() if name in given),
        *(
            _number(name, given[name], usual)
            for name, usual in SHOWN_NUMBERS.items()
            if name in given
        ),
    ]
    return Both(tuple(parts)) if parts else None


def within_data_take(query: SearchQuery, data_take: str) -> SearchQuery:
    """Return the query limited to the satellite and orbit of a data take: found without a scan."""
    found = _DATA_TAKE.fullmatch(data_take)
    if found is None:
        return query
    platform, orbit = TextFilter(found[1]), OneOf((float(found[2]),))
    return replace(
        query,
        texts={"platform": platform, **query.texts},
        numbers={"orbit_number": orbit, **query.numbers},
    )


def _text(name: str, value: str, usual: str | None) -> Condition:
    column, wanted = f"properties.{name}", value.removesuffix("%")
    if not value.endswith("%"):
        met: Condition = Comparison(column, "=", value)
        is_usual = usual == value
    else:
        plain = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        met = Matches(column, plain + "%")
        is_usual = usual is not None and usual.startswith(wanted)
    return Either((met, Missing(column))) if is_usual else met


def _number(name: str, value: str, usual: float | None) -> Condition:
    column, wanted = f"properties.{name}", read_numbers(name, value)
    if isinstance(wanted, OneOf):
        met: Condition = Among(column, wanted.values)
        is_usual = usual in wanted.values
    else:
        met = Both(_bounds(column, wanted))
        is_usual = usual is not None and _holds(wanted, usual)
    return Either((met, Missing(column))) if is_usual else met


def _bounds(column: str, wanted: Interval) -> tuple[Condition, ...]:
    bounds: list[Condition] = []
    if wanted.minimum is not None:
        above: Operator = ">=" if wanted.includes_minimum else ">"
        bounds.append(Comparison(column, above, wanted.minimum))
    if wanted.maximum is not None:
        below: Operator = "<=" if wanted.includes_maximum else "<"
        bounds.append(Comparison(column, below, wanted.maximum))
    return tuple(bounds)


def _holds(wanted: Interval, value: float) -> bool:
    low = wanted.minimum if wanted.minimum is not None else float("-inf")
    high = wanted.maximum if wanted.maximum is not None else float("inf")
    above = value >= low if wanted.includes_minimum else value > low
    return above and (value <= high if wanted.includes_maximum else value < high)
