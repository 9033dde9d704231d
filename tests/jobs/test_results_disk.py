"""Room for results: told in a sentence, and waited for longer each time."""

import errno
import os
from collections import namedtuple
from pathlib import Path

import pytest

from peps_wps.jobs import results_disk
from peps_wps.jobs.results_disk import ResultsDisk, is_refusal, refusal

Usage = namedtuple("Usage", "total used free")


def test_a_folder_with_room_is_made_and_left_empty(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a" / "results") is None
    assert list((tmp_path / "a" / "results").iterdir()) == []


def test_a_nearly_full_disk_is_refused_with_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_disk.shutil, "disk_usage", lambda _: Usage(10, 10, 3 * 2**20))

    assert refusal(tmp_path) == "The results folder is full: 3 MB are free, 64 MB are needed"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "The results folder is full"),
        (errno.EROFS, "The results folder cannot be written: Read-only file system"),
        (errno.EACCES, "The results folder cannot be written: Permission denied"),
    ],
)
def test_the_cause_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(results_disk.tempfile, "TemporaryFile", refuse)

    assert refusal(tmp_path) == sentence


def test_only_what_the_disk_refused_counts_as_such(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    wrapped = RuntimeError("GDAL")
    wrapped.__cause__ = full

    assert is_refusal(full, tmp_path)
    assert is_refusal(wrapped, tmp_path)
    # An input that may not be read is no reason to wait for the results folder.
    assert not is_refusal(OSError(errno.EACCES, "Permission denied"), tmp_path)
    assert not is_refusal(MemoryError(), tmp_path)


def test_each_refusal_doubles_the_pause_up_to_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(results_disk.time, "monotonic", lambda: now)
    disk = ResultsDisk(tmp_path)
    pauses = []
    for _ in range(10):
        begun = now
        disk.refused("full")
        while disk.reason_to_wait() is not None:
            now += 1.0
        pauses.append(now - begun)

    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    disk.accepted()
    disk.refused("full")
    now += 2.0
    assert disk.reason_to_wait() is None
