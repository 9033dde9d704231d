"""What is there although it was given up, and what is gone although it was there."""

import os
from pathlib import Path

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


@pytest.mark.one_database
def test_a_note_of_a_drive_that_a_power_cut_tore_stops_no_recall(world: ArchiveWorld) -> None:
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    note = world.config.tape.path / "drives" / "drive-1.json"
    note.parent.mkdir(exist_ok=True)
    note.write_bytes(b"")
    assert world.service().run_once() == 1
    assert world.archive.status(request).ready


@pytest.mark.one_database
def test_files_that_go_while_the_pool_is_swept_do_not_stop_the_sweep(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.add("P1", b"bytes")
    forgotten, going = world.pool_file("P1"), world.pool_file("P0")
    forgotten.parent.mkdir(parents=True)
    for path in (forgotten, going):
        path.write_bytes(b"bytes")
        world.make_old(path)
    stat = Path.stat

    def go_at_first_look(path: Path, **options: bool) -> os.stat_result:
        if path == going:
            going.unlink(missing_ok=True)
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", go_at_first_look)
    world.start_engine()
    assert not forgotten.exists()
    assert world.archive.mode([uid]) == {uid: "tape"}
