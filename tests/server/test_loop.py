"""The loop that sends files: many readers, slow ones, lost ones, on real connections."""

import os
import queue
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path

import pytest

from peps_wps.server.loop import THREADS, Closing, FilePart, Sending, SocketLoop

CONTENT = os.urandom(3_000_000)


@pytest.fixture
def loop() -> Iterator[SocketLoop]:
    loop = SocketLoop()
    loop.start()
    yield loop
    loop.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def connected() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection; ours, the first, does not block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname(), timeout=30)
        ours, _ = listener.accept()
    ours.settimeout(0.0)
    return ours, theirs


def send(
    loop: SocketLoop, ours: socket.socket, path: Path, first: int = 0, end: int = len(CONTENT)
) -> "queue.SimpleQueue[bool]":
    """Have a part of a file sent; what is returned gets how it ended."""
    told: queue.SimpleQueue[bool] = queue.SimpleQueue()
    loop.add(Sending(ours, FilePart(FileIO(path), first, end), told.put))
    return told


def received(theirs: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count and (part := theirs.recv(1 << 16)):
        found += part
    return bytes(found)


def test_the_part_that_was_promised_arrives(loop: SocketLoop, file: Path) -> None:
    ours, theirs = connected()
    with ours, theirs:
        told = send(loop, ours, file, 1000, 2_500_000)
        assert received(theirs, 2_499_000) == CONTENT[1000:2_500_000]
        assert told.get(timeout=30) is True


def test_readers_that_take_nothing_stop_nobody(loop: SocketLoop, file: Path) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    pairs = [connected() for _ in range(8 * THREADS)]
    big = file.with_name("big")
    big.touch()
    os.truncate(big, 1 << 30)
    ended = [send(loop, ours, big, 0, 1 << 30) for ours, _ in pairs]
    ours, theirs = connected()
    with ours, theirs:
        told = send(loop, ours, file)
        assert received(theirs, len(CONTENT)) == CONTENT
        assert told.get(timeout=30) is True
    assert {thread.ident for thread in threading.enumerate()} <= before
    for _, reader in pairs:
        reader.close()
    assert [one.get(timeout=30) for one in ended] == [False] * len(pairs)
    for ours, _ in pairs:
        ours.close()


def test_many_at_once_all_arrive(loop: SocketLoop, file: Path) -> None:
    pairs = [connected() for _ in range(64)]
    ended = [
        send(loop, ours, file, number, 200_000 + number) for number, (ours, _) in enumerate(pairs)
    ]
    with ThreadPoolExecutor(8) as readers:
        parts = list(readers.map(lambda pair: received(pair[1], 200_000), pairs))
    for number, part in enumerate(parts):
        assert part == CONTENT[number : 200_000 + number]
    assert all(one.get(timeout=30) for one in ended)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_a_file_shorter_than_promised_is_an_end_before_the_end(
    loop: SocketLoop, file: Path
) -> None:
    ours, theirs = connected()
    with ours, theirs:
        told = send(loop, ours, file, 0, len(CONTENT) + 1)
        assert received(theirs, len(CONTENT)) == CONTENT
        assert told.get(timeout=30) is False


def test_an_idle_reader_is_given_up(
    loop: SocketLoop, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sending, "patience_s", 0.2)
    ours, theirs = connected()
    with ours, theirs:
        os.truncate(file, 1 << 30)
        assert send(loop, ours, file, 0, 1 << 30).get(timeout=30) is False


def test_a_stop_ends_what_is_under_way(file: Path) -> None:
    loop = SocketLoop()
    loop.start()
    ours, theirs = connected()
    with ours, theirs:
        os.truncate(file, 1 << 30)
        told = send(loop, ours, file, 0, 1 << 30)
        theirs.recv(1)
        loop.stop()
        assert told.get(timeout=30) is False


@pytest.mark.parametrize(
    "last_words", [b"", b"x" * 10_000, b"x" * 200_000], ids=["none", "few", "too many"]
)
def test_a_closing_connection_waits_for_its_client_and_bears_its_last_words(
    loop: SocketLoop, last_words: bytes
) -> None:
    ours, theirs = connected()
    told: queue.SimpleQueue[bool] = queue.SimpleQueue()
    with ours, theirs:
        ours.shutdown(socket.SHUT_WR)
        loop.add(Closing(ours, told.put))
        assert theirs.recv(1) == b""
        theirs.sendall(last_words)
        theirs.close()
        assert told.get(timeout=30) is True
