"""Recalls of the service itself, by its own tape service, from Python and from the shell."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from catalog_db.tables import request_file
from peps_wps import cli
from peps_wps.client import NotReadyError, Progress, RefusedError
from peps_wps.client.tape import TapeService
from storage.backends.simtape import SimulatedTape
from tests.client.conftest import HASTY, Place, title
from tests.client.faulty_service import Faults
from tests.patience import stretched


@pytest.fixture
def names(place: Place) -> list[str]:
    """Three more products on tape, of this test alone."""
    first = 100 + len(place.contents)
    for number in range(first, first + 3):
        place.contents[title(number)] = title(number).encode() * 1000
        place.world.add(title(number), place.contents[title(number)])
    return [title(number) for number in range(first, first + 3)]


def test_products_are_on_disk_when_their_recall_is_over(place, names):
    peps = place.peps
    asked = peps.recall(map(peps.find, names), pin_s=3600)
    status = asked.wait(interval_s=0.1, timeout_s=60)

    assert {(file.path, file.state) for file in status.files} == {(name, "done") for name in names}
    assert {peps.find(name).mode for name in names} == {"disk"}
    listed = peps.recalls()[0]
    assert (listed.id, listed.files, listed.done) == (asked.id, 3, 3)
    asked.release()


def test_a_download_asks_the_tape_service_for_all_at_once_and_lets_go(
    place, names, tmp_path, monkeypatch
):
    recalling: set[str] = set()
    are_told, waits = threading.Event(), []
    fetch = SimulatedTape.fetch

    def watch(progress: Progress) -> None:
        if progress.state == "recalling":
            recalling.add(progress.name)
        if recalling == set(names):
            are_told.set()

    def fetch_once_told(*arguments: Any) -> None:
        waits.append(are_told.wait(stretched(60)))
        fetch(*arguments)

    monkeypatch.setattr(SimulatedTape, "fetch", fetch_once_told)
    products = [place.peps.find(name) for name in names]
    results = place.peps.download(products, tmp_path, place.options(), watch=watch)

    assert {one.state for one in results} == {"fetched"}
    assert all(waits)
    assert recalling == set(names)
    assert place.faults.seen == [None] * len(names)  # fetched, and asked for nowhere else
    listed = place.peps.recalls()[0]
    assert (listed.files, listed.done) == (3, 3)
    with place.world.engine.connect() as connection:
        of_request = request_file.c.request == listed.id
        states = connection.execute(select(request_file.c.state).where(of_request)).scalars()
        assert set(states) == {"released"}


def test_an_unknown_title_fails_alone_with_its_reason(place, names):
    status = place.peps.recall([names[0], "nonsense"]).wait(interval_s=0.1, timeout_s=60)

    states = {file.path: file.state for file in status.files}
    assert states == {names[0]: "done", "nonsense": "failed"}
    (failed,) = [file for file in status.files if file.state == "failed"]
    assert "nonsense" in failed.message


def test_what_is_cancelled_is_not_waited_for(place, names):
    asked = place.peps.recall(names)
    asked.cancel()
    assert asked.wait(interval_s=0.1, timeout_s=60).is_finished
    with pytest.raises(RefusedError):
        asked.cancel(["another"])


def test_a_deadline_in_the_past_and_a_pin_for_ever_are_refused(place, names):
    with pytest.raises(RefusedError, match="deadline"):
        place.peps.recall(names[:1], deadline=datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(RefusedError, match="336 h at most"):
        place.peps.recall(names[:1], pin_s=10 * 365 * 86400)


def test_the_commands_ask_list_follow_and_release(place, names, capsys):
    url = ("--url", place.url)
    assert cli.main(["recall", *names, "--pin", "2h", "--wait", *url]) == 0
    out = capsys.readouterr().out
    assert sorted(line.split()[-1] for line in out.splitlines()) == sorted(names)
    assert all(line.startswith("on disk") for line in out.splitlines())
    assert cli.main(["recall", "list", "--json", *url]) == 0
    listed = json.loads(capsys.readouterr().out)[0]
    assert cli.main(["recall", "list", *url]) == 0
    assert "3 of 3 on disk" in capsys.readouterr().out
    assert cli.main(["recall", "release", listed["id"], names[0], *url]) == 0
    assert cli.main(["recall", "release", listed["id"], "another", *url]) == 4


def test_without_a_tape_service_products_are_asked_for_one_by_one(
    place, names, tmp_path, monkeypatch
):
    def without(faults: Faults, environ, start_response):
        if environ["PATH_INFO"].startswith(("/tape", "/.well-known")):
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        return served_before(faults, environ, start_response)

    served_before = Faults.__call__
    monkeypatch.setattr(Faults, "__call__", without)
    told: list[Progress] = []
    results = place.peps.download(names, tmp_path, place.options(), watch=told.append)

    assert {one.state for one in results} == {"fetched"}
    waits = [one.expected_s for one in told if one.state == "recalling"]
    assert waits
    assert all(wait <= 1.1 * HASTY.longest_s for wait in waits)


def test_a_quota_of_the_tape_service_stops_no_download(place, names, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> str:
        raise NotReadyError("5000 files wait already", 60.0, is_quota=True)

    monkeypatch.setattr(TapeService, "stage", full)
    results = place.peps.download(names, tmp_path, place.options())
    assert {one.state for one in results} == {"fetched"}
