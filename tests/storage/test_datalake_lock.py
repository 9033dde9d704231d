"""One at a time on a part of the datalake; the dead hold nothing."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage.datalake_lock import DatalakeLocks
from storage.errors import DatalakeLockedError

KEY = "S1-L1-ORTHO/31TGL/20180720_139"
OTHER = "S1-L1-ORTHO/31TGL/20180801_139"
TILE = "S1-L1-ORTHO/31TGL"

_HOLDER = """
import sys, time
sys.path.insert(0, {source!r})
from pathlib import Path
from storage.datalake_lock import DatalakeLocks
with DatalakeLocks(Path(sys.argv[1])).held({key!r}, holder="job 1"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def locks(tmp_path):
    return DatalakeLocks(tmp_path / "locks")


def is_free(locks, key):
    try:
        with locks.held(key, patience_s=0):
            return True
    except DatalakeLockedError:
        return False


def test_a_key_has_one_holder(locks):
    with locks.held(KEY):
        assert not is_free(locks, KEY)
        assert is_free(locks, OTHER)
    assert is_free(locks, KEY)


def test_what_holds_a_part_keeps_the_whole_from_being_held_alone(locks):
    with locks.held(KEY), locks.held(OTHER):
        assert not is_free(locks, TILE)
    with locks.held(TILE):
        assert not is_free(locks, KEY)
        assert is_free(locks, "S1-L1-ORTHO/31TCJ/20180720_139")


def test_a_key_is_free_after_an_error(locks):
    with pytest.raises(ValueError, match="computed"), locks.held(KEY):
        raise ValueError("computed wrong")
    assert is_free(locks, KEY)


def test_who_waits_is_told_for_whom_and_gives_up_in_time(locks):
    told = []
    with (
        locks.held(KEY, holder="job 7, 31TGL of 2018-07-20"),
        pytest.raises(DatalakeLockedError, match="in use by job 7, 31TGL of 2018-07-20"),
        locks.held(KEY, patience_s=0.03, pause_s=0.01, waiting=told.append),
    ):
        pass
    assert set(told) == {"job 7, 31TGL of 2018-07-20"}


def test_a_key_goes_from_holder_to_holder(locks):
    """Many threads: nobody is inside with another, and everybody has been."""
    inside, seen = [], []

    def work(number):
        with locks.held(KEY, pause_s=0.001):
            inside.append(number)
            seen.append(list(inside))
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [[number] for number in range(12)]


def test_the_lock_of_a_dead_process_is_free(locks, tmp_path):
    source = str(Path(__file__).resolve().parents[2])
    code = _HOLDER.format(source=source, key=KEY)
    command = [sys.executable, "-S", "-c", code, tmp_path / "locks"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert not is_free(locks, KEY)
        process.kill()
    with locks.held(KEY, patience_s=20, pause_s=0.01):
        pass
