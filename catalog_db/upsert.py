"""What SQL says differently on SQLite and PostgreSQL, said once."""

import json
from collections.abc import Iterable

from sqlalchemy import BigInteger, Connection, Select, Table, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def integers(connection: Connection, values: Iterable[int]) -> Select[tuple[int]]:
    """Return ``SELECT value`` over integers sent as one JSON parameter, for ``column.in_(...)``.

    One parameter whatever their number: no limit of variables, one statement text. A temporary
    table instead would make SQLite build a Bloom filter over the whole index it is joined with.
    """
    text = json.dumps([int(value) for value in values])
    if connection.dialect.name == "postgresql":
        elements = func.jsonb_array_elements_text(cast(text, postgresql.JSONB))
        return select(cast(elements.table_valued("value").c.value, BigInteger))
    return select(func.json_each(text).table_valued("value").c.value)
