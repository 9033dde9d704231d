"""Many integers sent as one parameter, on both databases."""

import pytest
from sqlalchemy import select

from catalog_db.engine import Engine
from catalog_db.upsert import integer_rows, is_among, row_values

EXTREMES = [-(2**63), -1, 0, 1, 2**31, 2**63 - 1]


@pytest.mark.parametrize("wanted", [[], [0], EXTREMES, [7, -1, 7], list(range(-2000, 0))])
def test_a_column_is_among_the_integers_that_were_sent(engine: Engine, wanted: list[int]):
    with engine.connect() as connection:
        dialect = connection.dialect.name
        table = integer_rows(dialect, ["number"])
        statement = select(table.c.number).where(is_among(connection, table.c.number, wanted))
        sent = row_values(dialect, ["number"], [(one,) for one in EXTREMES])
        found = connection.scalars(statement, sent).all()

    assert sorted(found) == sorted(set(wanted) & set(EXTREMES))


@pytest.mark.parametrize(
    "sent", [[], [(1, -(2**63))], [(number, -number) for number in EXTREMES[1:]]]
)
def test_rows_of_integers_arrive_as_they_were_sent(engine: Engine, sent: list[tuple[int, int]]):
    names = ("first", "second")

    with engine.connect() as connection:
        dialect = connection.dialect.name
        rows = integer_rows(dialect, names)
        statement = select(rows.c.first, rows.c.second)
        found = connection.execute(statement, row_values(dialect, names, sent)).all()

    assert sorted(map(tuple, found)) == sorted(sent)
