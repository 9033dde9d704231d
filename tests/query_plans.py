"""How a database means to execute the statements of a block."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from catalog_db.engine import Connection, Engine

_BEGINS = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}


@contextmanager
def recorded(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Give the statements, with their parameters, that are sent within the block."""
    statements: list[tuple[str, Any]] = []

    def record(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", record)


def steps_of(
    connection: Connection, statement: str, parameters: Any, *, is_small: bool = True
) -> list[str]:
    """Return the steps of a plan.

    Small tables are read whole on PostgreSQL whatever their indexes, so it is told to do that only
    where no index serves: `Seq Scan` then says what would be read whole of large ones too. Of a
    large database, the plan is the one that is carried out.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql" and is_small:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    rows = connection.exec_driver_sql(_BEGINS[dialect] + statement, parameters)
    return [str(row[-1]).strip() for row in rows]


def reads_all_of(table: str, steps: list[str]) -> bool:
    """Tell whether a plan reads a whole table, or a whole index of it."""
    whole = f"SCAN {table}", f"Seq Scan on {table}", f"->  Seq Scan on {table}"
    if any(step.startswith(whole) for step in steps):
        return True
    # On PostgreSQL an index that is not sought in is read from end to end.
    by_index = re.compile(rf"Index (Only )?Scan .*(\bon {table}\b|_{table}(_|\b))")
    return any(
        by_index.search(step) and not following.startswith("Index Cond")
        for step, following in zip(steps, [*steps[1:], ""], strict=True)
    )
