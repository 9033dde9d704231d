"""What gfal2 2.21.3 (gfal2-util 1.8.0, FTS's own library) sends, request for request.

Recorded from `gfal-xattr`, `gfal-bringonline`, `gfal-copy`, `gfal-archivepoll`, `gfal-evict` and
the Python binding against this service; each test makes the requests of one of them in their order,
and reads the answers as that client does.
"""

from functools import partial

import pytest

from catalog_db.catalogue import products
from peps_wps.access import Caller
from tests.web.tape_rest.served import client_of

AGENT = {"User-Agent": "gfal2-util/1.8.0 gfal2/2.21.3 neon/0.0.29", "TE": "trailers"}
ONE, TWO, NONE, DISK = (f"/archive/S1/2021/08/09/{name}.zip" for name in ("P1", "P2", "NO", "D"))


@pytest.fixture
def filled(world):
    for title in ("P1", "P2"):
        world.add(title, title.encode() * 1000)
    world.add("D", b"on disk", tier="disk")
    return world


class Gfal2:
    """Sends what gfal2 sends and reads what it reads."""

    def __init__(self, world):
        self.http = client_of(world)
        found = self.http.get("/.well-known/wlcg-tape-rest-api", headers=AGENT)
        assert (found.status_code, bool(found.json["sitename"])) == (200, True)
        (endpoint,) = [one for one in found.json["endpoints"] if one["version"] == "v1"]
        self.api = endpoint["uri"].removeprefix("http://localhost")

    def post(self, method, *items, key="paths"):
        """Send a list as gfal2 puts it together; its addresses end in a slash where no id does."""
        body = f'{{"{key}": [{", ".join(items)}]}}'
        headers = {**AGENT, "Content-Type": "application/json"}
        return self.http.post(f"{self.api}{method}", data=body, headers=headers)

    def post_paths(self, method, *paths):
        return self.post(method, *(f'"{path}"' for path in paths))

    def bring_online(self, *paths):
        metadata = '{"peps@localhost": {"activity": "x"}}'
        items = (f'{{"path": "{path}", "targetedMetadata": {metadata}}}' for path in paths)
        answer = self.post("/stage/", *items, key="files")
        assert answer.status_code == 201
        return answer.json["requestId"]

    def poll(self, token, *paths):
        """Return what `bring_online_poll` finds: None for READY, an error in words otherwise."""
        answer = self.http.get(f"{self.api}/stage/{token}", headers=AGENT)
        assert answer.status_code == 200
        items = {one["path"]: one for one in answer.json["files"]}
        return [self._outcome(items[path]) for path in paths]

    @staticmethod
    def _outcome(item):
        if item.get("error"):
            return item["error"]
        if "onDisk" in item:
            return None if item["onDisk"] is True else "not yet on disk"
        return None if item["state"] == "COMPLETED" else item["state"]

    def status(self, path):
        """Return the extended attribute user.status."""
        (item,) = self.post_paths("/archiveinfo/", path).json
        words = {"TAPE": "NEARLINE", "DISK": "ONLINE", "DISK_AND_TAPE": "ONLINE_AND_NEARLINE"}
        return words[item["locality"]]


@pytest.fixture
def gfal2(filled):
    return Gfal2(filled)


def test_gfal_bringonline_waits_until_ready_then_gfal_copy_fetches(world, gfal2):
    assert gfal2.status(ONE) == "NEARLINE"
    token = gfal2.bring_online(ONE)
    assert gfal2.poll(token, ONE) == ["SUBMITTED"]
    while world.service().run_once():
        pass
    assert gfal2.poll(token, ONE) == [None]
    assert gfal2.status(ONE) == "ONLINE_AND_NEARLINE"
    # gfal-copy: it looks whether there is WebDAV, asks for the size twice, then for the file.
    webdav = gfal2.http.open(ONE, method="PROPFIND", headers={**AGENT, "Depth": "0"})
    assert webdav.status_code == 405
    for _ in range(2):
        head = gfal2.http.head(ONE, headers=AGENT)
        assert (head.status_code, head.headers["Content-Length"]) == (200, "2000")
    assert gfal2.http.get(ONE, headers=AGENT, buffered=True).data == b"P1" * 1000


def test_gfal_bringonline_of_a_list_tells_of_each_file(world, gfal2):
    token = gfal2.bring_online(ONE, TWO, NONE)
    while world.service().run_once():
        pass
    assert gfal2.poll(token, ONE, TWO, NONE) == [None, None, f"the archive has no file {NONE}"]


def test_gfal_copy_of_a_file_on_tape_or_nowhere_fails(gfal2):
    for path, status in ((ONE, 409), (NONE, 404)):
        assert gfal2.http.head(path, headers=AGENT).status_code == status
        assert gfal2.http.get(path, headers=AGENT).status_code == status


def test_release_with_the_token_ends_the_pins_of_the_request(world, gfal2):
    token = gfal2.bring_online(ONE, TWO)
    while world.service().run_once():
        pass
    assert world.archive.pool_state().pinned_bytes == 4000
    assert gfal2.post_paths(f"/release/{token}", ONE, TWO).status_code == 200
    assert world.archive.pool_state().pinned_bytes == 0


@pytest.mark.parametrize(
    ("user", "purpose"),
    [("somebody", "tape-rest:theirs"), (Caller().name, "job:1")],
    ids=["of another user", "of a job"],
)
def test_gfal_evict_without_a_token_ends_the_pins_that_the_caller_has(world, gfal2, user, purpose):
    for _ in range(2):
        gfal2.bring_online(ONE, TWO)
    world.archive.request([products.product_uid("S1", "P1")], user=user, purpose=purpose)
    while world.service().run_once():
        pass
    assert world.archive.pool_state().pinned_bytes == 4000
    evict = partial(gfal2.post_paths, "/release/gfal2-placeholder-id")
    assert evict(TWO, NONE).status_code == 400  # nothing is changed
    assert world.archive.pool_state().pinned_bytes == 4000
    for _ in range(2):
        assert evict(ONE, TWO).status_code == 200
        assert world.archive.pool_state().pinned_bytes == 2000  # the other one's
    assert evict(DISK).status_code == 200


def test_abort_takes_files_of_the_request_only(gfal2):
    token = gfal2.bring_online(ONE)
    assert gfal2.post_paths(f"/stage/{token}/cancel", TWO).status_code == 400
    assert gfal2.poll(token, ONE) == ["SUBMITTED"]
    assert gfal2.post_paths(f"/stage/{token}/cancel", ONE).status_code == 200
    assert gfal2.poll(token, ONE) == ["CANCELLED"]


def test_gfal_archivepoll_tells_what_is_on_tape(gfal2):
    answer = gfal2.post_paths("/archiveinfo/", ONE, NONE, DISK)
    assert answer.json == [
        {"path": ONE, "locality": "TAPE"},
        {"path": NONE, "error": f"the archive has no file {NONE}"},
        {"path": DISK, "locality": "DISK"},
    ]
