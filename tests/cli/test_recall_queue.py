"""The operator's view: `peps recall list --all`, `retry`, `drop` and `peps pool`."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from catalog_db import times
from peps_wps import cli
from storage.recall_policy import RecallPolicy
from tests.archive_world import ArchiveWorld

ONCE = RecallPolicy(max_attempts=1, backoff_s=0.01, lease_s=0.5, idle_s=0.01, error_pause_s=0.01)
Peps = Callable[..., tuple[int, str, str]]


@pytest.fixture
def world(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path, PEPS_CATALOG_URL=database_url)
    monkeypatch.setenv("PEPS_TAPE_SPEED", "1000")
    yield world
    world.engine.dispose()


@pytest.fixture
def peps(world: ArchiveWorld, capsys: pytest.CaptureFixture[str]) -> Peps:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main([*arguments, "--var", str(world.config.var)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def break_tape(world: ArchiveWorld, title: str) -> bytes:
    """Write other bytes over a file on tape; return what was there."""
    path = world.tape_file(title)
    content = path.read_bytes()
    path.write_bytes(b"?" * len(content))
    return content


def test_the_list_says_what_waits_where_and_for_whom(world, peps):
    first, second = world.add("P1", b"x" * 1000), world.add("P2", b"x" * 2000)
    for user in ("anna", "ben"):
        world.archive.request([first], user=user, purpose="p")
    world.archive.request([second], user="ben", purpose="q")

    code, out, _ = peps("recall", "list", "--all", "--json")
    listed = json.loads(out)
    assert code == 0
    assert [(one["title"], one["users"], one["position"]) for one in listed] == [
        ("P1", 2, 1),
        ("P2", 1, 2),
    ]
    assert {one["state"] for one in listed} == {"queued"}
    assert all(one["expected_s"] > 0 and one["tape"] for one in listed)
    _, out, _ = peps("recall", "list", "--user", "anna")
    (line,) = out.splitlines()
    assert re.search(r"P1  \(2 waiting, since \d+ s, place 1, \d+ s to go\)$", line)


def test_a_failed_recall_is_listed_with_its_reason_and_tried_again(world, peps):
    uid = world.add("P1", b"right bytes")
    content = break_tape(world, "P1")
    request = world.archive.request([uid], user="anna", purpose="p")
    world.service(ONCE).run_once()

    _, out, _ = peps("recall", "list", "--all", "--state", "failed", "--json")
    (failed,) = json.loads(out)
    assert failed["error"]
    world.tape_file("P1").write_bytes(content)
    code, out, _ = peps("recall", "retry", str(failed["id"]))
    assert (code, out.split()) == (0, [str(failed["id"]), "queued"])
    world.service(ONCE).run_once()

    assert world.archive.status(request).ready
    assert world.archive.path(uid).read_bytes() == b"right bytes"


def test_a_recall_that_pauses_is_tried_at_once(world, peps):
    uid = world.add("P1", b"bytes")
    content = break_tape(world, "P1")
    world.archive.request([uid], user="anna", purpose="p")
    patient = RecallPolicy(max_attempts=3, backoff_s=3600, lease_s=0.5, idle_s=0.01)
    world.service(patient).run_once()
    world.tape_file("P1").write_bytes(content)
    assert world.service(patient).run_once() == 0
    (row,) = world.recalls()
    assert row.not_before_us > times.to_us(times.now() + timedelta(minutes=10))

    assert peps("recall", "retry", str(row.id))[0] == 0
    assert world.service(patient).run_once() == 1


def test_a_recall_that_is_given_up_tells_all_who_wait(world, peps):
    uid = world.add("P1", b"bytes")
    requests = [world.archive.request([uid], user=user, purpose="p") for user in ("a", "b")]
    (row,) = world.recalls()

    code, out, _ = peps("recall", "drop", str(row.id), "--reason", "the tape burnt", "--json")
    assert (code, json.loads(out)) == (0, [{"recall": row.id, "state": "failed"}])
    assert [world.archive.status(one).failed for one in requests] == ["the tape burnt"] * 2


def test_what_cannot_be_done_is_said_and_does_not_stop_the_rest(world, peps):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="anna", purpose="p")
    world.service().run_once()
    (done,) = world.recalls()
    code, out, err = peps("recall", "retry", "99", str(done.id))
    assert (code, out) == (1, "")
    assert "there is no recall 99" in err
    assert f"recall {done.id} is done, expected failed or queued" in err
    assert peps("recall", "drop", str(done.id))[0] == 1

    break_tape(world, "P1")
    world.archive.release(request)
    assert peps("recall", "list", "--all", "--state", "no")[0] == 2


def test_nobody_is_made_to_wait_again_who_has_gone(world, peps):
    uid = world.add("P1", b"bytes")
    break_tape(world, "P1")
    request = world.archive.request([uid], user="anna", purpose="p")
    world.service(ONCE).run_once()
    world.archive.release(request)
    (row,) = world.recalls()

    code, _, err = peps("recall", "retry", str(row.id))
    assert code == 1
    assert "nobody waits" in err


def test_the_pool_is_shown_by_what_may_become_of_it(world, peps):
    pinned, coming = world.add("P1", b"x" * 3000), world.add("P2", b"x" * 5000)
    world.add("P3", b"x" * 7000, tier="disk")
    world.archive.request([pinned], user="a", purpose="p")
    world.service().run_once()
    world.archive.request([coming], user="a", purpose="q")

    code, out, _ = peps("pool", "--json")
    state = json.loads(out)
    assert code == 0
    assert (state["used_bytes"], state["pinned_bytes"], state["evictable_bytes"]) == (3000, 3000, 0)
    assert state["disk_only_bytes"] == 7000
    assert state["backends"] == {"simtape": {"drives": 2, "running": 0, "queued": 1}}
    _, out, _ = peps("pool")
    assert "used        3.00 kB  1 files" in out
    assert "simtape    2 drives, 0 recalls running, 1 waiting" in out


def test_without_a_database_there_is_nothing_to_show(tmp_path, capsys):
    assert cli.main(["pool", "--var", str(tmp_path / "nowhere")]) == 2
    assert not (tmp_path / "nowhere").exists()
    assert "there is no database" in capsys.readouterr().err
