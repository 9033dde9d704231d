"""The archive as jobs and downloads use it."""

import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from catalog_db import times
from catalog_db.catalogue import products
from catalog_db.errors import UnknownProductError
from storage.errors import (
    ArchiveConflictError,
    LostFileError,
    PoolTooSmallError,
    ProductOnTapeError,
    ProductWithdrawnError,
    UnknownRequestError,
)
from storage.recall import RecallPolicy
from tests.archive_world import HASTY
from tests.query_plans import reads_all_of, recorded, steps_of


def test_a_product_on_tape_is_recalled_with_its_bytes_unchanged(world, rng):
    content = rng.bytes(9_000_001)
    uid = world.add("P1", content)
    assert world.archive.mode([uid]) == {uid: "tape"}
    request = world.archive.request([uid], user="u", purpose="job:1:0")
    assert world.archive.mode([uid]) == {uid: "staging"}
    assert not world.archive.status(request).ready

    assert world.service().run_once() == 1

    assert world.archive.mode([uid]) == {uid: "disk"}
    assert world.archive.status(request).ready
    assert world.archive.path(uid).read_bytes() == content


def test_a_product_on_disk_is_ready_at_once(world):
    uid = world.add("P1", b"bytes", tier="disk")
    request = world.archive.request([uid], user="u", purpose="p")
    assert world.archive.status(request).ready
    assert world.recalls() == []


def test_a_folder_becomes_a_stored_zip_with_the_folder_as_first_entry(world, tmp_path):
    folder = tmp_path / "P1.SAFE"
    (folder / "measurement").mkdir(parents=True)
    (folder / "manifest.safe").write_text("<xml/>")
    (folder / "measurement" / "a.tiff").write_bytes(b"II*\0" * 1000)
    uid = world.add_path(folder, "P1", tier="tape")
    world.archive.request([uid], user="u", purpose="p")
    world.service().run_once()

    with zipfile.ZipFile(world.archive.path(uid)) as archive:
        assert archive.namelist()[0] == "P1.SAFE/"
        assert archive.read("P1.SAFE/measurement/a.tiff") == b"II*\0" * 1000
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_many_requests_for_a_file_cost_one_recall_and_all_become_ready(world):
    uid = world.add("P1", b"bytes")
    requests = [world.archive.request([uid], user=f"u{n}", purpose="p") for n in range(5)]
    assert len(set(requests)) == 5
    world.service().run_once()
    assert [row.state for row in world.recalls()] == ["done"]
    assert all(world.archive.status(request).ready for request in requests)


def test_the_same_purpose_gives_the_same_request_until_it_is_released(world):
    uid = world.add("P1", b"bytes")
    first = world.archive.request([uid], user="u", purpose="job:1:0")
    assert world.archive.request([uid], user="u", purpose="job:1:0") == first
    world.archive.release(first)
    assert world.archive.request([uid], user="u", purpose="job:1:0") != first


def test_a_recall_is_cancelled_only_when_nobody_waits_for_it_any_more(world):
    uid = world.add("P1", b"bytes")
    first = world.archive.request([uid], user="a", purpose="p")
    second = world.archive.request([uid], user="b", purpose="p")
    world.archive.release(first)
    assert [row.state for row in world.recalls()] == ["queued"]
    world.archive.release(second)
    assert [row.state for row in world.recalls()] == ["cancelled"]
    assert world.service().run_once() == 0
    world.archive.release(second)  # once more changes nothing
    world.archive.release("no-such-request")


def test_a_product_withdrawn_while_waiting_fails_its_requests_with_that_sentence(world):
    gone, kept = world.add("GONE", b"1"), world.add("KEPT", b"2")
    both = world.archive.request([gone, kept], user="u", purpose="both")
    other = world.archive.request([kept], user="u", purpose="kept")
    with world.engine.begin() as connection:
        products.withdraw(connection, gone)

    assert world.archive.status(both).failed == "the product GONE has been withdrawn"
    assert world.service().run_once() == 1
    assert [row.state for row in world.recalls()] == ["failed", "done"]
    assert world.archive.status(other).ready
    with pytest.raises(ProductWithdrawnError):
        world.archive.request([gone], user="u", purpose="again")
    with pytest.raises(ProductWithdrawnError):
        world.archive.path(gone)


def test_unknown_products_and_requests_are_named(world):
    with pytest.raises(UnknownProductError, match="nobody"):
        world.archive.request(["nobody"], user="u", purpose="p")
    with pytest.raises(UnknownRequestError, match="nothing"):
        world.archive.status("nothing")


def test_a_refused_request_leaves_no_recall_behind(world):
    uid = world.add("P1", b"bytes")
    with pytest.raises(UnknownProductError):
        world.archive.request([uid, "nobody"], user="u", purpose="p")
    assert world.recalls() == []


def test_a_product_that_is_not_recalled_has_no_path(world):
    uid = world.add("P1", b"bytes")
    with pytest.raises(ProductOnTapeError, match="P1 is on tape"):
        world.archive.path(uid)


def test_a_pinned_file_lost_from_the_pool_is_recalled_again_by_itself(world):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    world.service().run_once()
    world.pool_file("P1").unlink()

    with pytest.raises(ProductOnTapeError):
        world.archive.path(uid)
    assert not world.archive.status(request).ready
    assert world.service().run_once() == 1
    assert world.archive.status(request).ready
    assert world.archive.path(uid).read_bytes() == b"bytes"


def test_a_disk_product_lost_from_the_pool_is_reported_as_lost(world):
    uid = world.add("P1", b"bytes", tier="disk")
    world.pool_file("P1").unlink()
    with pytest.raises(LostFileError, match="P1 is lost"):
        world.archive.path(uid)
    with pytest.raises(LostFileError, match="P1 is lost"):
        world.archive.request([uid], user="u", purpose="p")


@pytest.mark.parametrize("tier", ["tape", "disk"])
def test_archiving_the_same_content_again_keeps_one_copy(world, tier):
    first = world.add("P1", b"bytes", tier=tier)
    assert world.add("P1", b"bytes", tier=tier) == first
    copies = [*world.config.tape.path.glob("*/*P1*"), *world.config.storage.path.rglob("P1*")]
    assert len(copies) == 1


@pytest.mark.parametrize("tier", ["tape", "disk"])
def test_another_content_under_a_known_path_is_refused(world, tier):
    world.add("P1", b"bytes", tier=tier)
    with pytest.raises(ArchiveConflictError, match="P1"):
        world.add("P1", b"other", tier=tier)


@pytest.fixture
def small(open_world):
    """An archive whose pool has room for three products of a megabyte."""
    return open_world(PEPS_STORAGE_BUDGET_GB="0.003")


def recall_all(world):
    while world.service().run_once():
        pass


def test_pinned_products_are_never_evicted_and_recalls_wait_for_room(small, rng):
    uids = [small.add(f"P{n}", rng.bytes(1_000_000)) for n in range(5)]
    first = small.archive.request(uids[:3], user="u", purpose="first")
    recall_all(small)
    second = small.archive.request(uids[3:], user="u", purpose="second")
    recall_all(small)
    assert small.archive.status(first).ready
    assert not small.archive.status(second).ready

    small.archive.release(first)
    recall_all(small)
    assert small.archive.status(second).ready
    assert list(small.archive.mode(uids).values()).count("disk") == 3
    assert len(list(small.config.storage.path.rglob("*.zip"))) == 3


def test_the_product_not_read_for_longest_is_evicted(small, rng):
    uids = [small.add(f"P{n}", rng.bytes(1_000_000)) for n in range(4)]
    for uid in uids:
        request = small.archive.request([uid], user="u", purpose=uid)
        recall_all(small)
        small.archive.release(request)
    modes = small.archive.mode(uids)
    assert [modes[uid] for uid in uids] == ["tape", "disk", "disk", "disk"]


def pass_an_hour(monkeypatch):
    later = times.now() + timedelta(hours=1)
    monkeypatch.setattr(times, "now", lambda: later)


def test_a_pin_that_has_expired_protects_no_more(small, rng, monkeypatch):
    uids = [small.add(f"P{n}", rng.bytes(1_000_000)) for n in range(4)]
    small.archive.request(uids[:3], user="u", purpose="short", pin_lifetime_s=3000)
    recall_all(small)
    request = small.archive.request(uids[3:], user="u", purpose="p")
    recall_all(small)
    assert not small.archive.status(request).ready
    pass_an_hour(monkeypatch)
    recall_all(small)
    assert small.archive.status(request).ready


def test_downloads_take_no_room_that_a_job_waits_for(small, rng, monkeypatch):
    uids = [small.add(f"P{n}", rng.bytes(1_000_000)) for n in range(3)]
    big = small.add("BIG", rng.bytes(2_000_000))
    for uid in uids[:2]:
        small.archive.request([uid], user="u", purpose=f"download:{uid}", pin_lifetime_s=3000)
    recall_all(small)
    job = small.archive.request([big], user="u", purpose="job:1:0")
    small.archive.request(uids[2:], user="u", purpose=f"download:{uids[2]}")
    recall_all(small)
    assert small.archive.mode(uids[2:]) == {uids[2]: "staging"}  # it has room, which the job needs

    pass_an_hour(monkeypatch)
    recall_all(small)
    assert small.archive.status(job).ready
    assert small.archive.mode(uids[2:]) == {uids[2]: "disk"}


def test_a_product_that_exists_on_disk_only_is_never_evicted_and_takes_no_budget(small, rng):
    kept = [small.add(f"D{n}", rng.bytes(1_000_000), tier="disk") for n in range(3)]
    uids = [small.add(f"P{n}", rng.bytes(1_000_000)) for n in range(4)]
    for uid in uids:
        request = small.archive.request([uid], user="u", purpose=uid)
        recall_all(small)
        assert small.archive.status(request).ready
        small.archive.release(request)
    assert set(small.archive.mode(kept).values()) == {"disk"}
    assert list(small.archive.mode(uids).values()).count("disk") == 3


def test_a_product_larger_than_the_pool_is_refused(small, rng):
    uid = small.add("BIG", rng.bytes(3_000_001))
    with pytest.raises(PoolTooSmallError, match="BIG has 3000001 bytes, the disk pool 3000000"):
        small.archive.request([uid], user="u", purpose="p")


def test_a_product_that_needs_no_room_in_the_pool_may_be_larger_than_it(small, rng):
    uid = small.add("BIG", rng.bytes(3_000_001), tier="disk")
    assert small.archive.status(small.archive.request([uid], user="u", purpose="p")).ready


def test_two_orders_larger_than_the_pool_both_end_when_they_let_go(small, rng):
    uids = [small.add(f"P{n}", rng.bytes(1_000_000)) for n in range(8)]
    for turn in range(4):
        requests = [
            small.archive.request([uids[turn + order]], user="u", purpose=f"{order}:{turn}")
            for order in (0, 4)
        ]
        recall_all(small)
        assert all(small.archive.status(request).ready for request in requests)
        for request in requests:
            small.archive.release(request)
    assert [row.state for row in small.recalls()] == ["done"] * 8


def test_the_expected_time_follows_the_queue(open_world):
    # 2 drives, one tape: 4 s to mount, 3 MB at 1 MB/s.
    world = open_world(PEPS_TAPE_BANDWIDTH_MB_S="1", PEPS_TAPE_SPEED="1")
    uids = [world.add(f"P{n}", bytes([n]) * 1_000_000) for n in range(3)]
    requests = [world.archive.request([uid], user="u", purpose=uid) for uid in uids]
    expected = [world.archive.status(request).expected_s for request in requests]
    assert expected == pytest.approx([5, 6, 7])


def test_a_read_of_a_disk_product_needs_no_tape_folder(world):
    uid = world.add("P1", b"bytes", tier="disk")
    world.service(RecallPolicy()).run_once()
    assert world.archive.path(uid).read_bytes() == b"bytes"
    assert not world.config.tape.path.exists()


def test_a_link_in_a_product_folder_is_refused(world, tmp_path):
    folder = tmp_path / "P1.SAFE"
    folder.mkdir()
    (folder / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(Exception, match="neither a file nor a folder"):
        world.add_path(folder, "P1", tier="tape")
    left = [path for path in world.config.tape.path.rglob("*") if not path.name.endswith(".lock")]
    assert left == []


def test_an_open_file_outlives_its_eviction(world):
    uid = world.add("P1", b"bytes")
    world.archive.request([uid], user="u", purpose="p")
    world.service(HASTY).run_once()
    with world.archive.open(world.archive.find(uid)) as stream:
        Path(world.archive.path(uid)).unlink()
        assert os.read(stream.fileno(), 5) == b"bytes"


def test_the_modes_of_a_page_are_looked_up_and_not_searched_in_the_queue(world):
    # Through the state index every product of the page would walk the whole queue.
    uid = world.add("P1", b"bytes")
    with recorded(world.engine) as statements:
        world.archive.mode([uid])
    with world.engine.connect() as connection:
        steps = steps_of(connection, *statements[-1])
    # By its file, from the placement of the product: the words of SQLite and of PostgreSQL.
    found_by = "uq_recall_active_file (file=?)", "Index Cond: (file = placement.file)"
    assert any(words in step for step in steps for words in found_by)
    assert any("uq_recall_active_file" in step for step in steps)
    assert not any(reads_all_of(table, steps) for table in ("item", "replica", "recall"))
