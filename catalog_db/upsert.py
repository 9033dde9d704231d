"""What SQL says differently on SQLite and PostgreSQL, said once."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    FromClause,
    Select,
    Table,
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


def integers(connection: Connection, values: Iterable[int]) -> Select[tuple[int]]:
    """Return ``SELECT value`` over integers sent as one parameter, for ``column.in_(...)``.

    One parameter whatever their number, an array or its JSON: no limit of variables, one statement
    text. A temporary table instead would make SQLite build a Bloom filter over the whole index it
    is joined with.
    """
    numbers = [int(value) for value in values]
    if connection.dialect.name == "postgresql":
        return select(func.unnest(literal(numbers, ARRAY(BigInteger))).column_valued("value"))
    return select(func.json_each(json.dumps(numbers)).table_valued("value").c.value)


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
