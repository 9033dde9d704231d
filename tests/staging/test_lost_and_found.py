"""What is there although it was given up, and what is gone although it was there."""

import pytest

from catalog_db import times
from catalog_db.archive.intervening import retry_recall
from storage.errors import LostFileError
from storage.recall import RecallPolicy
from tests.archive_world import ArchiveWorld


def flip_bit(world: ArchiveWorld, title: str) -> None:
    path = world.tape_file(title)
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def test_a_failed_recall_tried_again_by_hand_is_served_by_what_another_brought(
    world: ArchiveWorld,
) -> None:
    uid = world.add("P1", b"bytes")
    first = world.archive.request([uid], user="u", purpose="p")
    flip_bit(world, "P1")
    world.service(RecallPolicy(max_attempts=1)).run_once()
    flip_bit(world, "P1")
    world.archive.request([uid], user="v", purpose="p")
    assert world.service().run_once() == 1
    assert world.archive.status(first).failed

    with world.engine.begin() as connection:
        retry_recall(connection, world.recalls()[0].id, times.now())
    world.service().run_once()
    assert world.archive.status(first).ready


@pytest.mark.parametrize("seen_by", ["a reader", "the service"])
def test_the_only_copy_is_there_again_with_the_disk_of_the_pool(
    world: ArchiveWorld, seen_by: str
) -> None:
    uid = world.add("P1", b"bytes", tier="disk")
    request = world.archive.request([uid], user="u", purpose="p")
    pool = world.config.storage.path
    away = pool.with_name("away")
    pool.rename(away)
    pool.mkdir()
    if seen_by == "a reader":
        with pytest.raises(LostFileError):
            world.archive.path(uid)
    else:
        world.start_engine()
    assert world.archive.status(request).failed == str(LostFileError("P1"))
    pool.rmdir()
    away.rename(pool)
    world.start_engine()
    assert world.archive.path(uid).read_bytes() == b"bytes"
    assert world.archive.status(request).ready
    assert world.recalls() == []
