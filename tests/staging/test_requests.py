"""Requests of many files: pins, deadlines, parts that end, limits of users."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from catalog_db import times
from catalog_db.archive import recalls, requests
from catalog_db.tables import recall, replica, request, request_file
from peps_wps.errors import QuotaError
from storage.errors import (
    NotRequestedError,
    PinTooLongError,
    ProductOnTapeError,
    UnknownRequestError,
)
from tests.archive_world import HASTY
from tests.query_plans import reads_all_of, recorded, steps_of


def states_of(world, request_id):
    return {file.title: file.state for file in world.archive.status(request_id).files}


def recall_all(world):
    service = world.service(HASTY)
    while service.run_once():
        pass


def pass_deadline(world):
    with world.engine.begin() as connection:
        has_one = request.c.deadline_us.is_not(None)
        connection.execute(update(request).where(has_one).values(deadline_us=1))


def end_pins(world):
    with world.engine.begin() as connection:
        connection.execute(update(request_file).values(pin_until_us=1))


def test_a_pin_begins_when_the_file_is_ready_and_lasts_48_hours(world):
    uid = world.add("P1", b"bytes")
    request_id = world.archive.request([uid], user="u", purpose="p")
    assert world.archive.status(request_id).files[0].pin_until is None
    recall_all(world)
    (file,) = world.archive.status(request_id).files
    assert file.pin_until - file.finished == timedelta(hours=48)


def test_asking_again_prolongs_a_pin_and_never_shortens_it(world):
    uid = world.add("P1", b"bytes")
    first = world.archive.request([uid], user="u", purpose="p", pin_lifetime_s=100)
    recall_all(world)
    before = world.archive.status(first).files[0].pin_until
    assert world.archive.request([uid], user="u", purpose="p", pin_lifetime_s=7200) == first
    prolonged = world.archive.status(first).files[0].pin_until
    assert prolonged - before > timedelta(seconds=7000)
    world.archive.request([uid], user="u", purpose="p", pin_lifetime_s=1)
    assert world.archive.status(first).files[0].pin_until == prolonged


def test_a_pin_longer_than_allowed_is_refused_with_the_limit(world):
    uid = world.add("P1", b"bytes")
    with pytest.raises(PinTooLongError, match="336 h at most, 337 h"):
        world.archive.request([uid], user="u", purpose="p", pin_lifetime_s=337 * 3600)
    assert world.recalls() == []
    assert world.archive.requests() == []


def test_what_is_not_ready_by_the_deadline_fails_and_its_recall_ends(world):
    late, other = world.add("P1", b"1"), world.add("P2", b"2")
    both = world.archive.request(
        [late, other], user="u", purpose="p", deadline=times.now() + timedelta(hours=1)
    )
    patient = world.archive.request([other], user="v", purpose="q")
    pass_deadline(world)
    status = world.archive.status(both)  # before anything has looked at the clock
    assert status.failed == "P1: it was not on disk by the deadline of the request"
    recall_all(world)

    assert [row.state for row in world.recalls()] == ["cancelled", "done"]
    assert states_of(world, both) == {"P1": "failed", "P2": "failed"}
    assert "deadline" in world.archive.status(both).failed
    assert world.archive.status(patient).ready


def test_a_deadline_that_has_not_come_changes_nothing(world):
    uid = world.add("P1", b"1")
    soon = times.now() + timedelta(hours=1)
    request_id = world.archive.request([uid], user="u", purpose="p", deadline=soon)
    recall_all(world)
    assert world.archive.status(request_id).ready
    assert world.archive.status(request_id).request.deadline == soon


def test_some_files_of_a_request_are_cancelled_and_the_others_come(world):
    uids = [world.add(f"P{n}", bytes([n])) for n in range(3)]
    mine = world.archive.request(uids, user="u", purpose="p")
    other = world.archive.request(uids[:1], user="v", purpose="p")
    world.archive.cancel(mine, uids[:2])
    assert [row.state for row in world.recalls()] == ["queued", "cancelled", "queued"]
    recall_all(world)
    assert states_of(world, mine) == {"P0": "cancelled", "P1": "cancelled", "P2": "ready"}
    assert world.archive.status(mine).ready
    assert world.archive.status(other).ready


def test_a_cancelled_file_can_be_asked_for_again(world):
    uid = world.add("P1", b"1")
    request_id = world.archive.request([uid], user="u", purpose="p")
    world.archive.cancel(request_id)
    assert world.archive.request([uid], user="u", purpose="p") == request_id
    recall_all(world)
    assert world.archive.status(request_id).ready


def test_cancelling_what_the_request_does_not_contain_changes_nothing(world):
    uid, foreign = world.add("P1", b"1"), world.add("P2", b"2")
    request_id = world.archive.request([uid], user="u", purpose="p")
    with pytest.raises(NotRequestedError, match=foreign):
        world.archive.cancel(request_id, [uid, foreign])
    with pytest.raises(UnknownRequestError):
        world.archive.cancel("nothing")
    assert states_of(world, request_id) == {"P1": "waiting"}


def test_a_released_file_may_go_while_the_rest_stays_pinned(world):
    uids = [world.add(f"P{n}", bytes([n])) for n in range(2)]
    request_id = world.archive.request(uids, user="u", purpose="p")
    recall_all(world)
    world.archive.release(request_id, uids[:1])
    assert states_of(world, request_id) == {"P0": "released", "P1": "ready"}
    state = world.archive.pool_state()
    assert (state.pinned_bytes, state.evictable_bytes, state.used_bytes) == (1, 1, 2)


def test_a_request_whose_pins_have_ended_is_closed(world):
    uid = world.add("P1", b"1")
    request_id = world.archive.request([uid], user="u", purpose="p")
    recall_all(world)
    end_pins(world)
    recall_all(world)
    assert world.archive.requests(user="u") == []
    (listed,) = world.archive.requests(user="u", only_open=False)
    assert listed.files == {"released": 1}
    assert world.archive.request([uid], user="u", purpose="p") != request_id


def test_a_forgotten_request_is_unknown(world):
    uid = world.add("P1", b"1")
    request_id = world.archive.request([uid], user="u", purpose="p")
    world.archive.forget(request_id)
    assert [row.state for row in world.recalls()] == ["cancelled"]
    for look in (world.archive.status, world.archive.forget):
        with pytest.raises(UnknownRequestError):
            look(request_id)


def test_a_user_who_waits_for_too_much_is_told_the_limit_and_when_to_come_back(open_world):
    world = open_world(PEPS_STORAGE_MAX_WAITING_FILES="3", PEPS_TAPE_SPEED="1")
    uids = [world.add(f"P{n}", bytes([n])) for n in range(4)]
    world.archive.request(uids[:3], user="u", purpose="p")
    with pytest.raises(QuotaError, match=r"u would wait for 4 products .* 3 products") as refused:
        world.archive.request(uids[3:], user="u", purpose="q")
    assert 1 <= refused.value.retry_after_s < 60
    assert len(world.recalls()) == 3
    world.archive.request(uids[:3], user="u", purpose="p")  # nothing new
    world.archive.request(uids[3:], user="v", purpose="q")  # another user
    world.archive.request(uids[3:], user="u", purpose="job:1:0")  # accepted work


def test_the_queue_is_listed_with_places_and_times(world):
    uids = [world.add(f"P{n}", bytes([n])) for n in range(3)]
    for uid in uids:
        world.archive.request([uid], user=f"u{uid}", purpose="p")
    listed = world.archive.recalls()
    assert [(one.recall.title, one.position) for one in listed] == [("P0", 1), ("P1", 2), ("P2", 3)]
    assert all(one.expected_s > 0 for one in listed)
    assert [one.recall.title for one in world.archive.recalls(user=f"u{uids[1]}")] == ["P1"]
    recall_all(world)
    assert world.archive.recalls() == []
    assert {one.recall.state for one in world.archive.recalls(states=["done"])} == {"done"}


def test_hits_and_misses_are_counted_once_a_request(world):
    uid = world.add("P1", b"123")
    world.archive.request([uid], user="u", purpose="p")
    world.archive.request([uid], user="u", purpose="p")
    recall_all(world)
    world.archive.request([uid], user="v", purpose="p")
    counted = world.archive.counters()
    assert (counted.hits, counted.misses, counted.recalls, counted.recalled_bytes) == (1, 1, 1, 3)


def test_only_pinned_products_have_a_local_path(world):
    uid = world.add("P1", b"1")
    request_id = world.archive.request([uid], user="u", purpose="p")
    recall_all(world)
    assert world.archive.local_path(uid).read_bytes() == b"1"
    world.archive.release(request_id)
    with pytest.raises(ProductOnTapeError):
        world.archive.local_path(uid)


def test_what_is_being_downloaded_is_not_evicted(open_world, rng):
    world = open_world(PEPS_STORAGE_BUDGET_GB="0.000002")
    old, new = world.add("OLD", rng.bytes(1500)), world.add("NEW", rng.bytes(1500))
    world.archive.release(world.archive.request([old], user="u", purpose="p"))
    first = world.archive.request([old], user="u", purpose="p")
    recall_all(world)
    world.archive.release(first)
    second = world.archive.request([new], user="u", purpose="q")
    with world.archive.open(world.archive.find(old)):
        recall_all(world)
        assert world.archive.mode([old]) == {old: "disk"}
        assert not world.archive.status(second).ready
    recall_all(world)
    assert world.archive.mode([old, new]) == {old: "tape", new: "disk"}
    assert world.archive.status(second).ready


def test_an_eviction_left_half_done_is_finished_by_whoever_comes(world):
    uid = world.add("P1", b"1")
    world.archive.release(world.archive.request([uid], user="u", purpose="p"))
    request_id = world.archive.request([uid], user="u", purpose="p")
    recall_all(world)
    world.archive.release(request_id)
    with world.engine.begin() as connection:
        connection.execute(update(replica).values(state="evicting", last_access_us=1))
    again = world.archive.request([uid], user="u", purpose="q")
    assert world.archive.mode([uid]) == {uid: "staging"}
    recall_all(world)  # has to wait until the old copy has gone
    assert not world.archive.status(again).ready
    world.start_engine()
    assert not world.pool_file("P1").exists()
    recall_all(world)
    assert world.archive.status(again).ready


def test_files_that_nobody_knows_of_are_swept_after_a_grace_time(world):
    uid, other = world.add("P1", b"1"), world.add("D1", b"2", tier="disk")
    stray = world.pool_file("P1")
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"left behind")
    unknown = stray.with_name("not-ours.zip")
    unknown.write_bytes(b"of somebody else")
    world.start_engine()
    assert stray.exists()  # it may be on its way
    for path in (stray, unknown, world.pool_file("D1")):
        world.make_old(path)
    world.start_engine()
    assert not stray.exists()
    assert unknown.exists()
    assert set(world.archive.mode([uid, other]).values()) == {"tape", "disk"}


def test_a_ready_file_of_the_wrong_size_is_not_served(world):
    uid = world.add("P1", b"bytes")
    request_id = world.archive.request([uid], user="u", purpose="p")
    recall_all(world)
    world.pool_file("P1").write_bytes(b"byt")
    world.start_engine()
    assert world.archive.mode([uid]) == {uid: "staging"}
    recall_all(world)
    assert world.archive.path(uid).read_bytes() == b"bytes"
    assert world.archive.status(request_id).ready


def test_the_hits_of_a_file_are_its_waiters_and_its_readings(world):
    uid = world.add("P1", b"bytes")
    for user in ("a", "b", "c"):
        world.archive.request([uid], user=user, purpose="p")
    recall_all(world)
    with world.engine.begin() as connection:
        connection.execute(update(replica).values(last_access_us=1))
    world.archive.path(uid)
    with world.engine.connect() as connection:
        assert connection.execute(select(replica.c.hits)).scalar_one() == 4
        assert connection.execute(select(recall.c.state)).scalar_one() == "done"


def test_a_look_for_overdue_requests_and_pins_reads_no_table_whole(world):
    # It is taken every fraction of a second, over the requests of years.
    world.archive.request([world.add("P1", b"1")], user="u", purpose="p")
    with recorded(world.engine) as statements, world.engine.connect() as connection:
        requests.has_overdue(connection, times.now())
    with world.engine.connect() as connection:
        steps = steps_of(connection, *statements[-1])
    assert any("ix_request_file_pin" in step for step in steps)
    assert any("ix_request_deadline" in step for step in steps)
    assert not any(reads_all_of(table, steps) for table in ("request", "request_file"))


def test_a_look_at_the_queue_reads_who_waits_from_an_index(world):
    world.archive.request([world.add("P1", b"1")], user="u", purpose="p")
    with recorded(world.engine) as statements, world.engine.connect() as connection:
        recalls.pending_recalls(connection, "simtape", times.now())
    with world.engine.connect() as connection:
        steps = [step for one in statements for step in steps_of(connection, *one)]
    assert any("ix_request_file_file" in step for step in steps)
    assert not reads_all_of("request_file", steps)
