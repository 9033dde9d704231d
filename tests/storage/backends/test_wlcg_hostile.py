"""A site that says anything at all does no harm: each answer becomes a sentence and an error."""

import json
import threading
import time
from contextlib import suppress

import pytest

from storage.backends.patience import Patience
from storage.backends.wlcg import WlcgTape
from storage.backends.wlcg_site import Locality, Progress, TapeSite, site_session
from storage.errors import (
    MediaError,
    NotHeldError,
    TapeError,
    TapeUnavailableError,
)
from storage.model import StageState
from tests.storage.backends.hostile_site import CONTENT, FILE, Site, asked, outcome, tape


@pytest.fixture(scope="module")
def server():
    site = Site()
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.fixture
def site(server):
    kept = dict(server.answers)
    server.seen.clear()
    yield server
    server.answers = kept


def test_a_decent_site_delivers(site):
    assert asked(site) == CONTENT


WELL_KNOWN, STAGE, PROGRESS = (
    "GET /.well-known/wlcg-tape-rest-api",
    "POST /api/v1/stage",
    "GET /api/v1/stage/r1",
)


@pytest.mark.parametrize(
    ("address", "answer", "said"),
    [
        (WELL_KNOWN, None, "does not know it"),
        (WELL_KNOWN, [], "not the form"),
        (WELL_KNOWN, {"endpoints": {}}, "no endpoints"),
        (WELL_KNOWN, {"endpoints": [5]}, "not the form"),
        (WELL_KNOWN, {"endpoints": [{"version": "v1"}]}, "no uri"),
        (WELL_KNOWN, {"endpoints": [{"version": "v7", "uri": "http://a"}]}, "version v1"),
        (WELL_KNOWN, {"endpoints": [{"version": "v1", "uri": "file:///etc/passwd"}]}, "file:///"),
        (STAGE, {}, "no requestId"),
        (STAGE, {"requestId": 5}, "no requestId"),
        (STAGE, {"requestId": "../../admin"}, "names a request"),
        (STAGE, {"requestId": "a" * 500}, "names a request"),
        (PROGRESS, {}, "no files"),
        (PROGRESS, {"files": [7]}, "not the form"),
        (PROGRESS, {"files": [{"state": "COMPLETED"}]}, "no path"),
        (PROGRESS, None, "forgotten"),
    ],
    ids=str,
)
def test_an_answer_of_another_form_is_nobodys_fault(site, address, answer, said):
    site.answers[address] = answer
    error = asked(site)
    assert isinstance(error, TapeUnavailableError)
    assert said in str(error)


def says(status, body=b"", **headers):
    return lambda handler: handler.say(status, body, **headers)


def never_ends(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    with suppress(ConnectionError):
        while True:
            handler.wfile.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")


def drips(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    with suppress(ConnectionError):
        for _ in range(500):
            handler.wfile.write(b" ")
            time.sleep(0.01)


@pytest.mark.parametrize("address", [WELL_KNOWN, STAGE, PROGRESS])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says(200, b"<html>"), "not JSON"),
        (says(200, b"[" * 100_000), "not JSON"),
        (says(200, b"\xff\xfe"), "not JSON"),
        (says(302, Location="http://elsewhere.invalid/"), "redirects elsewhere"),
        (says(401), "does not accept our token"),
        (says(500), "not at work"),
        (says(503, Retry_After="nonsense"), "not at work"),
        (says(200, b"{", length=50), "does not answer"),
        (never_ends, "no end"),
        (drips, "no end"),
    ],
    ids=["html", "nested", "bytes", "redirect", "401", "500", "503", "torn", "endless", "drip"],
)
def test_a_broken_or_evil_answer_is_nobodys_fault(site, address, answer, said, monkeypatch):
    if said == "no end":
        monkeypatch.setattr("storage.backends.wlcg_site._ANSWER_S", 1.0)
    site.answers[address] = answer
    error = asked(site)
    assert isinstance(error, TapeUnavailableError)
    assert said in str(error)
    assert all("elsewhere" not in headers.get("Host", "") for _, _, headers in site.seen)


def test_a_storm_of_errors_that_passes_costs_nothing(site):
    storm = iter([500, 503, 429, 502])

    def answer(handler):
        status = next(storm, None)
        if status is None:
            handler.say(200, json.dumps(site.calm).encode())
        else:
            handler.say(status)

    site.calm = site.answers[PROGRESS]
    site.answers[PROGRESS] = answer
    patient = Patience(poll_s=0.005, longest_pause_s=0.01, away_s=20.0)
    assert asked(site, patience=patient) == CONTENT


def test_a_pause_that_the_site_asks_for_is_kept(site):
    site.answers[PROGRESS] = says(503, Retry_After="3600")
    backend = tape(site, patience=Patience(poll_s=0.001, longest_pause_s=0.001, away_s=60.0))
    handle = backend.submit("slot-1", [FILE])
    for _ in range(20):
        assert backend.poll(handle)[FILE.path].state is StageState.WAITING
        time.sleep(0.002)
    assert sum(path == "/api/v1/stage/r1" for _, path, _ in site.seen) == 1
    backend.release(handle)


@pytest.mark.parametrize(
    ("item", "locality", "kind"),
    [
        ({"state": "FAILED", "error": "bad tape"}, "TAPE", MediaError),
        ({"onDisk": False, "error": "bad tape"}, "TAPE", MediaError),
        ({"state": "CANCELLED"}, "TAPE", MediaError),
        ({"state": "MELTED"}, "TAPE", MediaError),
        ({}, "TAPE", MediaError),
        ({"state": "FAILED", "error": "?"}, "LOST", NotHeldError),
        ({"state": "FAILED", "error": "?"}, None, NotHeldError),
        ({"state": "FAILED", "error": "?"}, "UNAVAILABLE", TapeUnavailableError),
    ],
    ids=str,
)
def test_what_a_site_says_of_a_file_tells_whose_fault_it_is(site, item, locality, kind):
    site.answers[PROGRESS] = {"files": [{"path": "//S1/P1.zip", **item}]}
    info = {"path": "/S1/P1.zip", "error": "x"}
    site.answers["POST /api/v1/archiveinfo"] = [info | ({"locality": locality} if locality else {})]
    error = asked(site)
    assert type(error) is kind
    assert "S1/P1.zip" in str(error)


def test_a_file_that_the_site_is_silent_about_fails(site):
    site.answers[PROGRESS] = {"files": [{"path": "/other", "onDisk": True}]}
    assert "not spoken of" in str(asked(site))


def test_what_a_stranger_says_fits_a_line_of_a_log(site):
    evil = "x\n2026-01-01 ERROR forged \x1b[31m" + "y" * 10_000
    site.answers[PROGRESS] = {"files": [{"path": "/S1/P1.zip", "state": "FAILED", "error": evil}]}
    text = str(asked(site))
    assert text.isprintable()
    assert len(text) < 400


def test_both_ways_to_tell_of_a_file_are_read(site):
    items = [
        {"path": "/a", "onDisk": True},
        {"path": "/b", "onDisk": False},
        {"path": "/c", "state": "STARTED", "bytesDone": 5},
        {"path": "/d", "state": "SUBMITTED", "bytesDone": True},
    ]
    site.answers[PROGRESS] = {"files": items}
    found = TapeSite(site.url, site_session(None, None)).progress("r1")
    assert {path: (one.progress, one.bytes_done) for path, one in found.items()} == {
        "/a": (Progress.COMPLETED, 0),
        "/b": (Progress.SUBMITTED, 0),
        "/c": (Progress.STARTED, 5),
        "/d": (Progress.SUBMITTED, 0),
    }


# ---------------------------------------------------------------------------------------- the door


def test_a_file_comes_through_the_machines_behind_the_door(site):
    site.answers["GET /S1/P1.zip"] = says(307, Location="/pool7/xyz?ticket=1")
    site.answers["GET /pool7/xyz?ticket=1"] = says(200, CONTENT)
    assert asked(site) == CONTENT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says(302, Location="file:///etc/passwd"), "file:///etc/passwd"),
        (says(302, Location="/S1/P1.zip"), "redirects elsewhere"),
        (says(503), "not at work"),
        (says(403), "our token"),
        (says(200, CONTENT[:4], length=10), "broke off"),
    ],
    ids=["file", "round", "503", "403", "torn"],
)
def test_a_door_that_does_not_open_is_nobodys_fault(site, answer, said, monkeypatch):
    monkeypatch.setattr("storage.backends.resuming._PAUSE_S", 0.0)
    site.answers["GET /S1/P1.zip"] = answer
    error = asked(site)
    assert isinstance(error, TapeUnavailableError)
    assert said in str(error)


def torn_then(rest):
    """Return an answer that breaks off after four bytes, and is `rest` the next time."""
    first = iter([True])

    def answer(handler):
        if next(first, False):
            handler.say(200, CONTENT[:4], length=10, ETag='"1"')
        else:
            assert handler.headers["Range"] == "bytes=4-"
            assert handler.headers["If-Range"] == '"1"'
            rest(handler)

    return answer


def part(start, tag='"1"'):
    return says(206, CONTENT[start:], ETag=tag, Content_Range=f"bytes {start}-9/10")


@pytest.mark.parametrize(
    "rest", [part(4), says(200, CONTENT, ETag='"1"')], ids=["partial", "whole"]
)
def test_a_torn_transfer_goes_on(site, rest):
    site.answers["GET /S1/P1.zip"] = torn_then(rest)
    assert asked(site) == CONTENT


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (part(3), "byte 4 was asked for, 3 comes"),
        (says(206, CONTENT[4:], ETag='"1"'), "byte 4 was asked for, -1 comes"),
        (part(4, tag='"2"'), "changed while it came"),
        (says(200, CONTENT, ETag='"2"'), "changed while it came"),
        (says(416), "HTTP 416"),
    ],
    ids=["earlier", "unsaid", "another", "replaced", "416"],
)
def test_a_torn_transfer_does_not_go_on_with_something_else(site, rest, said):
    site.answers["GET /S1/P1.zip"] = torn_then(rest)
    error = asked(site)
    assert type(error) is TapeError
    assert said in str(error)


# ---------------------------------------------------------------------------------------- the token


def test_the_token_is_read_anew_and_shown_to_the_site_only(site, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # which would not answer
    file = tmp_path / "token"
    file.write_text("one\n")
    file.chmod(0o600)
    session = site_session(file, None)
    port = site.server_port
    site.answers["GET /S1/P1.zip"] = says(302, Location=f"http://localhost:{port}/elsewhere")
    site.answers["GET /elsewhere"] = says(200, CONTENT)
    backend = WlcgTape(TapeSite(site.url, session), session, site.url, batches=1)
    handle = backend.submit("slot-1", [FILE])
    file.write_text("two")
    assert outcome(backend, handle) == CONTENT
    shown = {path: headers.get("Authorization") for _, path, headers in site.seen}
    assert shown["/api/v1/stage"] == "Bearer one"
    assert shown["/S1/P1.zip"] == "Bearer two"
    assert shown["/elsewhere"] is None
    backend.release(handle)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("secret", 0o644, "can be read by others"),
        ("", 0o600, "no token"),
        ("a b", 0o600, "no token"),
    ],
)
def test_a_token_file_that_is_wrong_is_named_and_its_token_not(site, tmp_path, text, mode, said):
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(TapeUnavailableError, match=said) as caught:
        TapeSite(site.url, site_session(file, None)).localities(["/a"])
    assert "secret" not in str(caught.value)
    assert site.seen == []


def test_a_token_file_that_is_absent_is_named(site, tmp_path):
    session = site_session(tmp_path / "nowhere", None)
    with pytest.raises(TapeUnavailableError, match=r"nowhere cannot be read"):
        TapeSite(site.url, session).localities(["/a"])


def test_localities_are_those_of_the_interface(site):
    paths = [f"/{one.value}" for one in Locality]
    items = [{"path": path, "locality": path[1:]} for path in paths]
    site.answers["POST /api/v1/archiveinfo"] = [*items, {"path": "/odd", "locality": "MOON"}]
    found = TapeSite(site.url, site_session(None, None)).localities([*paths, "/odd", "/silent"])
    assert list(found.values()) == [*Locality, None, None]


def test_a_site_that_is_not_there_is_nobodys_fault():
    url = "http://127.0.0.1:9"
    session = site_session(None, None)
    backend = WlcgTape(TapeSite(url, session), session, url, batches=1)
    with pytest.raises(TapeUnavailableError, match="does not answer"):
        backend.submit("slot-1", [FILE])
    assert not backend.drives()[0].is_busy
