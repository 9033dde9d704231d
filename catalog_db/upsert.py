"""What SQL says differently on SQLite and PostgreSQL, said once."""

import json
from collections.abc import Iterable

from sqlalchemy import ARRAY, BigInteger, Connection, Select, Table, func, literal, select
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
