"""The tape service says and does what WLCG Tape REST v1 (reference document) demands."""

import time
from datetime import timedelta

from catalog_db import times
from catalog_db.access import users
from catalog_db.access.users import User
from catalog_db.catalogue import products
from peps_wps.access import tokens
from tests.archive_world import ArchiveWorld
from tests.web.tape_rest.asking import (
    API,
    files,
    is_problem,
    locality,
    path_of,
    recall_all,
    stage,
    staged,
    states,
)
from tests.web.tape_rest.served import client_of

# ------------------------------------------------------------------------------- discovery


def test_the_service_is_found_by_the_well_known_address(client):
    found = client.get("/.well-known/wlcg-tape-rest-api").json
    assert found["sitename"] == "peps@localhost"
    assert found["endpoints"] == [
        {"uri": "http://localhost/tape/api/v1", "version": "v1", "metadata": {}}
    ]


# ----------------------------------------------------------------------- examples of the document


def test_the_submission_of_the_specification_is_taken(client):
    example = """{"files": [
      {"path": "/experiment/test/test.txt",
       "targetedMetadata": {"sitename-from-well-known": {"activity": "exper_t0_daq"}}},
      {"path": "/eos/experiment/test/test2.txt", "diskLifetime":"PT1H",
       "targetedMetadata": {"sitename-from-well-known": {"activity": "exper_t0_daq"}}}]}"""
    answer = client.post(f"{API}/stage", data=example, content_type="application/json")
    assert answer.status_code == 201
    assert list(answer.json) == ["requestId"]
    assert answer.headers["Location"].endswith(f"{API}/stage/{answer.json['requestId']}")
    told = client.get(answer.headers["Location"]).json
    assert {one["state"] for one in told["files"]} == {"FAILED"}
    assert told["completedAt"] >= told["createdAt"]


def test_a_request_is_told_with_the_members_and_types_of_the_specification(world, client):
    world.add("P1", b"x" * 1000)
    request_id = staged(client, path_of("P1"), "/nowhere")
    told = client.get(f"{API}/stage/{request_id}").json
    assert set(told) == {"id", "createdAt", "startedAt", "files"}
    assert told["id"] == request_id
    assert abs(told["createdAt"] - time.time()) < 60
    by_path = {one["path"]: one for one in told["files"]}
    assert by_path[path_of("P1")] == {
        "path": path_of("P1"),
        "state": "SUBMITTED",
        "bytesDone": 0,
        "sizeBytes": 1000,
        "position": 1,
        "expectedSeconds": by_path[path_of("P1")]["expectedSeconds"],
    }
    assert by_path["/nowhere"]["error"] == "the archive has no file /nowhere"
    recall_all(world)
    told = client.get(f"{API}/stage/{request_id}").json
    (done,) = [one for one in told["files"] if one["path"] == path_of("P1")]
    assert (done["state"], done["bytesDone"]) == ("COMPLETED", 1000)
    assert "error" not in done
    assert "onDisk" not in done
    assert told["createdAt"] <= done["finishedAt"] == told["completedAt"]


def test_the_cancellation_of_a_foreign_file_changes_nothing(world, client):
    world.add("P1", b"x")
    request_id = staged(client, path_of("P1"))
    body = {"paths": [path_of("P1"), "/file/example.txt"]}
    answer = client.post(f"{API}/stage/{request_id}/cancel", json=body)
    assert "/file/example.txt does not belong" in is_problem(answer, 400)["detail"]
    assert states(client, request_id) == {path_of("P1"): "SUBMITTED"}


def test_archiveinfo_tells_where_files_are(world, client):
    for title, tier in (("TAPE", "tape"), ("BOTH", "tape"), ("DISK", "disk"), ("LOST", "disk")):
        world.add(title, title.encode(), tier=tier)
    world.add("EMPTY", b"")
    staged(client, path_of("BOTH"))
    recall_all(world)
    world.pool_file("LOST").unlink()
    client.get(f"/archive{path_of('LOST')}")
    assert {title: locality(client, path_of(title)) for title in ("TAPE", "BOTH", "DISK")} == {
        "TAPE": "TAPE",
        "BOTH": "DISK_AND_TAPE",
        "DISK": "DISK",
    }
    assert locality(client, path_of("LOST")) == "LOST"
    assert locality(client, path_of("EMPTY")) == "NONE"
    (unknown,) = client.post(f"{API}/archiveinfo", json={"paths": ["/no/such"]}).json
    assert unknown == {"path": "/no/such", "error": "the archive has no file /no/such"}


# ------------------------------------------------------------------------------- life of a request


def test_a_file_on_disk_is_not_rejected_and_pinned(world, client):
    world.add("P1", b"x", tier="disk")
    assert states(client, staged(client, path_of("P1"))) == {path_of("P1"): "COMPLETED"}


def test_files_are_named_by_path_title_or_door_and_told_by_the_name_given(world, client):
    for title in ("P1", "P2", "P3", "P4"):
        world.add(title, title.encode())
    names = [path_of("P1"), "P2", f"/archive{path_of('P3')}", "S1/2021/08/09/P4.zip"]
    request_id = staged(client, *names)
    assert set(states(client, request_id)) == set(names)
    answer = client.post(f"{API}/stage/{request_id}/cancel", json={"paths": ["P2", names[2]]})
    assert (answer.status_code, answer.data) == (200, b"")
    assert states(client, request_id) == dict(
        zip(names, ["SUBMITTED", "CANCELLED", "CANCELLED", "SUBMITTED"], strict=True)
    )


def test_needless_slashes_and_repeated_paths_count_once(world, client):
    world.add("P1", b"x")
    request_id = staged(client, "//S1//2021/08/09/P1.zip/", path_of("P1"), path_of("P1")[1:])
    assert list(states(client, request_id)) == [path_of("P1")]
    answer = client.post(f"{API}/release/{request_id}", json={"paths": [f"/{path_of('P1')}"]})
    assert answer.status_code == 200


def test_a_deleted_request_is_unknown_and_its_recalls_end(world, client):
    world.add("P1", b"x")
    request_id = staged(client, path_of("P1"))
    assert client.delete(f"{API}/stage/{request_id}").status_code == 200
    is_problem(client.get(f"{API}/stage/{request_id}"), 404)
    is_problem(client.delete(f"{API}/stage/{request_id}"), 404)
    assert [row.state for row in world.recalls()] == ["cancelled"]


def test_a_released_file_may_be_evicted_and_stays_complete(world, client):
    world.add("P1", b"x")
    request_id = staged(client, path_of("P1"))
    recall_all(world)
    assert world.archive.pool_state().pinned_bytes == 1
    client.post(f"{API}/release/{request_id}", json={"paths": [path_of("P1")]})
    assert world.archive.pool_state().pinned_bytes == 0
    assert states(client, request_id) == {path_of("P1"): "COMPLETED"}


def test_the_longest_disk_lifetime_counts_up_to_the_limit(world, client):
    world.add("P1", b"x", tier="disk")
    wanted = {"path": path_of("P1"), "diskLifetime": "P1DT12H"}
    request_id = stage(client, wanted).json["requestId"]
    (file,) = world.archive.status(request_id).files
    expected = times.now() + timedelta(hours=36)
    assert abs(file.pin_until - expected) < timedelta(minutes=5)
    answer = stage(client, {**wanted, "diskLifetime": "P1Y"})
    assert "336 h at most" in is_problem(answer, 400)["detail"]


def test_what_is_not_there_by_the_deadline_fails(world, client, monkeypatch):
    world.add("P1", b"x")
    deadline = times.now() + timedelta(hours=1)
    request_id = staged(client, path_of("P1"), deadline=deadline.isoformat())
    assert states(client, request_id) == {path_of("P1"): "SUBMITTED"}
    monkeypatch.setattr(times, "now", lambda: deadline + timedelta(seconds=1))
    told = files(client, request_id)[path_of("P1")]
    assert told["state"] == "FAILED"
    assert "deadline" in told["error"]


def test_a_withdrawn_product_fails_alone(world, client):
    gone = world.add("P1", b"x")
    world.add("P2", b"y")
    with world.engine.begin() as connection:
        products.withdraw(connection, gone)
    request_id = staged(client, path_of("P1"), path_of("P2"))
    told = files(client, request_id)
    assert "withdrawn" in told[path_of("P1")]["error"]
    assert told[path_of("P2")]["state"] == "SUBMITTED"


def test_requests_are_listed_the_newest_first(world, client):
    world.add("P1", b"x")
    first, second = staged(client, path_of("P1")), staged(client, path_of("P1"))
    listed = client.get(f"{API}/stage").json["requests"]
    assert [one["id"] for one in listed] == [second, first]
    assert [(one["files"], one["done"]) for one in listed] == [(1, 0), (1, 0)]


# --------------------------------------------------------------------------------------- whose


def test_requests_are_seen_by_their_owner_only(tmp_path):
    world = ArchiveWorld(tmp_path, PEPS_AUTH_MODE="basic")
    client = client_of(world)
    with world.engine.begin() as connection:
        for name in ("ann", "bob"):
            users.add(connection, User(name, times.now(), None))
    text = {
        name: tokens.issue(world.engine, name, label="t", lasts=timedelta(hours=1))[0]
        for name in ("ann", "bob")
    }
    world.add("P1", b"x")
    body = {"files": [{"path": path_of("P1")}]}
    refused = client.post(f"{API}/stage", json=body)
    is_problem(refused, 401)
    assert "WWW-Authenticate" in refused.headers
    is_problem(client.post(f"{API}/archiveinfo", json={"paths": ["/a"]}), 401)

    def asking(name):
        return {"Authorization": f"Bearer {text[name]}"}

    made = client.post(f"{API}/stage", json=body, headers=asking("ann")).json["requestId"]
    for method, address in (
        ("GET", f"stage/{made}"),
        ("DELETE", f"stage/{made}"),
        ("POST", f"stage/{made}/cancel"),
        ("POST", f"release/{made}"),
    ):
        answer = client.open(
            f"{API}/{address}",
            method=method,
            json={"paths": [path_of("P1")]} if method == "POST" else None,
            headers=asking("bob"),
        )
        is_problem(answer, 404)
    assert client.get(f"{API}/stage/{made}", headers=asking("ann")).status_code == 200
    assert client.get(f"{API}/stage", headers=asking("bob")).json == {"requests": []}


def test_a_request_of_a_download_is_none_of_the_service(world, client):
    uid = world.add("P1", b"x")
    other = world.archive.request([uid], user="anonymous", purpose=f"download:{uid}")
    is_problem(client.get(f"{API}/stage/{other}"), 404)


# --------------------------------------------------------------------------------------- the door


def test_the_door_serves_what_is_on_disk_by_its_path(world, client):
    world.add("P1", b"0123456789", tier="disk")
    answer = client.get(f"/archive{path_of('P1')}", buffered=True)
    assert (answer.status_code, answer.data) == (200, b"0123456789")
    part = client.get(f"/archive{path_of('P1')}", headers={"Range": "bytes=4-"}, buffered=True)
    assert (part.status_code, part.data) == (206, b"456789")


def test_the_door_gives_no_answer_of_success_without_the_file(world, client):
    world.add("P1", b"x")
    assert "staged first" in is_problem(client.get(f"/archive{path_of('P1')}"), 409)["detail"]
    assert world.recalls() == []
    is_problem(client.get("/archive/P1"), 404)
    is_problem(client.get("/archive/S1/2021/08/09/P2.zip"), 404)
    is_problem(client.get("/archive/S1/%2e%2e/%2e%2e/etc/passwd"), 404)
