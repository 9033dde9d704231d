"""The listing of a large hub: 3000 products in the suite, 100,000 with PEPS_DRILLS=1."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from catalog_db.tables import mirror_product
from peps_wps.mirror.errors import HubAnswerError, HubUnavailableError
from tests.mirror.large_hub import LargeHub, hub_id
from tests.mirror.mirror_house import MirrorHouse

IS_DRILL = os.environ.get("PEPS_DRILLS") == "1"
PRODUCTS = 100_000 if IS_DRILL else 3000
# Requests from one that fails to the next: a pass over what changed takes up to thirty.
FAULTY_EVERY = 61 if IS_DRILL else 23
DAYS = 150.0
# What a page of 1000 entries and its rows take, with room.
MOST_GROWTH_BYTES = 48e6


@pytest.fixture
def hub() -> Iterator[LargeHub]:
    hub = LargeHub(PRODUCTS, DAYS, faulty_every=FAULTY_EVERY)
    hub.begin()
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def house(tmp_path: Path, hub: LargeHub, database_url: str) -> Iterator[MirrorHouse]:
    house = MirrorHouse(tmp_path, hub, database_url)
    house.since = hub.now - timedelta(days=DAYS + 1)
    house.write_sources()
    yield house
    house.services.engine.dispose()


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def listed(house: MirrorHouse) -> tuple[int, int]:
    """List all as a process that is told to try again: times it was broken off, greatest memory."""
    broken, most = 0, 0
    lister = house.mirror().lister
    while broken < 20:
        try:
            lister.run()
        except (HubUnavailableError, HubAnswerError):
            broken += 1
        else:
            return broken, max(most, resident_bytes())
        most = max(most, resident_bytes())
    raise AssertionError("broken off 20 times")


def rows(house: MirrorHouse) -> dict[str, str]:
    columns = mirror_product.c
    with house.services.engine.connect() as connection:
        return dict(map(tuple, connection.execute(select(columns.hub_id, columns.state))))


@pytest.mark.drill
def test_a_large_hub_is_listed_once_and_followed_by_slices(house: MirrorHouse, hub: LargeHub):
    before = resident_bytes()
    broken, most = listed(house)

    assert rows(house) == dict.fromkeys(map(hub_id, range(PRODUCTS)), "waiting")
    assert broken >= 1
    # What was known when it was broken off was not read from the first day again.
    assert hub.served < 2.5 * PRODUCTS
    assert most - before < MOST_GROWTH_BYTES

    # Meanwhile: new ones, late ones that carry yesterday's date, and some that are deleted.
    new = range(PRODUCTS, PRODUCTS + PRODUCTS // 100)
    for number in new:
        hub.add(number, hub.now - timedelta(hours=number % 40))
    gone = range(0, PRODUCTS, 100)
    for number in gone:
        hub.change("DeletionDate", number, hub.now + timedelta(seconds=1))
    hub.begin()
    listed(house)

    expected = dict.fromkeys(map(hub_id, range(new.stop)), "waiting")
    assert rows(house) == expected | dict.fromkeys(map(hub_id, gone), "gone")
    # The overlap of two days and what is new, not the archive.
    assert hub.served < 0.15 * PRODUCTS
