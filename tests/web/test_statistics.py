from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

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


def test_an_empty_archive_has_numbers_too(world: ArchiveWorld):
    client = Client(create_app(world.config, world.engine))

    assert client.get("/stats.json").json["products"] == 0
    assert "0 products, 0.0 TB" in client.get("/").text
