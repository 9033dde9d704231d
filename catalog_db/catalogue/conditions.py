"""Free conditions on a product: any combination of comparisons, for what has no field of its own.

A product whose value is missing meets neither a comparison nor its negation (SQL and CQL2 agree).
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Float,
    and_,
    case,
    cast,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql

from catalog_db.errors import QueryError
from catalog_db.tables import item, kind, updated_us

Operator = Literal["=", "<>", "<", "<=", ">", ">="]
Value = str | int | float

# A tree beyond this would cost more than the search that it is part of.
MOST_NODES = 100
# Each wildcard in the middle multiplies what a match may cost.
MOST_WILDCARDS = 4
# SQLite takes no pattern of 50 kB; no text of a product has more characters than this.
LONGEST_PATTERN = 1000
_ITEM = {**dict(item.c.items()), "updated_us": updated_us}
_COLUMNS = frozenset([*_ITEM, *kind.c.keys()]) - {
    "cell",
    "footprint",
    "id",
    "kind",
    "pk",
    "properties",
    "revised_us",
    "revision",
}
# Of what products only show: a member of their properties, by its name after the point.
_SHOWN = re.compile(r"properties\.([A-Za-z][A-Za-z0-9]{0,39})")


@dataclass(frozen=True)
class Comparison:
    """A column compared with a value."""

    column: str
    operator: Operator
    value: Value


@dataclass(frozen=True)
class Among:
    """A column that has one of several values; none of them is met by nothing."""

    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Missing:
    """A column without a value."""

    column: str


@dataclass(frozen=True)
class Matches:
    """A text that matches: ``%`` is any text, ``_`` any character, after a backslash themselves."""

    column: str
    pattern: str


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    part: "Condition"


@dataclass(frozen=True)
class Both:
    """All of several conditions."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Either:
    """At least one of several conditions."""

    parts: tuple["Condition", ...]


Leaf = Comparison | Among | Missing | Matches
Condition = Leaf | Not | Both | Either


def check(condition: Condition) -> None:
    """Refuse a condition that no search can mean.

    Raises
    ------
    QueryError
        When it names no column of a product, or holds more than MOST_NODES conditions, or more
        than MOST_WILDCARDS wildcards or LONGEST_PATTERN characters in a pattern.
    """
    remaining, number = [condition], 0
    while remaining:
        node = remaining.pop()
        number += 1
        if isinstance(node, Both | Either):
            remaining += node.parts
        elif isinstance(node, Not):
            remaining.append(node.part)
        elif node.column not in _COLUMNS and _SHOWN.fullmatch(node.column) is None:
            raise QueryError(f"products have no column {node.column} to search")
        elif isinstance(node, Matches):
            _check_pattern(node.pattern)
        elif isinstance(node, Among):
            number += len(node.values)
        if number > MOST_NODES:
            raise QueryError(f"a filter holds more than {MOST_NODES} conditions")


def _check_pattern(pattern: str) -> None:
    if pattern.count("%") > MOST_WILDCARDS:
        raise QueryError(f"a pattern holds more than {MOST_WILDCARDS} wildcards")
    if len(pattern) > LONGEST_PATTERN:
        raise QueryError(
            f"a pattern has {len(pattern)} characters, at most {LONGEST_PATTERN} expected"
        )


def clause(condition: Condition, dialect: str, *, negated: bool = False) -> ColumnElement[bool]:
    """Return a condition, or its opposite, as SQL of a dialect, ``sqlite`` or ``postgresql``.

    Negations go down to the single comparisons: what is missing then meets neither of the two,
    also where it is a text of the kind of product, which is looked up apart.
    """
    match condition:
        case Both(parts) | Either(parts):
            sides = [clause(part, dialect, negated=negated) for part in parts]
            is_both = isinstance(condition, Both) != negated
            return and_(true(), *sides) if is_both else or_(false(), *sides)
        case Not(part):
            return clause(part, dialect, negated=not negated)
        case _:
            return _looked_up(condition, dialect, negated=negated)


def _looked_up(leaf: Leaf, dialect: str, *, negated: bool) -> ColumnElement[bool]:
    """Return a condition on one column, through the kind of product where the column is of it."""
    is_of_kind = leaf.column in kind.c
    column: ColumnElement[Any]
    if shown := _SHOWN.fullmatch(leaf.column):
        column = _member(leaf, shown[1], dialect)
    else:
        column = kind.c[leaf.column] if is_of_kind else _ITEM[leaf.column]
    met = _leaf(leaf, column, dialect)
    met = not_(met) if negated else met
    return item.c.kind.in_(select(kind.c.id).where(met)) if is_of_kind else met


def _is_number(leaf: Leaf) -> bool:
    """Say whether a condition compares with numbers."""
    match leaf:
        case Comparison():
            return not isinstance(leaf.value, str)
        case Among():
            return not any(isinstance(value, str) for value in leaf.values)
        case _:
            return False


def _member(leaf: Leaf, name: str, dialect: str) -> ColumnElement[Any]:
    """Return a member of the properties, NULL where it is missing or not of the type compared."""
    text: ColumnElement[Any]
    number: ColumnElement[Any]
    if dialect == "postgresql":
        member = cast(item.c.properties, postgresql.JSONB)[name]
        typed, text, number = func.jsonb_typeof(member), member.astext, cast(member.astext, Float)
        types: dict[bool, tuple[str, ...]] = {False: ("string",), True: ("number",)}
    else:
        place = f'$."{name}"'
        typed = func.json_type(item.c.properties, place)
        text = number = func.json_extract(item.c.properties, place)
        types = {False: ("text",), True: ("integer", "real")}
    if isinstance(leaf, Missing):
        return func.nullif(typed, "null")
    is_number = _is_number(leaf)
    return case((typed.in_(types[is_number]), number if is_number else text))


def _leaf(leaf: Leaf, column: ColumnElement[Any], dialect: str) -> ColumnElement[bool]:
    """Return a condition on one column as SQL."""
    match leaf:
        case Missing():
            return column.is_(None)
        case Among():
            return column.in_(leaf.values)
        case Matches():
            return _matches(column, leaf.pattern, dialect)
        case Comparison():
            return _compared(column, leaf.operator, leaf.value)


def _compared(column: ColumnElement[Any], operator: Operator, value: Value) -> ColumnElement[bool]:
    compared: dict[str, ColumnElement[bool]] = {
        "=": column == value,
        "<>": column != value,
        "<": column < value,
        "<=": column <= value,
        ">": column > value,
        ">=": column >= value,
    }
    return compared[operator]


def _matches(column: ColumnElement[Any], pattern: str, dialect: str) -> ColumnElement[bool]:
    """Match with case, which LIKE of SQLite does not mind and its GLOB does."""
    if dialect == "postgresql":
        return column.like(pattern, escape="\\")
    glob = "".join(_glob(token) for token in tokens(pattern))
    return func.glob(glob, column) == 1


def tokens(pattern: str) -> list[str]:
    """Return a pattern as wildcards, ``%`` and ``_``, and characters with a backslash before."""
    found, escaped = [], False
    for character in pattern:
        if escaped or character not in "%_\\":
            found.append("\\" + character)
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            found.append(character)
    return found


def _glob(token: str) -> str:
    """Return a token of a pattern as GLOB writes it."""
    if not token.startswith("\\"):
        return {"%": "*", "_": "?"}[token]
    return f"[{token[1]}]" if token[1] in "*?[" else token[1]
