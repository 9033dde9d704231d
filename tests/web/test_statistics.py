from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client

from catalog_db import counters, times
from catalog_db.access import events, users
from catalog_db.access.events import Event
from peps_wps.app import create_app
from tests.archive_world import ArchiveWorld
from tests.web.catalogue_world import fill


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path)
    yield world
    world.engine.dispose()


def test_the_numbers_are_those_of_the_products(world: ArchiveWorld):
    stored = fill(world)
    answer = Client(create_app(world.config, world.engine)).get("/stats.json")

    assert answer.status_code == 200
    numbers = answer.json
    size = sum(product.size_bytes for product in stored)
    assert (numbers["products"], numbers["bytes"]) == (60, size)
    assert numbers["terabytes"] == round(size / 1e12, 3)
    assert {name: one["products"] for name, one in numbers["missions"].items()} == {
        "S1": 40,
        "S2": 20,
    }
    assert sum(one["products"] for one in numbers["months"]) == 60
    assert {one["month"] for one in numbers["months"]} == {"2021-08"}


def test_use_is_told_by_month_and_year_and_of_nobody(world: ArchiveWorld):
    now = times.now()
    year = now - timedelta(days=370)
    with world.engine.begin() as connection:
        for name in ("anna", "ben", "gone"):
            users.add(connection, users.User(name, now))
        users.set_disabled(connection, "gone", is_disabled=True)
        events.record(
            connection,
            [
                *[Event(now, "download", "anna", platform="S1A", size_bytes=10**12)] * 3,
                Event(now, "download", "anonymous", platform="S2B", size_bytes=10**12),
                Event(year, "download", "ben", platform="S1A", size_bytes=2 * 10**12),
                Event(
                    now - timedelta(days=1), "download", "anna", platform="S1A", size_bytes=10**12
                ),
            ],
        )
        counters.add(connection, counters.waits([60.0, 120.0]), year)
        counters.add(connection, {(counters.JOBS_ENDED["failed"], "S1_ORTHO"): 4}, year)
    answer = Client(create_app(world.config, world.engine)).get("/stats.json")

    used = answer.json["use"]
    assert used["users"] == {"registered": 2, "active": 1, "days": 30}
    # What was sent on whole days: one terabyte in thirty of them.
    assert used["bandwidth"]["downGbps"] == round(8e12 / 30 / 86400 / 1e9, 3)
    sums = {}
    for one in used["distributed"]:
        sums[one["platform"]] = sums.get(one["platform"], 0) + one["terabytes"]
    assert sums == {"S1A": 6.0, "S2B": 1.0}
    first = used["months"][0]
    assert first["month"] == f"{year:%Y-%m}"
    assert (first["staged"], first["meanAnswerSeconds"]) == (2, 90.0)
    assert (first["downloads"], first["terabytes"], first["jobs"]) == (1, 2.0, 4)
    assert "anna" not in answer.text


def test_an_empty_archive_has_numbers_too(world: ArchiveWorld):
    client = Client(create_app(world.config, world.engine))

    assert client.get("/stats.json").json["products"] == 0
    assert "0 products, 0.00 GB; 0.00 GB a day" in client.get("/").text
