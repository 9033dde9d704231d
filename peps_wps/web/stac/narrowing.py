"""Conditions of a filter moved to where the search can use them: times, collections, equalities.

The search plans by its own fields; a free condition is only a test of what it has read. So whatever
of a filter one of these fields can say, it says.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from catalog_db.catalogue.conditions import Among, Both, Comparison, Condition
from catalog_db.catalogue.query import (
    NUMBER_FIELDS,
    TEXT_FIELDS,
    Interval,
    OneOf,
    SearchQuery,
    TextFilter,
)
from catalog_db.times import from_us

_NOWHERE = ("",)  # a collection that no product is in
_MICROSECOND = timedelta(microseconds=1)


def narrowed(query: SearchQuery, conditions: Iterable[Condition]) -> SearchQuery:
    """Return the query with these conditions as well."""
    rest: list[Condition] = [] if query.where is None else [query.where]
    for condition in _parts(conditions):
        told = _tell(query, condition)
        if told is None:
            rest.append(condition)
        else:
            query = told
    if not rest:
        return query
    return replace(query, where=rest[0] if len(rest) == 1 else Both(tuple(rest)))


def _parts(conditions: Iterable[Condition]) -> Iterable[Condition]:
    for condition in conditions:
        if isinstance(condition, Both):
            yield from _parts(condition.parts)
        else:
            yield condition


def _tell(query: SearchQuery, condition: Condition) -> SearchQuery | None:
    """Return the query that says the condition in a field of its own, None where none can."""
    if isinstance(condition, Among) and condition.column == "collection":
        return _in_collections(query, [str(value) for value in condition.values])
    if not isinstance(condition, Comparison):
        return None
    if condition.column == "t0_us":
        return _in_time(query, condition)
    if condition.column in NUMBER_FIELDS:
        return _of_number(query, condition)
    return _of_text(query, condition) if condition.operator == "=" else None


def _of_number(query: SearchQuery, condition: Comparison) -> SearchQuery | None:
    wanted = _numbers(condition)
    if wanted is None or condition.column in query.numbers:
        return None
    return replace(query, numbers={**query.numbers, condition.column: wanted})


def _of_text(query: SearchQuery, condition: Comparison) -> SearchQuery | None:
    wanted = str(condition.value)
    if condition.column == "collection":
        return _in_collections(query, [wanted])
    if condition.column not in TEXT_FIELDS or condition.column in query.texts:
        return None
    return replace(query, texts={**query.texts, condition.column: TextFilter(wanted)})


def _in_collections(query: SearchQuery, names: list[str]) -> SearchQuery:
    chosen = tuple(name for name in names if not query.collections or name in query.collections)
    return replace(query, collections=chosen or _NOWHERE)


def _in_time(query: SearchQuery, condition: Comparison) -> SearchQuery | None:
    try:
        instant = from_us(int(condition.value))
        low, high = {
            "=": (instant, instant),
            ">=": (instant, None),
            ">": (instant + _MICROSECOND, None),
            "<=": (None, instant),
            "<": (None, instant - _MICROSECOND),
        }[condition.operator]
    except (KeyError, OverflowError):
        return None
    return within(query, low, high)


def within(query: SearchQuery, low: datetime | None, high: datetime | None) -> SearchQuery:
    """Return the query with bounds of the start as well."""
    lows = [bound for bound in (query.start_from, low) if bound is not None]
    highs = [bound for bound in (query.start_to, high) if bound is not None]
    return replace(query, start_from=max(lows, default=None), start_to=min(highs, default=None))


def _numbers(condition: Comparison) -> Interval | OneOf | None:
    value = float(condition.value)
    wanted: dict[str, Interval | OneOf] = {
        "=": OneOf((value,)),
        ">=": Interval(minimum=value),
        ">": Interval(minimum=value, includes_minimum=False),
        "<=": Interval(maximum=value),
        "<": Interval(maximum=value, includes_maximum=False),
    }
    return wanted.get(condition.operator)
