"""CQL2 and the query extension, read into conditions of the catalogue.

CQL2 (OGC 21-065r2) is parsed by the library `cql2`; here its tree becomes conditions. Understood
are the classes Basic CQL2 and Advanced Comparison Operators, S_INTERSECTS where all must meet it,
and temporal comparisons with an instant or an interval. Anything else is refused by its name.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cql2
import shapely
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.conditions import Both, Comparison, Condition, Either, Not, Operator
from catalog_db.times import to_us
from peps_wps.web.problem import ProblemError
from peps_wps.web.stac.instants import read_interval
from peps_wps.web.stac.regions import bbox_region, geojson_region
from peps_wps.web.stac.vocabulary import Queryable, queryable

CQL2_TEXT, CQL2_JSON = "cql2-text", "cql2-json"

# The parser tries the inside of a parenthesis twice where it fails, and once more in each around
# it; and it recurses: deeper text would exhaust its stack, which nothing can catch.
_LONGEST_TEXT = 5000
_MOST_STEPS = 32_000
_MOST_SIGNS = 200
_DEEPEST = 40
_OPERATORS: Mapping[str, Operator] = {
    "=": "=", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="
}  # fmt: skip
_TURNED: Mapping[Operator, Operator] = {
    "=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="
}  # fmt: skip
_QUERY_OPERATORS: Mapping[str, Operator] = {
    "eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="
}  # fmt: skip
_PATTERNS = {"startsWith": "{}%", "endsWith": "%{}", "contains": "%{}%"}


@dataclass(frozen=True)
class Filter:
    """What a filter asks: conditions that must all hold, and a region to meet."""

    conditions: tuple[Condition, ...] = ()
    region: BaseGeometry | None = None


def read_text(text: str) -> Filter:
    """Read a filter of CQL2 text."""
    deepest = depth = 0
    for character in text[:_LONGEST_TEXT]:
        depth += (character == "(") - (character == ")" and depth > 0)
        deepest = max(deepest, depth)
    signs = text.upper().count("NOT") + text.count("-")
    steps = len(text) * 2 ** min(deepest, 20)
    if len(text) > _LONGEST_TEXT or steps > _MOST_STEPS or signs > _MOST_SIGNS:
        raise _bad("the filter is too long, or nests too deep: send cql2-json, or simplify it")
    return _read(lambda: cql2.parse_text(text))


def read_json(document: object) -> Filter:
    """Read a filter of CQL2 JSON, already parsed."""
    if not isinstance(document, Mapping):
        raise _bad("a filter of cql2-json is an object")
    _check_depth(document)
    return _read(lambda: cql2.parse_json(json.dumps(document)))


def read_query(document: object) -> Filter:
    """Read the object of the query extension: property -> operator -> value."""
    if not isinstance(document, Mapping):
        raise _bad("query is an object: property, operator, value")
    conditions: list[Condition] = []
    for name, wanted in document.items():
        if not isinstance(wanted, Mapping):
            raise _bad(f"query of {str(name)[:60]} is an object of operators and values")
        known = queryable(name)
        conditions += [_queried(known, str(word), value) for word, value in wanted.items()]
    return Filter(tuple(conditions))


def _queried(known: Queryable, word: str, value: object) -> Condition:
    if word in _QUERY_OPERATORS:
        return known.compared(_QUERY_OPERATORS[word], value)
    if word == "in" and isinstance(value, Sequence) and not isinstance(value, str):
        return known.among(value)
    if word in _PATTERNS and isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return known.matching(_PATTERNS[word].format(plain))
    raise _bad(f"query cannot ask {known.name} {word[:20]} {str(value)[:40]}")


def _read(parse: Callable[[], Any]) -> Filter:
    try:
        tree = parse().to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as error:
        raise _bad("the filter is no CQL2") from error
    except Exception as error:
        # The library raises plain Exception for what no variant of its grammar matches.
        if type(error) is not Exception:
            raise
        raise _bad("the filter is no CQL2") from error
    return _of_tree(tree)


def _of_tree(tree: object) -> Filter:
    conditions: list[Condition] = []
    regions: list[BaseGeometry] = []
    for part in _conjuncts(tree):
        region = _spatial(part)
        if region is None:
            conditions.append(_condition(part))
        else:
            regions.append(region)
    if len(regions) > 1:
        raise _bad("a filter can ask for one region: S_INTERSECTS stands twice")
    return Filter(tuple(conditions), regions[0] if regions else None)


def _conjuncts(tree: object) -> list[object]:
    if isinstance(tree, Mapping) and tree.get("op") == "and":
        return [part for argument in _arguments(tree) for part in _conjuncts(argument)]
    return [tree]


def _spatial(tree: object) -> BaseGeometry | None:
    """Return the region of S_INTERSECTS, or of several joined by OR; None for anything else."""
    if not isinstance(tree, Mapping):
        return None
    if tree.get("op") == "s_intersects":
        return _intersected(tree)
    if tree.get("op") == "or":
        parts = [_spatial(argument) for argument in _arguments(tree)]
        regions = [part for part in parts if part is not None]
        if regions and len(regions) == len(parts):
            # Not their union: regions that cross each other have one of any number of vertices.
            return regions[0] if len(regions) == 1 else shapely.GeometryCollection(regions)
    return None


def _intersected(tree: Mapping[str, Any]) -> BaseGeometry:
    arguments = _arguments(tree)
    if len(arguments) == 2 and arguments[0] == {"property": "geometry"}:
        shape = arguments[1]
        if isinstance(shape, Mapping) and isinstance(shape.get("bbox"), list):
            return bbox_region(shape["bbox"])
        return geojson_region(shape)
    raise _bad("S_INTERSECTS takes the property geometry and a geometry")


def _condition(tree: object) -> Condition:
    if isinstance(tree, bool):
        return Both(()) if tree else Either(())
    if not isinstance(tree, Mapping) or not isinstance(tree.get("op"), str):
        raise _bad("the filter holds a value where a condition belongs")
    word, arguments = tree["op"], _arguments(tree)
    if word in ("and", "or"):
        parts = tuple(_condition(argument) for argument in arguments)
        return Both(parts) if word == "and" else Either(parts)
    if word == "not" and len(arguments) == 1:
        return Not(_condition(arguments[0]))
    if word in _OPERATORS and len(arguments) == 2:
        return _compared(_OPERATORS[word], arguments)
    read = _PREDICATES.get(word)
    if read is None or not arguments:
        raise _bad(f"a filter cannot ask {word[:40].upper()} here")
    return read(_property(arguments[0]), arguments[1:])


def _compared(comparison: Operator, arguments: Sequence[object]) -> Condition:
    left, right = arguments
    if not _is_property(left):
        left, right, comparison = right, left, _TURNED[comparison]
    return _property(left).compared(comparison, _value(right))


def _is_null(known: Queryable, arguments: Sequence[object]) -> Condition:
    if arguments:
        raise _bad("IS NULL takes a property")
    return known.missing()


def _like(known: Queryable, arguments: Sequence[object]) -> Condition:
    if len(arguments) != 1:
        raise _bad("LIKE takes a property and a pattern")
    return known.matching(_value(arguments[0]))


def _in(known: Queryable, arguments: Sequence[object]) -> Condition:
    if len(arguments) != 1 or not isinstance(arguments[0], list):
        raise _bad("IN takes a property and a list")
    return known.among([_value(one) for one in arguments[0]])


def _between(known: Queryable, arguments: Sequence[object]) -> Condition:
    bounds = arguments
    if len(arguments) == 1 and isinstance(arguments[0], list):
        bounds = arguments[0]  # as drafts of CQL2 had it
    if len(bounds) != 2:
        raise _bad("BETWEEN takes a property and two values")
    low, high = (_value(one) for one in bounds)
    return Both((known.compared(">=", low), known.compared("<=", high)))


def _temporal(relation: str) -> Callable[[Queryable, Sequence[object]], Condition]:
    def read(known: Queryable, arguments: Sequence[object]) -> Condition:
        if known.kind != "time" or len(arguments) != 1:
            raise _bad(f"{relation.upper()} takes a time and an instant or interval")
        return _RELATIONS[relation](known.column, *_interval(known.name, arguments[0]))

    return read


def _interval(name: str, value: object) -> tuple[datetime | None, datetime | None]:
    if isinstance(value, Mapping) and isinstance(value.get("interval"), list):
        bounds = [str(_plain_instant(one)) for one in value["interval"]]
        return read_interval(name, "/".join(bounds))
    return read_interval(name, str(_plain_instant(value)))


def _plain_instant(value: object) -> object:
    """Return the text of an instant; a date is its first instant."""
    if isinstance(value, Mapping) and len(value) == 1:
        value = next(iter(value.values()))
    is_date = isinstance(value, str) and len(value) == len("2021-08-09")
    return f"{value}T00:00:00Z" if is_date else value


def _within(column: str, first: datetime | None, last: datetime | None) -> Condition:
    parts: list[Condition] = []
    if first is not None:
        parts.append(Comparison(column, ">=", to_us(first)))
    if last is not None:
        parts.append(Comparison(column, "<=", to_us(last)))
    return Both(tuple(parts))


def _before(column: str, first: datetime | None, _last: datetime | None) -> Condition:
    return Either(() if first is None else (Comparison(column, "<", to_us(first)),))


def _after(column: str, _first: datetime | None, last: datetime | None) -> Condition:
    return Either(() if last is None else (Comparison(column, ">", to_us(last)),))


def _apart(column: str, first: datetime | None, last: datetime | None) -> Condition:
    return Either((_before(column, first, last), _after(column, first, last)))


def _arguments(tree: Mapping[str, Any]) -> list[object]:
    arguments = tree.get("args")
    if not isinstance(arguments, list):
        raise _bad(f"{str(tree.get('op'))[:40]} has no arguments")
    return arguments


def _is_property(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("property"), str)


def _property(value: object) -> Queryable:
    if not isinstance(value, Mapping) or not isinstance(value.get("property"), str):
        raise _bad("a condition needs a property on one side and a value on the other")
    return queryable(value["property"])


def _value(value: object) -> object:
    is_computed = isinstance(value, Mapping) and not value.keys() <= {"timestamp", "date"}
    if is_computed or isinstance(value, list):
        raise _bad("a property can be compared with a plain value only")
    return value


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, Mapping | list)
            for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
        if not level:
            return
    raise _bad(f"the filter nests deeper than {_DEEPEST} levels")


def _bad(detail: str) -> ProblemError:
    return ProblemError(400, detail, locator="filter")


_RELATIONS: Mapping[str, Callable[[str, datetime | None, datetime | None], Condition]] = {
    "t_after": _after,
    "t_before": _before,
    "t_disjoint": _apart,
    "t_during": _within,
    "t_equals": _within,
    "t_intersects": _within,
}
_PREDICATES: Mapping[str, Callable[[Queryable, Sequence[object]], Condition]] = {
    "isNull": _is_null,
    "like": _like,
    "in": _in,
    "between": _between,
    **{relation: _temporal(relation) for relation in _RELATIONS},
}
