"""What leaves the pool."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.eviction import EvictionPolicy, inflation_after, victims
from storage.model import Replica

DAY = datetime(2021, 8, 9, tzinfo=UTC)
GB = 10**9


def replica(number, age_s=0, size_bytes=1, hits=0, inflation=0.0):
    return Replica(f"S1/{number}", size_bytes, DAY - timedelta(seconds=age_s), hits, inflation)


def paths(replicas):
    return [one.path for one in replicas]


def test_by_lru_the_longest_unread_go_first_and_no_more_than_needed():
    pool = [replica(1, 5, 10, hits=9), replica(2, 9, 10), replica(3, 7, 10)]
    assert paths(victims(pool, 11, EvictionPolicy.LRU)) == ["S1/2", "S1/3"]


def test_by_default_the_fewest_hits_for_their_size_go_first():
    pool = [replica(1, 5, GB, hits=2), replica(2, 9, 4 * GB, hits=4), replica(3, 7, GB, hits=3)]
    assert paths(victims(pool, 6 * GB)) == ["S1/2", "S1/1", "S1/3"]
    assert victims(pool, 0) == []


def test_equal_files_go_in_the_order_of_their_last_reading():
    assert paths(victims([replica(1, 5), replica(2, 9), replica(3, 7)], 3)) == [
        "S1/2",
        "S1/3",
        "S1/1",
    ]


def test_what_was_popular_once_goes_when_the_pool_has_moved_on():
    once = replica("once", size_bytes=GB, hits=5)
    inflation = 0.0
    for number in range(10):
        newcomer = replica(number, size_bytes=GB, hits=1, inflation=inflation)
        (gone,) = victims([once, newcomer], GB)
        if gone is once:
            break
        inflation = inflation_after(inflation, [gone])
    assert number == 5  # 5 hits against 1, and inflation rises by 1 with each that goes


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50)), max_size=20),
    st.integers(0, 400),
    st.sampled_from(EvictionPolicy),
)
def test_enough_is_freed_and_the_last_victim_was_needed(ages_and_sizes, needed, policy):
    pool = [replica(n, age, size) for n, (age, size) in enumerate(ages_and_sizes)]
    chosen = victims(pool, needed, policy)
    freed = sum(one.size_bytes for one in chosen)
    assert freed >= min(needed, sum(one.size_bytes for one in pool))
    if chosen:
        assert freed - chosen[-1].size_bytes < needed


class TextbookGdsf:
    """HPL-98-69R1: H(f) = L + F(f) / S(f); when one goes, the least H, L becomes that H."""

    def __init__(self, room_bytes):
        self.room_bytes, self.inflation, self.files, self.turn = room_bytes, 0.0, {}, 0

    def read(self, name, size_bytes):
        self.turn += 1
        if name not in self.files:
            while self.room_bytes < size_bytes:
                gone = min(self.files, key=self.files.__getitem__)
                self.inflation = self.files[gone][0]
                self.room_bytes += self.files.pop(gone)[3]
            self.room_bytes -= size_bytes
            self.files[name] = (0.0, 0, 0, size_bytes)
        hits = self.files[name][2] + 1
        worth = self.inflation + hits * GB / size_bytes
        self.files[name] = (worth, self.turn, hits, size_bytes)


@given(st.lists(st.integers(0, 9), max_size=60))
def test_the_pool_holds_what_the_textbook_says_after_every_reading(names):
    sizes = [(7 + number * number) * GB // 3 for number in range(10)]
    textbook = TextbookGdsf(60 * GB)
    pool, inflation = {}, 0.0
    for turn, number in enumerate(names):
        textbook.read(number, sizes[number])
        path = f"S1/{number}"
        if path not in pool:
            missing = sizes[number] + sum(one.size_bytes for one in pool.values()) - 60 * GB
            gone = victims(pool.values(), missing)
            inflation = inflation_after(inflation, gone)
            pool = {one.path: one for one in pool.values() if one not in gone}
            pool[path] = replica(number, size_bytes=sizes[number])
        seen = pool[path]
        access = DAY + timedelta(seconds=turn)
        pool[path] = replace(seen, hits=seen.hits + 1, last_access=access, inflation=inflation)
        assert set(pool) == {f"S1/{one}" for one in textbook.files}
    assert inflation == pytest.approx(textbook.inflation)
