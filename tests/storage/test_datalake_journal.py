"""The journal misses nothing, whoever writes and whatever the clock says."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from storage import datalake_journal
from storage.datalake_journal import Journal

NOON = datetime(2018, 7, 20, 12, tzinfo=UTC)


class Clock:
    """A clock that is set by the test."""

    def __init__(self):
        self.instant = NOON
        self.fromisoformat = datetime.fromisoformat

    def now(self, _zone):
        return self.instant


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(datalake_journal, "datetime", clock)
    return clock


@pytest.fixture
def journal(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)  # nothing here cuts the power
    return Journal(tmp_path / "journal")


def test_entries_come_in_the_order_in_which_they_were_noted(journal, clock):
    first = journal.note("a.json", 10)
    clock.instant += timedelta(days=2)
    second = journal.note("b.json", 20)
    third = journal.note("a.json", None)
    assert list(journal.since()) == [first, second, third]
    assert list(journal.since(first.at)) == [second, third]
    assert list(journal.since(third.at)) == []
    assert journal.present() == {"b.json": second}


def test_no_two_entries_share_an_instant_even_if_the_clock_is_set_back(journal, clock):
    first = journal.note("a.json", 1)
    clock.instant -= timedelta(days=40)
    others = [journal.note(f"{number}.json", 1) for number in range(3)]
    assert list(journal.since(first.at)) == others
    assert sorted({entry.at for entry in others}) == [entry.at for entry in others]


def test_what_is_later_is_found_in_a_long_day_as_by_reading_it_all(journal, clock):
    entries = []
    for number in range(400):
        clock.instant += timedelta(seconds=number % 7)
        entries.append(journal.note(f"S1-L1-ORTHO/31TGL/{'x' * (number % 90)}.json", number))
    for instant in (NOON, *(entry.at for entry in entries[::13]), entries[-1].at):
        assert list(journal.since(instant)) == [one for one in entries if one.at > instant]


def test_a_torn_line_is_dropped(journal, clock, tmp_path):
    first = journal.note("a.json", 1)
    (file,) = (tmp_path / "journal").glob("*.ndjson")
    with file.open("ab") as stream:
        stream.write(b'{"at": "2018-07-2')
    assert list(journal.since()) == [first]
    second = journal.note("b.json", 2)
    assert list(journal.since()) == [first, second]


def test_a_product_that_is_published_again_is_the_latest(journal, clock):
    journal.note("a.json", 1)
    journal.note("b.json", 2)
    again = journal.note("a.json", 3)
    assert list(journal.present()) == ["b.json", "a.json"]
    assert journal.present()["a.json"] == again


def test_a_poller_that_asks_for_what_is_later_sees_each_entry_once(journal):
    """Writers in many threads, and a reader that polls as they write."""
    paths = [f"{number}.json" for number in range(60)]

    def write(part):
        for path in part:
            journal.note(path, 1)

    threads = [threading.Thread(target=write, args=(paths[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen, since = [], None
    while len(seen) < len(paths):
        for entry in journal.since(since):
            seen.append(entry.path)
            since = entry.at
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(paths)
    assert list(journal.since(since)) == []
