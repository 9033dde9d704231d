"""What a free drive reads next."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.model import ArchiveFile, Drive, PendingRecall
from storage.scheduling import next_batch

NOW = datetime(2021, 8, 9, tzinfo=UTC)
HOUR = 3600.0


def pending(number, tape, *, age_s=0.0, demand=1):
    file = ArchiveFile(f"S1/{number}", 1, "sha256", "", "simtape", tape, number)
    return PendingRecall(number, file, NOW - timedelta(seconds=age_s), demand=demand)


def choice(recalls, drives):
    batch = next_batch(recalls, drives, NOW, max_wait=HOUR)
    return batch and (batch.drive, batch.tape, [one.recall_id for one in batch.recalls])


def test_everything_of_a_tape_is_read_together_oldest_first():
    recalls = [pending(1, "A", age_s=5), pending(2, "B"), pending(3, "A", age_s=9)]
    assert choice(recalls, [Drive("d1")]) == ("d1", "A", [3, 1])


def test_a_mounted_tape_goes_before_a_more_wanted_one():
    recalls = [pending(1, "A"), pending(2, "B", demand=9)]
    assert choice(recalls, [Drive("d1"), Drive("d2", "A")]) == ("d2", "A", [1])


def test_the_oldest_of_those_that_waited_too_long_goes_before_all():
    recalls = [
        pending(1, "A", demand=50),
        pending(2, "B", age_s=HOUR + 1),
        pending(3, "C", age_s=HOUR + 2),
    ]
    assert choice(recalls, [Drive("d1", "A")]) == ("d1", "C", [3])


def test_a_tape_in_a_busy_drive_is_left_to_it():
    recalls = [pending(1, "A", age_s=HOUR * 2), pending(2, "B")]
    assert choice(recalls, [Drive("d1", "A", is_busy=True), Drive("d2")]) == ("d2", "B", [2])
    assert choice(recalls[:1], [Drive("d1", "A", is_busy=True), Drive("d2")]) is None


def test_an_empty_drive_is_preferred_to_one_that_must_unload():
    assert choice([pending(1, "A")], [Drive("d1", "B"), Drive("d2")]) == ("d2", "A", [1])


def test_nothing_to_read_or_no_drive_gives_nothing():
    assert choice([], [Drive("d1")]) is None
    assert choice([pending(1, "A")], [Drive("d1", is_busy=True)]) is None


_TAPES = st.sampled_from("ABCD")


@given(
    st.lists(st.tuples(_TAPES, st.floats(0, 3 * HOUR), st.integers(1, 9)), max_size=12),
    st.lists(st.tuples(st.none() | _TAPES, st.booleans()), max_size=4, unique_by=lambda d: d[0]),
)
def test_no_drive_idles_while_it_could_read_and_no_tape_is_in_two(waiting, loaded):
    recalls = [
        pending(n, tape, age_s=age, demand=demand) for n, (tape, age, demand) in enumerate(waiting)
    ]
    drives = [Drive(f"d{n}", tape, busy) for n, (tape, busy) in enumerate(loaded)]
    batch = next_batch(recalls, drives, NOW, max_wait=HOUR)

    busy_tapes = {drive.tape for drive in drives if drive.is_busy}
    free = {drive.name: drive for drive in drives if not drive.is_busy}
    readable = {recall.file.tape for recall in recalls} - busy_tapes
    assert (batch is not None) == bool(free and readable)
    if batch is not None:
        assert batch.drive in free
        assert batch.tape in readable
        holders = {name for name, drive in free.items() if drive.tape == batch.tape}
        assert batch.drive in (holders or free)
        assert {one.recall_id for one in batch.recalls} == {
            one.recall_id for one in recalls if one.file.tape == batch.tape
        }
