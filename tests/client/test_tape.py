"""Recalls by WLCG Tape REST v1, against a site that has no other words than the specification."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from werkzeug.serving import make_server

from peps_wps import cli
from peps_wps.client import NotReadyError, Peps, RefusedError, UnreachableError
from peps_wps.client import peps as client_peps
from peps_wps.client.tape import iso_duration
from tests.client import fake_tape
from tests.client.fake_tape import FakeTape
from tests.client.faulty_service import Quiet

A, B = "/S1/2021/08/09/a.zip", "/S1/2021/08/09/b.zip"


@pytest.fixture
def tape() -> FakeTape:
    return FakeTape()


@pytest.fixture
def site(tape: FakeTape) -> Iterator[str]:
    httpd = make_server("127.0.0.1", 0, tape, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_files_are_followed_until_each_is_there(site, tape):
    seen = []
    asked = Peps(site).recall([A, B], pin_s=48 * 3600)
    status = asked.wait(watch=seen.append, interval_s=0)

    assert status.created == datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)
    assert [file.state for file in status.files] == ["done", "done"]
    assert [file.state for file in seen[0].files] == ["waiting", "waiting"]
    ((_, _, body),) = [one for one in tape.bodies if one[:2] == ("POST", "/tape/v1/stage")]
    assert body == {
        "files": [{"path": A, "diskLifetime": "P2D"}, {"path": B, "diskLifetime": "P2D"}]
    }


def test_a_file_that_fails_keeps_its_reason(site, tape):
    tape.lost = frozenset([B])
    status = Peps(site).recall([A, B]).wait(interval_s=0)

    assert [(file.state, file.message) for file in status.files] == [
        ("done", ""),
        ("failed", "the tape is broken"),
    ]


def test_what_a_server_tells_beyond_the_specification_is_read(site, tape):
    tape.with_extensions = True
    asked = Peps(site).recall([A])
    first, second = asked.status(), asked.status()

    assert (first.files[0].position, first.expected_s) == (3, 240.0)
    assert (second.files[0].done_bytes, second.files[0].size_bytes) == (250, 1000)


def test_waiting_ends_when_its_time_is_up(site, tape):
    status = Peps(site).recall([A]).wait(timeout_s=0)
    assert not status.is_finished


def test_some_or_all_are_cancelled_and_released(site, tape):
    asked = Peps(site).recall([A, B])
    asked.cancel([B])
    assert tape.requests[asked.id] == {A: "SUBMITTED", B: "CANCELLED"}
    asked.cancel()
    assert set(tape.requests[asked.id].values()) == {"CANCELLED"}
    asked.release()
    assert tape.bodies[-1] == ("POST", f"/tape/v1/release/{asked.id}", {"paths": [A, B]})


def test_refusals_keep_the_words_of_the_server(site):
    asked = Peps(site).recall([A])
    with pytest.raises(RefusedError, match="not in the request"):
        asked.cancel([B])
    with pytest.raises(RefusedError, match="no such request"):
        Peps(site).recall_of("nope/../x").status()


def test_a_server_without_the_service_is_told(site, tape, monkeypatch, capsys):
    monkeypatch.setattr(tape, "_answer", lambda *_: (404, {"title": "Not Found"}))
    with pytest.raises(UnreachableError, match="no tape service"):
        Peps(site).recall([A])
    assert cli.main(["recall", A, "--url", site]) == 3


def test_a_server_that_lists_no_requests_is_told(site, capsys):
    assert cli.main(["recall", "list", "--url", site]) == 4
    assert "keep the identifiers" in capsys.readouterr().err


def test_localities_are_asked_for_many_files_at_once(site):
    assert Peps(site).tape.localities([A, B]) == {A: "TAPE", B: "TAPE"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "PT0S"), (59.2, "PT1M"), (3600, "PT1H"), (48 * 3600, "P2D"), (90061, "P1DT1H1M1S")],
)
def test_durations_are_written_as_iso_8601(seconds, text):
    assert iso_duration(seconds) == text


def test_the_command_asks_follows_and_says_where_each_is(site, tape, capsys, monkeypatch):
    monkeypatch.setattr(client_peps, "POLL_S", 0.0)
    tape.lost = frozenset([B])
    code = cli.main(["recall", A, B, "--wait", "--url", site])

    out, err = capsys.readouterr()
    assert code == 1
    assert out.splitlines() == [f"on disk    {A}", f"failed     {B}  (the tape is broken)"]
    assert "Request r0, 2 products" in err
    assert "\x1b" not in err


def test_the_command_prints_the_request_and_takes_it_again(site, tape, capsys):
    assert cli.main(["recall", "--pin", "7d", A, "--url", site]) == 0
    assert capsys.readouterr().out == "r0\n"
    assert cli.main(["recall", "status", "r0", "--json", "--url", site]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["state"] == "waiting"
    assert cli.main(["recall", "cancel", "r0", "--url", site]) == 0
    assert tape.requests["r0"] == {A: "CANCELLED"}
    assert cli.main(["recall", "status", "nope", "--url", site]) == 4
    assert "no such request" in capsys.readouterr().err


def test_a_quota_is_no_failure_of_the_service(site, tape, monkeypatch):
    def refuse(*_: object) -> tuple[int, object]:
        return 429, {"title": "Too Many Requests", "detail": "5000 files wait already"}

    service = Peps(site).tape
    monkeypatch.setattr(tape, "_answer", refuse)
    with pytest.raises(NotReadyError, match="5000 files wait") as caught:
        service.stage([A])
    assert caught.value.is_quota


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        (1_628_530_793, datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)),
        (1_628_530_793_000, datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)),
        ("2021-08-09T17:39:53Z", datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)),
        ("yesterday", None),
    ],
)
def test_times_are_read_as_sites_write_them(site, tape, monkeypatch, written, instant):
    asked = Peps(site).recall([A])
    monkeypatch.setattr(fake_tape, "CREATED", written)
    assert asked.status().created == instant
