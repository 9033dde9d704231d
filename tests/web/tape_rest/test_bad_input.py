"""What the tape service refuses, and that nothing is asked of the tape then."""

import json
import time

import pytest

from tests.archive_world import ArchiveWorld
from tests.web.tape_rest.asking import API, is_problem, path_of, stage, staged, states
from tests.web.tape_rest.served import client_of


@pytest.fixture(scope="module")
def lasting_world(tmp_path_factory):
    """An archive with one product on tape, for tests that change nothing."""
    world = ArchiveWorld(tmp_path_factory.mktemp("lasting"))
    world.add("P1", b"x")
    return world


@pytest.fixture(scope="module")
def refusing(lasting_world):
    return client_of(lasting_world)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/S1/../../etc/passwd", "goes up"),
        ("/S1/./a.zip", "stays where it is"),
        ("", "is empty"),
        ("///", "is empty"),
        ("/a\u2028b", "a character that no path has"),
        ("/" + "a" * 600, "601 characters"),
        (7, "is not a text"),
        (None, "is not a text"),
        (["/a"], "is not a text"),
    ],
)
def test_a_path_that_is_a_trick_is_refused_and_nothing_asked(lasting_world, refusing, path, reason):
    answer = stage(refusing, {"path": path_of("P1")}, {"path": path})
    assert reason in is_problem(answer, 400)["detail"]
    assert lasting_world.recalls() == []
    for address in ("archiveinfo", "release/x"):
        is_problem(refusing.post(f"{API}/{address}", json={"paths": [path]}), 400)


def test_a_percent_encoding_is_taken_by_the_letter(world, client):
    world.add("P1", b"x")
    name = "/S1/2021/08/09/%50%31.zip"
    assert states(client, staged(client, name)) == {name: "FAILED"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"files": []},
        {"files": {}},
        {"files": "x"},
        {"files": ["/a"]},
        {"paths": ["/a"]},
        {"files": [{"path": "/a", "diskLifetime": "8 hours"}]},
        {"files": [{"path": "/a", "diskLifetime": "P"}]},
        {"files": [{"path": "/a", "diskLifetime": "PT"}]},
        {"files": [{"path": "/a", "diskLifetime": 3600}]},
        {"files": [{"path": "/a"}], "deadline": "tomorrow"},
        {"files": [{"path": "/a"}], "deadline": "2001-01-01T00:00:00Z"},
        {"files": [{"path": "/a"}], "deadline": "0001-01-01T00:00:00+23:59"},
        {"files": [{"path": "/a"}], "deadline": 5},
    ],
)
def test_a_body_of_another_form_is_refused(refusing, body):
    is_problem(refusing.post(f"{API}/stage", json=body), 400)


def test_100_000_paths_are_refused_cheaply(refusing):
    body = json.dumps({"files": [{"path": f"/a{n}"} for n in range(100_000)]})
    begin = time.process_time()
    answer = refusing.post(f"{API}/stage", data=body, content_type="application/json")
    assert time.process_time() - begin < 5
    assert "10000 are allowed" in is_problem(answer, 413)["detail"]


def test_archiveinfo_of_too_many_files_tells_of_the_first(refusing):
    paths = [path_of("P1"), *(f"/a{n}" for n in range(10_500))]
    told = refusing.post(f"{API}/archiveinfo", json={"paths": paths}).json
    assert len(told) == 10_000
    assert told[0] == {"path": path_of("P1"), "locality": "TAPE"}


def test_a_body_that_is_not_json_is_refused(refusing):
    is_problem(refusing.post(f"{API}/stage", data="{", content_type="application/json"), 400)
    is_problem(refusing.post(f"{API}/stage", data="a=b", content_type="text/plain"), 415)
    is_problem(refusing.put(f"{API}/stage"), 405)
    is_problem(refusing.get(f"{API}/nothing"), 404)


def test_who_waits_for_too_much_is_told_when_to_come_back(tmp_path):
    world = ArchiveWorld(tmp_path, PEPS_STORAGE_MAX_WAITING_FILES="1")
    client = client_of(world)
    for title in ("P1", "P2"):
        world.add(title, title.encode())
    answer = stage(client, {"path": path_of("P1")}, {"path": path_of("P2")})
    assert "1 products" in is_problem(answer, 429)["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get(f"{API}/stage").json == {"requests": []}
