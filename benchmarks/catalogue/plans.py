"""Whether a search ever reads all products: the plans of every statement that it sends."""

from collections.abc import Iterable

from catalog_db import SearchQuery, search
from catalog_db.engine import Connection
from tests.query_plans import reads_all_of, recorded, steps_of


def whole_reads(connection: Connection, queries: Iterable[SearchQuery]) -> tuple[int, list[str]]:
    """Return how many statements on products were looked at, and those that read all of them.

    A Bloom filter of SQLite counts as that: it is made by reading a whole index.
    """
    with recorded(connection.engine) as statements:
        for query in queries:
            search(connection, query)
    asked = [
        (statement, parameters) for statement, parameters in statements if "FROM item" in statement
    ]
    found = []
    for statement, parameters in asked:
        steps = steps_of(connection, statement, parameters, is_small=False)
        if reads_all_of("item", steps) or any("BLOOM" in step for step in steps):
            found.append("\n".join([statement, *steps]))
    return len(asked), found
