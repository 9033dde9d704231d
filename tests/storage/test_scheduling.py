"""What a free drive reads next."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.model import ArchiveFile, BatchLimits, Drive, PendingRecall
from storage.scheduling import next_batch

NOW = datetime(2021, 8, 9, tzinfo=UTC)
HOUR = 3600.0


def pending(number, tape, *, age_s=0.0, demand=1, users=(), size_bytes=1):
    file = ArchiveFile(f"S1/{number}", size_bytes, "sha256", "", "simtape", tape, number)
    created = NOW - timedelta(seconds=age_s)
    return PendingRecall(number, file, created, demand=demand, users=tuple(users))


def choice(recalls, drives, **options):
    batch = next_batch(recalls, drives, NOW, **{"max_wait": HOUR, **options})
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


def test_a_drive_whose_tape_nobody_wants_gives_it_away_first():
    recalls = [pending(1, "A", age_s=HOUR), pending(2, "B")]
    assert choice(recalls, [Drive("d1", "B"), Drive("d2", "C")]) == ("d2", "A", [1])


def test_a_drive_that_is_down_reads_nothing_and_keeps_its_tape():
    recalls = [pending(1, "A", age_s=HOUR * 2), pending(2, "B")]
    assert choice(recalls, [Drive("d1", "A", is_down=True), Drive("d2")]) == ("d2", "B", [2])
    assert choice(recalls, [Drive("d1", is_down=True)]) is None


def test_files_without_a_tape_are_read_by_several_drives_at_once():
    drives = [Drive("d1", is_busy=True), Drive("d2")]
    assert choice([pending(1, None), pending(2, None)], drives) == ("d2", "", [1, 2])


def test_a_batch_keeps_to_its_limits_but_holds_one_file():
    recalls = [pending(number, "A", age_s=9 - number, size_bytes=40) for number in range(5)]
    for limits, expected in (
        (BatchLimits(files=2, size_bytes=1000), [0, 1]),
        (BatchLimits(files=9, size_bytes=120), [0, 1, 2]),
        (BatchLimits(files=9, size_bytes=10), [0]),
        (BatchLimits(files=9, size_bytes=1000), [0, 1, 2, 3, 4]),
    ):
        assert choice(recalls, [Drive("d1")], limits=limits) == ("d1", "A", expected)


def test_a_user_who_received_less_goes_before_a_larger_order_and_its_mounted_tape():
    large = [pending(number, "A", age_s=60, users=["large"]) for number in range(100)]
    recalls = [*large, pending(100, "B", users=["small"])]
    drives = [Drive("d1", "A")]
    assert choice(recalls, drives)[1] == "A"
    assert choice(recalls, drives, served_bytes={"large": 10**9})[1] == "B"
    assert choice(large, drives, served_bytes={"large": 10**9})[1] == "A"


def test_of_tapes_alike_the_one_that_serves_all_goes_before_the_one_that_parts_users():
    recalls = [
        pending(1, "A", users=["ann"]),
        pending(2, "A", users=["ann"]),
        pending(3, "B", users=["ann"]),
        pending(4, "B", users=["bob"]),
    ]
    assert choice(recalls, [Drive("d1")]) == ("d1", "B", [3, 4])


def test_who_received_far_more_than_the_others_has_no_claim_by_age():
    recalls = [
        pending(1, "A", age_s=2 * HOUR, users=["large"]),
        pending(2, "B", users=["small"]),
    ]
    for received, tape in ((2 * 10**9, "A"), (4 * 10**9, "B")):
        served = {"large": received, "small": 10**9}
        assert choice(recalls, [Drive("d1")], served_bytes=served)[1] == tape


def test_when_not_all_files_of_a_tape_fit_users_behind_come_first():
    recalls = [pending(number, "A", age_s=60, users=["large"]) for number in range(9)]
    recalls.append(pending(9, "A", users=["large", "small"]))
    chosen = choice(recalls, [Drive("d1")], served_bytes={"large": 10}, limits=BatchLimits(files=2))
    assert chosen == ("d1", "A", [9, 0])


@given(st.permutations(range(8)))
def test_what_waited_too_long_is_mounted_in_the_order_of_the_oldest_request(ages):
    # Eight tapes, an hour and more old; however much is wanted of each and whatever is mounted.
    left = [
        pending(number, f"T{number}", age_s=HOUR + age, demand=1 + number % 3)
        for number, age in enumerate(ages)
    ]
    tapes = []
    drives = [Drive("d1", "T3")]
    while left:
        batch = next_batch(left, drives, NOW, max_wait=HOUR)
        tapes.append(batch.tape)
        left = [one for one in left if one not in batch.recalls]
    assert tapes == [f"T{number}" for number in sorted(range(8), key=lambda one: -ages[one])]


_TAPES = st.sampled_from("ABCD")
_USERS = st.sampled_from(["ann", "bob", "cy"])


@given(
    st.lists(
        st.tuples(st.none() | _TAPES, st.floats(0, 3 * HOUR), st.integers(1, 9), st.sets(_USERS)),
        max_size=12,
    ),
    st.lists(st.tuples(st.none() | _TAPES, st.sampled_from(["free", "busy", "down"])), max_size=4),
    st.dictionaries(_USERS, st.integers(0, 10**12)),
    st.integers(1, 4),
)
def test_no_drive_idles_while_it_could_read_and_no_tape_is_in_two(waiting, loaded, served, files):
    recalls = [
        pending(n, tape, age_s=age, demand=demand, users=users)
        for n, (tape, age, demand, users) in enumerate(waiting)
    ]
    drives = [
        Drive(f"d{n}", tape, is_busy=state == "busy", is_down=state == "down")
        for n, (tape, state) in enumerate(loaded)
    ]
    limits = BatchLimits(files=files)
    batch = next_batch(recalls, drives, NOW, max_wait=HOUR, served_bytes=served, limits=limits)

    free = {drive.name: drive for drive in drives if not (drive.is_busy or drive.is_down)}
    kept = {drive.tape for drive in drives if drive.name not in free} - {None}
    readable = {recall.file.tape for recall in recalls} - kept
    assert (batch is not None) == bool(free and readable)
    if batch is not None:
        assert batch.drive in free
        assert (batch.tape or None) in readable
        holders = {name for name, drive in free.items() if drive.tape == batch.tape}
        assert batch.drive in (holders or free)
        group = {one.recall_id for one in recalls if (one.file.tape or "") == batch.tape}
        chosen = [one.recall_id for one in batch.recalls]
        assert set(chosen) <= group
        assert len(chosen) == len(set(chosen)) == min(files, len(group))
