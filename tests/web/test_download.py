"""Downloads as the clients of PEPS rely on them."""

import base64
import hashlib
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from werkzeug.test import Client

from catalog_db.catalogue import products, succession
from catalog_db.tables import recall
from peps_wps.app import Application
from peps_wps.services import Services
from peps_wps.web import download
from storage.recall import RecallPolicy
from tests.archive_world import ArchiveWorld
from tests.live_server import serving

TITLE = "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8"


@pytest.fixture
def world(tmp_path):
    return ArchiveWorld(tmp_path)


class ClosingClient(Client):
    """Reads each answer to its end and closes it, as a server does."""

    def open(self, *arguments, **options):
        return super().open(*arguments, **{**options, "buffered": True})


def client_of(world):
    services = Services.of(world.config, world.engine)
    return ClosingClient(Application(services, download.rules()))


@pytest.fixture
def client(world):
    return client_of(world)


@pytest.fixture(scope="module")
def content():
    return np.random.default_rng(20210809).bytes(100_000)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, content):
    """An archive that is only read, with one product on disk."""
    world = ArchiveWorld(tmp_path_factory.mktemp("shelf"))
    world.add(TITLE, content, tier="disk")
    return world


@pytest.fixture
def reader(shelf):
    return client_of(shelf)


@pytest.fixture
def shelved(shelf):
    (uid,) = shelf.contents
    return f"/resto/collections/S1/{uid}/download"


@pytest.fixture
def on_disk(world, content):
    return f"/resto/collections/S1/{world.add(TITLE, content, tier='disk')}/download"


@pytest.fixture
def on_tape(world, content):
    return f"/resto/collections/S1/{world.add(TITLE, content)}/download"


@pytest.mark.parametrize("ending", ["", "/", "?issuerId=peps", "/?issuerId=peps"])
def test_a_product_on_disk_is_sent_whole(reader, shelved, content, ending):
    answer = reader.get(shelved + ending)
    assert answer.status_code == 200
    assert answer.data == content
    assert answer.headers["Content-Length"] == "100000"
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{TITLE}.zip"'
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"


def test_a_product_on_tape_is_202_without_body_until_it_is_recalled(
    world, client, on_tape, content
):
    for _ in range(3):
        answer = client.get(on_tape)
        assert answer.status == "202 You should retry the request"
        assert answer.data == b""
        assert answer.headers["Content-Length"] == "0"
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["X-regards-retry"] == answer.headers["Retry-After"]
    assert len(world.recalls()) == 1

    world.service().run_once()
    assert client.get(on_tape).data == content


def test_retry_after_is_the_expected_time_in_seconds(tmp_path):
    world = ArchiveWorld(tmp_path, PEPS_TAPE_SPEED="1", PEPS_TAPE_BANDWIDTH_MB_S="1")
    uid = world.add(TITLE, bytes(2_500_000))
    answer = client_of(world).get(f"/resto/collections/S1/{uid}/download")
    assert answer.headers["Retry-After"] == "7"  # 4 s to mount, 2.5 s to read, rounded up


def test_head_tells_the_size_and_starts_no_recall(world, client, on_tape):
    assert client.head(on_tape).status_code == 202
    assert world.recalls() == []
    uid = on_tape.split("/")[4]
    world.archive.request([uid], user="u", purpose="p")
    world.service().run_once()
    answer = client.head(on_tape)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "100000")
    assert answer.data == b""


@pytest.mark.parametrize(
    ("wanted", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=99990-", 99_990, 100_000),
        ("bytes=-5", 99_995, 100_000),
        ("bytes=-200000", 0, 100_000),
        ("bytes=500-999999", 500, 100_000),
        ("bytes=0-", 0, 100_000),
    ],
)
def test_a_range_is_sent_as_asked(reader, shelved, content, wanted, first, end):
    answer = reader.get(shelved, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.data == content[first:end]
    assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/100000"
    assert answer.headers["Content-Length"] == str(end - first)


@pytest.mark.parametrize("wanted", ["bytes=100000-", "bytes=200000-300000", "bytes=-0"])
def test_a_range_outside_the_file_is_416_with_its_size(reader, shelved, wanted):
    answer = reader.get(shelved, headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */100000"


@pytest.mark.parametrize("wanted", ["lines=1-2", "bytes=x-y", "bytes=5-1", "bytes=0-1,5-9"])
def test_a_range_that_means_nothing_here_is_ignored(reader, shelved, content, wanted):
    answer = reader.get(shelved, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (200, content)


def test_if_range_gives_the_rest_of_the_same_file_only(reader, shelved, content):
    head = reader.head(shelved)
    for condition in (head.headers["ETag"], head.headers["Last-Modified"]):
        answer = reader.get(shelved, headers={"Range": "bytes=5-", "If-Range": condition})
        assert (answer.status_code, answer.data) == (206, content[5:])
    stale = ('"another"', f"W/{head.headers['ETag']}", "Mon, 09 Aug 2021 17:39:53 GMT")
    for condition in stale:
        answer = reader.get(shelved, headers={"Range": "bytes=5-", "If-Range": condition})
        assert (answer.status_code, answer.data) == (200, content)


def test_a_known_file_is_not_sent_again(reader, shelved):
    etag = reader.head(shelved).headers["ETag"]
    assert reader.get(shelved, headers={"If-None-Match": etag}).status_code == 304


def test_a_file_evicted_after_the_search_is_202_again(world, client, on_tape, content):
    client.get(on_tape)
    world.service().run_once()
    assert client.get(on_tape).status_code == 200
    world.pool_file(TITLE).unlink()
    answer = client.get(on_tape)
    assert (answer.status_code, answer.data) == (202, b"")
    world.service().run_once()
    assert client.get(on_tape).data == content


def test_a_file_that_is_there_is_sent_also_while_it_is_recalled_again(
    world, client, on_tape, content
):
    client.get(on_tape)
    world.service().run_once()
    (done,) = world.recalls()
    with world.engine.begin() as connection:  # as a race of two recalls would leave it
        again = {**done._asdict(), "id": done.id + 1, "state": "queued"}
        connection.execute(recall.insert().values(**again))
    answer = client.get(on_tape)
    assert (answer.status_code, answer.data) == (200, content)


def test_a_product_recalled_for_a_download_is_pinned_as_long_as_configured(world, client, on_tape):
    client.get(on_tape)
    world.service().run_once()
    (listed,) = world.archive.requests()
    (file,) = world.archive.status(listed.request.id).files
    assert (file.pin_until - file.finished).total_seconds() == 1800


def test_a_recall_that_failed_says_why_and_the_next_request_tries_anew(world, client, on_tape):
    world.tape_file(TITLE).rename(world.root / "lost")
    client.get(on_tape)
    world.service(RecallPolicy(max_attempts=1)).run_once()
    answer = client.get(on_tape)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "cannot be read at position 0" in answer.json["ErrorMessage"]
    assert client.get(on_tape).status_code == 202
    assert [row.state for row in world.recalls()] == ["failed", "queued"]


def test_who_waits_for_too_much_from_tape_is_told_so_with_the_code_of_peps(tmp_path, content):
    world = ArchiveWorld(tmp_path, PEPS_STORAGE_MAX_WAITING_FILES="1")
    first, second = (world.add(f"S1A_{number}", content) for number in range(2))
    client = client_of(world)
    assert client.get(f"/resto/collections/S1/{first}/download").status_code == 202
    answer = client.get(f"/resto/collections/S1/{second}/download")
    assert answer.status_code == 429
    assert answer.json["ErrorCode"] == 420
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get(f"/resto/collections/S1/{first}/download").status_code == 202


def test_more_than_a_day_allows_is_429_and_what_fits_is_still_sent(tmp_path, content):
    world = ArchiveWorld(tmp_path, PEPS_DOWNLOADS_GB_DAY_USER="0.00015")
    path = f"/resto/collections/S1/{world.add(TITLE, content, tier='disk')}/download"
    client = client_of(world)
    assert client.get(path).data == content
    assert client.head(path).status_code == 200  # sends nothing
    answer = client.get(path)
    assert (answer.status_code, answer.json["ErrorCode"]) == (429, 420)
    assert "0.0001 GB in the last 24 hours" in answer.json["ErrorMessage"]
    assert 86_000 < int(answer.headers["Retry-After"]) <= 87_000
    assert client.get(path, headers={"Range": "bytes=-50000"}).status_code == 206
    other = client.get(path, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert other.data == content


@pytest.mark.parametrize(
    "path",
    [
        "/resto/collections/S1/no-such-product/download",
        "/resto/collections/S1/..%2f..%2fetc/download",
        "/resto/collections/S1/%2e%2e/download",
        "/resto/collections/S1/a%00b/download",
        "/resto/collections/S1/%F0%9F%9B%B0/download/",
        f"/resto/collections/S1/{'x' * 5000}/download",
        "/resto/collections/S1'--/1 OR 1=1/download",
        "/resto/collections/S1/00000000-0000-0000-0000-000000000000/download/",
    ],
)
def test_an_unknown_product_is_404(reader, path):
    answer = reader.get(path)
    assert answer.status_code == 404
    assert answer.json["ErrorCode"] == 404


def test_a_product_of_another_collection_is_404(reader, shelved):
    assert reader.get(shelved.replace("/S1/", "/S2/")).status_code == 404


def test_a_withdrawn_product_is_410(world, client, on_disk):
    with world.engine.begin() as connection:
        products.withdraw(connection, on_disk.split("/")[4])
    answer = client.get(on_disk)
    assert answer.status_code == 410
    assert answer.json["ErrorMessage"] == f"the product {TITLE} has been withdrawn"


def test_a_superseded_product_is_404_and_names_the_one_that_stands_for_it_now(
    world, client, on_disk, content
):
    old = on_disk.split("/")[4]
    second = world.add("S1A_SECOND", content, tier="disk")
    third = world.add("S1A_THIRD", content, tier="disk")
    with world.engine.begin() as connection:
        for uid, successor in ((old, second), (second, third)):
            products.withdraw(connection, uid)
            succession.supersede(connection, uid, successor)
    answer = client.get(on_disk)
    assert answer.status_code == 404
    assert answer.json == {
        "ErrorMessage": f"Feature has been moved, new feature id is : {third}",
        "ErrorCode": 404,
    }
    assert client.get(on_disk.replace(old, third)).data == content
    with world.engine.begin() as connection:  # a circle, by mistake: an answer all the same
        succession.supersede(connection, third, old)
    assert client.get(on_disk).status_code == 404


# -------------------------------------------------------------------------------- over a socket


@pytest.fixture
def server(world):
    with serving(world.root, PEPS_AUTH_MODE="open") as address:
        yield address


@pytest.mark.slow
def test_200_parallel_downloads_are_exact(server, on_disk, content):
    def fetch(number):
        request = urllib.request.Request(server + on_disk)
        if number % 2:
            request.add_header("Range", f"bytes={number}-{number + 49_999}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    with ThreadPoolExecutor(200) as pool:
        bodies = list(pool.map(fetch, range(200)))
    for number, body in enumerate(bodies):
        assert body == (content[number : number + 50_000] if number % 2 else content)
