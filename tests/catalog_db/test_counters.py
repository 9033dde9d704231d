"""What is counted by day, and how things stand, on both databases."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog_db import counters, gauges, times, usage
from catalog_db.access.events import Event, record
from catalog_db.counters import DayCount
from catalog_db.engine import Engine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_amounts_of_a_day_add_up_and_days_stay_apart(engine: Engine):
    with engine.begin() as connection:
        for instant in (NOON, NOON + timedelta(hours=11, minutes=59), NOON + timedelta(hours=12)):
            amounts = {("b", "x"): 2**40, ("a", ""): 1, ("never", ""): 0}
            counters.add(connection, amounts, instant)
        counters.add(connection, {}, NOON)
    today = NOON.date()

    with engine.connect() as connection:
        assert counters.totals(connection) == {("a", ""): 3, ("b", "x"): 3 * 2**40}
        assert counters.by_day(connection, ["a"], NOON) == [
            DayCount(today, "a", "", 2),
            DayCount(today + timedelta(days=1), "a", "", 1),
        ]
        assert counters.by_day(connection, ["b"], NOON + timedelta(days=2)) == []


@given(st.lists(st.floats(0, 1e6), max_size=30))
def test_every_wait_falls_into_the_least_bound_that_holds_it(waited_s: list[float]):
    amounts = counters.waits(waited_s)

    bounds = [float(bound) for bound in counters.WAIT_BOUNDS_S]
    for label, lower, upper in zip(
        [*map(str, counters.WAIT_BOUNDS_S), counters.BEYOND],
        [-1.0, *bounds],
        [*bounds, float("inf")],
        strict=True,
    ):
        expected = sum(lower < seconds <= upper for seconds in waited_s)
        assert amounts.get((counters.STAGE_WAITS, label), 0) == expected
    total_us = amounts.get((counters.STAGE_WAIT_US, ""), 0)
    assert abs(total_us - 1e6 * sum(waited_s)) <= len(waited_s)  # each is rounded once


def test_an_installation_at_rest_has_figures_too(engine: Engine):
    now = times.now()
    with engine.connect() as connection:
        assert gauges.recall_queue(connection) == gauges.RecallQueue({}, None)
        assert gauges.active_recalls(connection) == {}
        assert gauges.active_jobs(connection) == []
        assert gauges.mirrors(connection, now) == []
        assert usage.usage(connection, now) == usage.Usage([], {}, 30, 0)
        assert usage.users(connection, now) == usage.Users(0, 0)


def test_use_is_summed_by_month_year_and_satellite(engine: Engine):
    with engine.begin() as connection:
        for day in (1, 2, 40):
            instant = NOON - timedelta(days=day)
            record(connection, [Event(instant, "download", "u", platform="S1A", size_bytes=10)])
        counters.add(connection, counters.waits([10, 20]), NOON)
    with engine.connect() as connection:
        found = usage.usage(connection, NOON)
        users = usage.users(connection, NOON)

    assert found.recent_bytes == 20
    assert found.distributed == {(2026, "S1A"): 30}
    october, november = found.months
    assert (october.downloads, october.mean_wait_s) == (1, None)
    assert (november.downloads, november.staged, november.mean_wait_s) == (2, 2, 15.0)
    assert users.active == 1
