"""What SQL says differently on SQLite and PostgreSQL, said once."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite


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
    numbers = [int(value) for value in values]
    if connection.dialect.name == "postgresql":
        return column == any_(literal(numbers, ARRAY(BigInteger)))
    return column.in_(select(func.json_each(json.dumps(numbers)).table_valued("value").c.value))


def integer_rows(
    connection: Connection, names: Sequence[str], rows: Iterable[Sequence[int]]
) -> FromClause:
    """Return rows of integers sent as parameters, to be joined with: a column each name."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    if connection.dialect.name == "postgresql":
        arrays = [literal(list(column), ARRAY(BigInteger)) for column in columns]
        return func.unnest(*arrays).table_valued(*names).render_derived()
    # One JSON array a row: its elements are the columns.
    text = json.dumps(list(zip(*columns, strict=True)))
    value = func.json_each(text).table_valued("value").c.value
    extracted = [
        func.json_extract(value, f"$[{place}]").label(name) for place, name in enumerate(names)
    ]
    return select(*extracted).subquery()
