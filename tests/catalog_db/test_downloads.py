"""Downloads in progress and what was sent: the rows that quotas are counted by."""

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from catalog_db import counters, migrations
from catalog_db.access import downloads
from catalog_db.access.downloads import SLOT, WINDOW, Download, Ended, Usage
from catalog_db.engine import Engine
from catalog_db.tables import daily_use, event

NOW = datetime(2026, 11, 22, 12, 3, tzinfo=UTC)
LEASE = timedelta(minutes=1)
GB = 10**9


@pytest.fixture(autouse=True)
def _schema(engine: Engine) -> None:
    migrations.upgrade(engine)


def begin(engine: Engine, subject: str = "ada", *, size_bytes: int = GB) -> Download:
    one = Download(
        id=str(uuid.uuid4()),
        subject=subject,
        user=subject,
        collection="S1",
        platform="S1A",
        size_bytes=size_bytes,
        started=NOW,
        lease_until=NOW + LEASE,
    )
    with engine.begin() as connection:
        downloads.insert(connection, one)
    return one


def end(engine: Engine, one: Download, instant: datetime, sent_bytes: int) -> None:
    status: downloads.Status = "done" if sent_bytes == one.size_bytes else "broken"
    with engine.begin() as connection:
        downloads.end(connection, [Ended(one.id, instant, sent_bytes, status)])


def usage(engine: Engine, now: datetime, subject: str = "ada") -> Usage:
    with engine.begin() as connection:
        return downloads.usage(connection, subject, now)


def rows(engine: Engine, table: Any) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(select(table)).all()


def test_a_download_counts_for_its_subject_alone_until_it_ends(engine: Engine) -> None:
    one = begin(engine)
    begin(engine, "from 192.0.2.7")

    assert usage(engine, NOW) == Usage((one,), ())
    assert [other.subject for other in usage(engine, NOW, "from 192.0.2.7").running] == [
        "from 192.0.2.7"
    ]
    end(engine, one, NOW + timedelta(seconds=8), 250)
    after = usage(engine, NOW + timedelta(seconds=8))

    assert after.running == ()
    assert [volume.size_bytes for volume in after.volumes] == [250]
    with engine.connect() as connection:
        assert downloads.running(connection, NOW) == 1


def test_an_end_leaves_one_event_and_the_sums_of_its_day(engine: Engine) -> None:
    first, second = begin(engine), begin(engine)
    end(engine, first, NOW + timedelta(seconds=8), GB)
    end(engine, first, NOW + timedelta(seconds=9), GB)
    end(engine, second, NOW + timedelta(seconds=16), 400)

    found = [
        (row.kind, row.user, row.collection, row.platform, row.size_bytes, row.status)
        for row in rows(engine, event)
    ]
    assert found == [
        ("download", "ada", "S1", "S1A", GB, "done"),
        ("download", "ada", "S1", "S1A", 400, "broken"),
    ]
    assert [row.duration_s for row in rows(engine, event)] == [8.0, 16.0]
    (day,) = rows(engine, daily_use)
    assert (day.kind, day.user, day.events, day.size_bytes) == ("download", "ada", 2, GB + 400)
    with engine.connect() as connection:
        totals = counters.totals(connection)
    assert totals[counters.DOWNLOADS, "done"] == totals[counters.DOWNLOADS, "broken"] == 1
    assert totals[counters.DOWNLOAD_BYTES, "S1A"] == GB + 400


def test_a_download_without_signs_of_life_ends_by_its_lease(engine: Engine) -> None:
    alive, dead = begin(engine), begin(engine)
    with engine.begin() as connection:
        downloads.renew(connection, {alive.id: 700}, NOW + 2 * LEASE)
        downloads.renew(connection, {dead.id: 300}, NOW + LEASE)
    later = usage(engine, NOW + LEASE)

    assert [(one.id, one.sent_bytes) for one in later.running] == [(alive.id, 700)]
    assert [volume.size_bytes for volume in later.volumes] == [300]
    end(engine, dead, NOW + 2 * LEASE, GB)  # its process was only slow
    (lost,) = rows(engine, event)
    assert (lost.status, lost.size_bytes, lost.duration_s) == ("lost", 300, 60.0)


def test_what_was_sent_counts_for_a_day_and_not_much_longer(engine: Engine) -> None:
    end(engine, begin(engine), NOW, GB)

    (volume,) = usage(engine, NOW + WINDOW).volumes
    assert volume.size_bytes == GB
    assert WINDOW < volume.expires - NOW <= WINDOW + SLOT
    assert usage(engine, volume.expires - timedelta(seconds=1)).volumes == (volume,)
    assert usage(engine, volume.expires).volumes == ()


def test_many_parts_are_summed_in_slots(engine: Engine) -> None:
    for number in range(20):
        end(engine, begin(engine), NOW + number * timedelta(minutes=1), 1000)

    found = usage(engine, NOW + timedelta(hours=1)).volumes
    # 12:03 to 12:22 lie in the slots that begin at 12:00, 12:10 and 12:20.
    assert [volume.size_bytes for volume in found] == [7000, 10000, 3000]


def test_ends_at_once_in_any_order_all_count(engine: Engine) -> None:
    names = ("ada", "grace", "hedy")
    begun = [[begin(engine, name, size_bytes=1) for name in names] for _ in range(12)]

    def finish(number: int) -> None:
        order = begun[number] if number % 2 else begun[number][::-1]
        with engine.begin() as connection:
            downloads.end(connection, [Ended(one.id, NOW, 1, "done") for one in order])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(finish, range(12)))
    for name in names:
        assert [volume.size_bytes for volume in usage(engine, NOW, name).volumes] == [12]
    assert len(rows(engine, event)) == 36
