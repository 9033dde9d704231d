"""What SQL says differently on SQLite and PostgreSQL, said once."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine, UserDefinedType


class _IntegerArray(UserDefinedType[str]):
    """An array of PostgreSQL, sent as its text: the driver writes a list number by number.

    That took a fifth of what a search costs the client.
    """

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "BIGINT[]"


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def is_among(
    connection: Connection, column: ColumnElement[int], values: Iterable[int]
) -> ColumnElement[bool]:
    """Return the condition that a column is one of many integers, sent as one parameter.

    One parameter whatever their number: no limit of variables, one statement text. A temporary
    table instead would make SQLite build a Bloom filter over the whole index it is joined with, and
    PostgreSQL, not knowing how many there are, pass over the index of the column.
    """
    dialect = connection.dialect.name
    return _among(dialect, column, literal(numbers(dialect, values), _numbers_type(dialect)))


def among(dialect: str, column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Return the condition of `is_among` for a statement that is built once.

    Its parameter has this name; `numbers` gives the value.
    """
    return _among(dialect, column, bindparam(name, type_=_numbers_type(dialect)))


def numbers(dialect: str, values: Iterable[int]) -> str:
    """Return many integers as the value of one parameter."""
    listed = json.dumps([int(value) for value in values])
    return f"{{{listed[1:-1]}}}" if dialect == "postgresql" else listed


def integer_rows(dialect: str, names: Sequence[str]) -> FromClause:
    """Return rows of integers sent as parameters, to be joined with: a column each name.

    For a statement that is built once; `row_values` gives the values of its parameters.
    """
    if dialect == "postgresql":
        arrays = [bindparam(f"all_{name}", type_=_IntegerArray()) for name in names]
        return func.unnest(*arrays).table_valued(*names).render_derived()
    value = func.json_each(bindparam("all_rows", type_=Text)).table_valued("value").c.value
    extracted = [
        func.json_extract(value, f"$[{place}]").label(name) for place, name in enumerate(names)
    ]
    return select(*extracted).subquery()


def row_values(dialect: str, names: Sequence[str], rows: Sequence[Sequence[int]]) -> dict[str, str]:
    """Return the values of the parameters of `integer_rows`."""
    if dialect == "postgresql":
        columns = zip(*rows, strict=True) if rows else ([] for _ in names)
        return {
            f"all_{name}": numbers(dialect, column)
            for name, column in zip(names, columns, strict=True)
        }
    # One JSON array a row: its elements are the columns.
    return {"all_rows": json.dumps(rows)}


def _among(
    dialect: str, column: ColumnElement[int], values: ColumnElement[Any]
) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(values)
    return column.in_(select(func.json_each(values).table_valued("value").c.value))


def _numbers_type(dialect: str) -> TypeEngine[Any]:
    return _IntegerArray() if dialect == "postgresql" else Text()


def begins_with(
    connection: Connection, column: ColumnElement[str], prefix: str
) -> ColumnElement[bool]:
    """Return the condition that a text begins so, byte by byte; `prefix` is not empty.

    SQLite finds a range in an index, and no LIKE. PostgreSQL may sort texts by the rules of a
    language, in which a range holds something else.
    """
    if connection.dialect.name == "postgresql":
        return column.startswith(prefix, autoescape=True)
    after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return and_(column >= prefix, column < after)
