"""What other archives announce becomes rows that nothing is fetched by twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog_db.engine import Engine
from catalog_db.mirroring import (
    mirror_announcing,
    mirror_days,
    mirror_marks,
    mirror_queue,
    mirror_report,
)
from catalog_db.mirroring.mirror_announcing import NO_CHECKSUM
from catalog_db.mirroring.mirror_rows import Announcement, Deletion, MirrorProduct, Selection, known
from tests import query_plans

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
S1 = Selection("hub", "s1", 5)


def announced(number: int, **changes: object) -> Announcement:
    published = NOW - timedelta(hours=number)
    first = Announcement(
        f"id-{number}", "SENTINEL-1", f"P{number}", 10, "0" * 32, published, published
    )
    return replace(first, **changes)  # type: ignore[arg-type]


def observe(engine: Engine, *products: Announcement, selection: Selection = S1) -> int:
    with engine.begin() as connection:
        return mirror_announcing.observe(connection, selection, products)


def row(engine: Engine, number: int) -> MirrorProduct:
    with engine.connect() as connection:
        return known(connection, "hub", [f"id-{number}"])[f"id-{number}"]


def claim(engine: Engine, *, oldest: bool = False, room: int = 1000) -> MirrorProduct | None:
    with engine.begin() as connection:
        return mirror_queue.claim(connection, "hub", oldest=oldest, room_bytes=room, now=NOW)


def gone(engine: Engine, number: int, cause: str = "Obsolete product") -> int:
    deletion = Deletion(f"id-{number}", NOW, cause, cause.startswith("Corrupt"))
    with engine.begin() as connection:
        return mirror_announcing.mark_gone(connection, "hub", [deletion])


def test_seen_again_changes_nothing(engine: Engine) -> None:
    assert observe(engine, announced(1), announced(2), announced(1)) == 2
    assert observe(engine, announced(1)) == 0
    claimed = claim(engine)
    assert claimed is not None
    assert observe(engine, announced(1)) == 0
    assert row(engine, 1) == claimed


def test_another_content_is_fetched_again_an_older_one_is_not(engine: Engine) -> None:
    observe(engine, announced(1))
    later = announced(1, checksum="1" * 32, modified=NOW)
    assert observe(engine, later) == 1
    assert row(engine, 1).announced == NOW
    assert observe(engine, announced(1, checksum="2" * 32)) == 0
    assert row(engine, 1).checksum == "1" * 32


def test_a_content_that_changes_while_it_is_fetched_is_not_completed(engine: Engine) -> None:
    observe(engine, announced(1))
    claimed = claim(engine)
    assert claimed is not None
    observe(engine, announced(1, checksum="1" * 32, modified=NOW))
    with engine.begin() as connection:
        assert not mirror_queue.settle(connection, claimed, "done")
    assert row(engine, 1).state == "waiting"


def test_a_first_checksum_is_part_of_the_publication(engine: Engine) -> None:
    observe(engine, announced(3, checksum=None))
    assert (row(engine, 3).state, row(engine, 3).error) == ("failed", NO_CHECKSUM)
    with engine.begin() as connection:
        assert mirror_queue.reopen_failed(connection, "hub") == 0
    observe(engine, announced(3, modified=NOW))
    assert (row(engine, 3).state, row(engine, 3).announced) == ("waiting", announced(3).published)


def test_a_product_is_claimed_once_and_its_twin_waits(engine: Engine) -> None:
    observe(engine, announced(1), announced(2, name="P1"))
    first = claim(engine)
    assert first is not None
    assert claim(engine) is None
    with engine.begin() as connection:
        mirror_queue.put_off(connection, first, NOW + timedelta(seconds=1), error="later")
    second = claim(engine)
    assert second is not None
    assert second.id != first.id


def test_the_order_of_claims(engine: Engine) -> None:
    observe(engine, announced(1), announced(9), announced(3), selection=Selection("hub", "s2", 0))
    observe(engine, announced(5), announced(7))
    numbers = [claim(engine, oldest=oldest) for oldest in (True, False, False, False, False)]
    assert [one and one.hub_id for one in numbers] == ["id-9", "id-5", "id-7", "id-1", "id-3"]


def test_nothing_is_claimed_beyond_the_room(engine: Engine) -> None:
    observe(engine, announced(1), announced(2, size_bytes=5))
    claimed = claim(engine, room=9)
    assert claimed is not None
    assert claimed.hub_id == "id-2"
    assert claim(engine, room=9) is None


def test_a_deletion_ends_what_waits_and_a_modification_revives_it(engine: Engine) -> None:
    observe(engine, announced(1))
    assert gone(engine, 1) == 0
    assert row(engine, 1).error == "Obsolete product"
    assert observe(engine, announced(1)) == 0
    assert claim(engine) is None
    assert observe(engine, announced(1, modified=NOW + timedelta(hours=1))) == 1
    assert gone(engine, 1) == 0  # read again, it is older than the revival
    assert row(engine, 1).state == "waiting"


def test_what_was_fetched_by_a_killed_run_waits_with_its_attempts(engine: Engine) -> None:
    observe(engine, announced(1))
    claim(engine)
    with engine.begin() as connection:
        assert mirror_queue.reopen_interrupted(connection, "hub") == 1
    assert (row(engine, 1).state, row(engine, 1).attempts) == ("waiting", 0)


def test_a_mark_never_goes_back(engine: Engine) -> None:
    for hours in (0, 2, 1):
        with engine.begin() as connection:
            mirror_marks.advance(connection, S1, "published", NOW + timedelta(hours=hours))
    with engine.connect() as connection:
        mark = mirror_marks.mark_of(connection, S1, "published")
        assert mark == NOW + timedelta(hours=2)
        assert mirror_marks.mark_of(connection, S1, "deleted") is None


def test_sums_of_a_day_add_up(engine: Engine) -> None:
    for size in (3, 4):
        with engine.begin() as connection:
            mirror_days.count(connection, "hub", "S", NOW, products=1, traffic_bytes=size)
    with engine.connect() as connection:
        assert mirror_days.traffic_of_day(connection, "hub", NOW) == 7
        assert mirror_days.traffic_of_day(connection, "hub", NOW + timedelta(days=1)) == 0
        (day,) = mirror_days.days(connection, "hub", NOW)
    assert (day.products, day.traffic_bytes, day.day.hour) == (2, 7, 0)


@pytest.mark.parametrize("oldest", [False, True])
def test_a_claim_reads_no_table_whole(engine: Engine, oldest: bool) -> None:
    observe(engine, *(announced(number) for number in range(50)))
    with query_plans.recorded(engine) as statements:
        claim(engine, oldest=oldest)
    with engine.begin() as connection:
        for statement, parameters in statements:
            if not statement.startswith(("SELECT", "UPDATE")):
                continue
            steps = query_plans.steps_of(connection, statement, parameters)
            assert not [step for step in steps if "Seq Scan" in step or "SCAN" in step], steps


def test_the_backlog_is_counted(engine: Engine) -> None:
    observe(engine, announced(1), announced(5), announced(3, checksum=None))
    with engine.connect() as connection:
        found = mirror_report.backlog(connection, "hub")
        states = mirror_report.states(connection, "hub")
    assert (found.products, found.size_bytes) == (3, 30)
    assert found.oldest == announced(5).published
    assert states == {"failed": 1, "waiting": 2}
