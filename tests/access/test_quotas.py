"""Quotas of downloads: what is refused, what it says, and that what it says is true."""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from catalog_db import migrations
from catalog_db.access import downloads
from catalog_db.access.downloads import SLOT, Download, Usage, Volume
from catalog_db.archive.staging import ProductFile
from catalog_db.engine import create_engine
from peps_wps.access import ANONYMOUS, Caller
from peps_wps.access.quotas import Limits, check, subject_of
from peps_wps.access.running_downloads import RunningDownloads
from peps_wps.errors import QuotaError
from tests.archive_world import ArchiveWorld
from tests.patience import until

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GB = 10**9


def running(size_bytes: int = GB, sent_bytes: int = 0, age_s: float = 10.0) -> Download:
    return Download(
        id=str(uuid.uuid4()),
        subject="ada",
        user="ada",
        collection="S1",
        platform="S1A",
        size_bytes=size_bytes,
        sent_bytes=sent_bytes,
        started=NOW - timedelta(seconds=age_s),
        lease_until=NOW + timedelta(minutes=1),
    )


def sent(size_bytes: int, hours_left: float) -> Volume:
    return Volume(NOW + timedelta(hours=hours_left), size_bytes)


def refusal(limits: Limits, used: Usage, wanted_bytes: int = GB) -> QuotaError:
    with pytest.raises(QuotaError) as caught:
        check(limits, used, wanted_bytes, NOW)
    return caught.value


def test_without_limits_everything_is_allowed() -> None:
    used = Usage(tuple(running(1000 * GB) for _ in range(1000)), (sent(10**6 * GB, 1.0),))
    check(Limits(), used, 10**6 * GB, NOW)


def test_too_many_at_once_says_how_many_and_when_the_first_will_end() -> None:
    # One has a tenth of its bytes after 10 s, another half of them.
    used = Usage((running(GB, GB // 10), running(GB, GB // 2)), ())
    check(Limits(files=3), used, GB, NOW)
    error = refusal(Limits(files=2), used)

    assert str(error) == (
        "2 of your downloads are running and 2 at once are allowed: one is expected to end in 10 s"
    )
    assert error.headers == {"Retry-After": "10"}


def test_too_much_at_once_says_how_much() -> None:
    used = Usage((running(3 * GB),), ())
    check(Limits(running_bytes=4 * GB), used, GB, NOW)
    error = refusal(Limits(running_bytes=4 * GB), used, GB + 1)

    assert "your running downloads have 3 GB, this one 1 GB, and 4 GB at once" in str(error)
    assert error.retry_after_s == 30.0  # nothing was sent yet: nobody knows


def test_the_volume_of_a_day_says_when_enough_of_it_is_over() -> None:
    used = Usage((), (sent(5 * GB, 1.0), sent(5 * GB, 2.0), sent(5 * GB, 3.0)))
    error = refusal(Limits(day_bytes=16 * GB), used, 4 * GB)
    assert "15 GB in the last 24 hours" in str(error)
    assert "there is room from 2026-11-22T13:00:00Z on" in str(error)
    assert error.headers == {"Retry-After": "3600"}
    assert refusal(Limits(day_bytes=16 * GB), used, 7 * GB).retry_after_s == 7200.0


def test_a_file_above_every_limit_is_had_alone() -> None:
    limits = Limits(files=1, running_bytes=GB, day_bytes=GB)
    check(limits, Usage((), ()), 100 * GB, NOW)
    assert refusal(limits, Usage((), (sent(1, 5.0),)), 100 * GB).retry_after_s == 5 * 3600


VOLUMES = st.lists(
    st.tuples(st.integers(1, 200), st.integers(1, 50 * GB)), max_size=30, unique_by=lambda v: v[0]
).map(lambda found: tuple(Volume(NOW + slot * SLOT, size) for slot, size in sorted(found)))


@settings(deadline=None)
@given(VOLUMES, st.integers(1, 60 * GB), st.integers(1, 100 * GB))
def test_who_comes_back_when_told_is_let_in_and_not_a_slot_before(
    volumes: tuple[Volume, ...], wanted_bytes: int, limit: int
) -> None:
    limits = Limits(day_bytes=limit)
    try:
        check(limits, Usage((), volumes), wanted_bytes, NOW)
    except QuotaError as error:
        then = NOW + timedelta(seconds=error.retry_after_s)
        check(limits, Usage((), tuple(v for v in volumes if v.expires > then)), wanted_bytes, then)
        before = then - timedelta(seconds=1)
        left = tuple(volume for volume in volumes if volume.expires > before)
        with pytest.raises(QuotaError):
            check(limits, Usage((), left), wanted_bytes, before)
    else:
        total = sum(volume.size_bytes for volume in volumes) + wanted_bytes
        assert total <= limit or not volumes


def test_who_gives_no_name_is_counted_by_the_network_of_the_address() -> None:
    def subject(address: str, name: str = ANONYMOUS) -> str:
        request = EnvironBuilder(environ_base={"REMOTE_ADDR": address}).get_request()
        return subject_of(Caller(name), request, 0)

    assert subject("192.0.2.7") == "from 192.0.2.7"
    assert subject("2001:db8:1:2:3::4") == subject("2001:db8:1:2::5") == "from 2001:db8:1:2::/64"
    assert subject("192.0.2.7", "ada") == "ada"
    assert len(subject("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")) <= 64


# ------------------------------------------------------------------------------ in the database


@pytest.fixture
def product(tmp_path: Path) -> Iterator[ProductFile]:
    world = ArchiveWorld(tmp_path / "world")
    uid = world.add("S1A_TEST", b"content", tier="disk")
    yield world.archive.find(uid)
    world.engine.dispose()


@pytest.mark.postgresql
def test_processes_at_once_admit_as_many_as_are_allowed(database_url, product) -> None:
    engines = [create_engine(database_url) for _ in range(4)]
    migrations.upgrade(engines[0])
    sites = [RunningDownloads(engine, Limits(files=5)) for engine in engines]
    admitted, refused = [], []
    start = threading.Barrier(8)

    def ask(number: int) -> None:
        start.wait()
        for _ in range(3):
            try:
                admitted.append(sites[number % 4].admit("ada", "ada", product, GB))
            except QuotaError as error:
                refused.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(admitted), len(refused)) == (5, 19)
    admitted.pop().closed(is_whole=True)
    for site in sites:
        site.flush()
    sites[0].admit("ada", "ada", product, GB)
    for engine in engines:
        engine.dispose()


def test_a_download_lives_while_it_is_held_and_ends_by_itself_when_forgotten(
    database_url: str, product: ProductFile
) -> None:
    engine = create_engine(database_url)
    migrations.upgrade(engine)
    site = RunningDownloads(engine, Limits(), lease_s=0.6, heartbeat_s=0.05)
    held = site.admit("ada", "ada", product, GB)
    forgotten = site.admit("ada", "ada", product, GB)
    held.sent(500)
    del forgotten

    def running() -> list[tuple[str, int]]:
        with engine.begin() as connection:
            used = downloads.usage(connection, "ada", datetime.now(UTC))
        return [(one.id, one.sent_bytes) for one in used.running]

    until(lambda: running() == [(held.key, 500)])
    held.closed(is_whole=False)
    site.flush()
    with engine.begin() as connection:
        assert downloads.usage(connection, "ada", datetime.now(UTC)).running == ()
    engine.dispose()
