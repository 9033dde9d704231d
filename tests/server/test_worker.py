"""The web process as it is served: files beside searches, connections that go on or close."""

import http.client
import os
import signal
import socket
import struct
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from catalog_db.access import downloads
from catalog_db.access.downloads import Usage
from catalog_db.catalogue.products import product_uid
from tests.archive_world import ArchiveWorld
from tests.live_server import serving
from tests.patience import stretched, until
from tests.processes import children

TITLE = "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8"
# More than sockets of both sides hold, so that it cannot be gone before its reader reads.
CONTENT = os.urandom(1 << 20) * 24
SUBJECT = "from 127.0.0.1"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path_factory.mktemp("var"))
    world.add(TITLE, CONTENT, tier="disk")
    yield world
    world.engine.dispose()


@pytest.fixture(scope="module")
def address(world: ArchiveWorld) -> Iterator[str]:
    with serving(world.root, PEPS_AUTH_MODE="open", PEPS_DOWNLOADS_FILES_USER="40") as url:
        yield url


@pytest.fixture
def path() -> str:
    return f"/resto/collections/S1/{product_uid('S1', TITLE)}/download"


def ask(address: str, path: str, *headers: str) -> socket.socket:
    """Ask for something, read nothing."""
    host, port = address.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=stretched(60))
    lines = [f"GET {path} HTTP/1.1", "Host: peps.test", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def used(world: ArchiveWorld, now: datetime | None = None) -> Usage:
    with world.engine.begin() as connection:
        return downloads.usage(connection, SUBJECT, now or datetime.now(UTC))


def await_running(world: ArchiveWorld, number: int) -> None:
    until(lambda: len(used(world).running) == number, 60)


def test_readers_that_take_nothing_leave_the_threads_to_searches(world, address, path) -> None:
    readers = [ask(address, path) for _ in range(24)]
    for reader in readers:
        assert reader.recv(12) == b"HTTP/1.1 200"
    await_running(world, 24)

    search = f"{address}/resto/api/collections/S1/search.json"
    for _ in range(10):
        with urllib.request.urlopen(search, timeout=60) as answer:
            assert answer.status == 200
    for reader in readers:
        reader.close()
    await_running(world, 0)


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost: ",
        b"POST /wps HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n<",
        b"POST /wps HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n<",
    ],
)
def test_clients_that_never_end_their_request_hold_no_thread(address, begun) -> None:
    host, port = address.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port)), timeout=60) for _ in range(24)]
    for connection in slow:
        connection.sendall(begun)

    # There are eight threads; gunicorn's own way holds each for ever.
    search = f"{address}/resto/api/collections/S1/search.json"
    with urllib.request.urlopen(search, timeout=stretched(30)) as answer:
        assert answer.status == 200
    for connection in slow:
        connection.close()


@pytest.mark.parametrize("chunks", [b"ZZ\r\n<x/>\r\n0\r\n\r\n", b"2\r\n<x/>\r\n0\r\n\r\n"])
@pytest.mark.parametrize("target", ["/wps", "/ogcapi/processes/echo/execution", "/stac/search"])
def test_chunks_that_are_none_are_the_fault_of_the_client(address, target, chunks) -> None:
    host, port = address.removeprefix("http://").split(":")
    head = f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=stretched(30)) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"sound chunks" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_connection_goes_on_after_a_file(address, path) -> None:
    host = address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    for number in range(3):
        connection.request("GET", path, headers={"Range": f"bytes={number}-"})
        answer = connection.getresponse()
        assert answer.read() == CONTENT[number:]
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()


def test_requests_sent_ahead_are_answered_one_after_the_other(address, path) -> None:
    part = f"GET {path} HTTP/1.1\r\nHost: peps.test\r\nRange: bytes=0-99\r\n"
    with ask(address, path) as connection:
        connection.sendall(f"{part}Connection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(1 << 20):
            answer += chunk
    first, _, rest = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200")
    assert rest[: len(CONTENT)] == CONTENT
    second, _, last = rest[len(CONTENT) :].partition(b"\r\n\r\n")
    assert second.startswith(b"HTTP/1.1 206")
    assert last == CONTENT[:100]


def test_a_slow_reader_of_a_connection_that_closes_gets_all(address, path) -> None:
    with ask(address, path, "Connection: close") as connection:
        answer = connection.recv(1 << 16)
        time.sleep(0.3)
        while chunk := connection.recv(1 << 20):
            answer += chunk
    assert answer.partition(b"\r\n\r\n")[2] == CONTENT


def test_a_file_evicted_while_it_is_sent_arrives_whole(world, address, path) -> None:
    other = world.add("S1A_EVICTED", CONTENT[:-1], tier="disk")
    with ask(address, path.replace(path.split("/")[4], other), "Connection: close") as connection:
        answer = connection.recv(1 << 16)
        world.pool_file("S1A_EVICTED").unlink()
        while chunk := connection.recv(1 << 20):
            answer += chunk
    assert answer.partition(b"\r\n\r\n")[2] == CONTENT[:-1]


def test_what_is_above_the_quota_is_429_and_says_so(world, address, path) -> None:
    readers = [ask(address, path) for _ in range(40)]
    await_running(world, 40)
    with ask(address, path, "Connection: close") as connection:
        answer = b""
        while chunk := connection.recv(1 << 16):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 429")
    assert b"\r\nRetry-After: " in head
    assert b'"ErrorCode": 420' in body
    assert b"40 of your downloads are running and 40 at once are allowed" in body
    for reader in readers:
        reader.close()
    await_running(world, 0)


def test_clients_that_vanish_at_any_moment_harm_nobody(world, address, path) -> None:
    search = "/resto/api/collections/S1/search.json"
    for number in range(40):
        connection = ask(address, (path, search)[number % 2], "Connection: close")
        if number % 3:
            connection.recv(1 + 4096 * (number % 5))
        # Reset, not closed in order.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    await_running(world, 0)
    with urllib.request.urlopen(address + path, timeout=30) as answer:
        assert answer.read() == CONTENT


def test_downloads_of_a_killed_process_end_by_their_lease(world, path) -> None:
    others = set(children(os.getpid()))
    with serving(world.root, PEPS_AUTH_MODE="open") as address, ask(address, path) as reader:
        reader.recv(12)
        await_running(world, 1)
        (server,) = set(children(os.getpid())) - others
        for worker in children(server):
            os.kill(worker, signal.SIGKILL)
        while reader.recv(1 << 20):
            pass
    assert len(used(world).running) == 1
    assert used(world, datetime.now(UTC) + timedelta(minutes=5)).running == ()


def test_a_download_that_a_stop_cuts_off_is_written_down(world, path) -> None:
    with serving(world.root, PEPS_AUTH_MODE="open") as address, ask(address, path) as reader:
        reader.recv(12)
        running = {one.id for one in used(world).running}
        assert running
    assert not running & {one.id for one in used(world).running}
