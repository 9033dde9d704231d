"""What leaves the pool."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.eviction import victims
from storage.model import Replica

DAY = datetime(2021, 8, 9, tzinfo=UTC)


def replica(number, age_s, size_bytes=1):
    return Replica(f"S1/{number}", size_bytes, DAY - timedelta(seconds=age_s), 0)


def test_the_longest_unread_go_first_and_no_more_than_needed():
    pool = [replica(1, 5, 10), replica(2, 9, 10), replica(3, 7, 10)]
    assert [one.path for one in victims(pool, 11)] == ["S1/2", "S1/3"]
    assert victims(pool, 0) == []


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50)), max_size=20), st.integers(0, 400)
)
def test_enough_is_freed_and_the_last_victim_was_needed(ages_and_sizes, needed):
    pool = [replica(n, age, size) for n, (age, size) in enumerate(ages_and_sizes)]
    chosen = victims(pool, needed)
    freed = sum(one.size_bytes for one in chosen)
    assert freed >= min(needed, sum(one.size_bytes for one in pool))
    if chosen:
        assert freed - chosen[-1].size_bytes < needed
        kept = [one for one in pool if one not in chosen]
        assert all(one.last_access >= chosen[-1].last_access for one in kept)
