"""More names in one question than a statement takes."""

import pytest

from catalog_db import groups, times
from catalog_db.archive import replicas
from catalog_db.processing import job_purge, job_tasks
from tests.archive_world import ArchiveWorld

NAMES = [f"00000000-0000-4000-8000-{number:012d}" for number in range(5)]


def test_the_groups_of_a_list_hold_each_name_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "AT_ONCE", 2)
    assert list(groups.groups("abcde")) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(groups.groups([])) == []


def test_questions_about_more_jobs_and_files_than_a_statement_takes_are_answered(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "AT_ONCE", 2)
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    world.service().run_once()
    world.archive.release(request)
    path = world.archive.find(uid).file.path
    with world.engine.begin() as connection:
        assert job_purge.finished_among(connection, NAMES) == set(NAMES)
        assert job_purge.without_results(connection, NAMES) == set(NAMES)
        sizes = job_tasks.staged_sizes(connection, [*NAMES, uid])
        assert [(one[0], one[2]) for one in sizes] == [(uid, 5)]
        assert replicas.condemn_replicas(connection, [*NAMES, path], times.now()) == [path]
