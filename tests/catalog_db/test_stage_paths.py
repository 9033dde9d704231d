"""Names that clients of the tape service give to files, on both databases."""

import pytest

from catalog_db import times
from catalog_db.archive import requests, stage_paths
from catalog_db.archive.requests import Wish
from catalog_db.archive.stage_paths import StagePath
from tests.archive_world import ArchiveWorld

pytestmark = pytest.mark.postgresql


@pytest.fixture
def world(tmp_path, database_url):
    return ArchiveWorld(tmp_path, PEPS_CATALOG_URL=database_url)


def test_files_are_found_by_path_and_by_title(world):
    first, second = world.add("P1", b"x"), world.add("P2", b"y")
    path = "S1/2021/08/09/P1.zip"
    many = [f"no/such/{n}" for n in range(1000)]
    with world.engine.connect() as connection:
        found = stage_paths.find_files(connection, [*many, path, "P2", "P1", "p1"])
        nothing = stage_paths.find_files(connection, [])
    assert {name: product.uid for name, product in found.items()} == {
        path: first,
        "P2": second,
        "P1": first,
    }
    assert nothing == {}


def test_what_a_request_named_is_kept_and_goes_with_it(world):
    uid = world.add("P1", b"x")
    named = [StagePath("/b", None, "there is none"), StagePath("/a", uid)]
    wish = Wish("ann", "tape-rest:1", 3600)
    with world.engine.begin() as connection:
        made = requests.open_request(connection, wish, [], times.now()).id
        stage_paths.insert_paths(connection, made, named)
    with world.engine.connect() as connection:
        assert stage_paths.paths_of(connection, made) == sorted(named, key=lambda one: one.path)
    with world.engine.begin() as connection:
        assert requests.forget_request(connection, made, times.now())
        assert stage_paths.paths_of(connection, made) == []
