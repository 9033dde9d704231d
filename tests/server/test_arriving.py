"""Requests that come in pieces: given on when nothing of them is awaited any more."""

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.server.arriving import Arriving, Room
from peps_wps.server.loop import Sending
from peps_wps.server.worker import ClientSocket

MOST = 5000
HEAD = b"POST /wps HTTP/1.1\r\nHost: a\r\n"
CHUNKS = b"4;x=y\r\nab\r\n\r\n00A\r\n0123456789\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def steps(ends: tuple[socket.socket, socket.socket], request: bytes) -> int:
    """Send a request byte by byte; return after how many it was given on."""
    ours, theirs = ends
    given: list[bytes] = []
    arriving = Arriving(ours, b"", MOST, Room(1 << 20), given.append)
    for number in range(len(request)):
        theirs.send(request[number : number + 1])
        if arriving.step():
            arriving.ended(is_whole=True)
            assert given == [request[: number + 1]]
            return number + 1
    return -1


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Content-Length: 9\r\n\r\n",
        HEAD + b"content-length:  4\r\n\r\n<x/>",
        HEAD + b"Content-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: " + b"0" * 30 + b"4\r\n\r\n<x/>",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + b"0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 30 + b"4\r\n<x/>\r\n0\r\n\r\n",
    ],
)
def test_a_request_is_given_on_with_its_last_byte(ends, request_: bytes) -> None:
    assert steps(ends, request_) == len(request_)


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        (HEAD + b"Content-Length: 5001\r\n\r\n", b"<x/>"),
        (HEAD + b"Content-Length: -4\r\n\r\n", b"<x/>"),
        (b"GET / HTTP/1.1\nHost: a\n\n", b"more"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", b"0\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc", b"0\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 8190, b"0\r\n\r\n"),
    ],
)
def test_what_will_be_refused_is_not_waited_for(ends, head: bytes, rest: bytes) -> None:
    assert steps(ends, head + rest) == len(head)


def test_chunks_beyond_the_largest_body_are_not_waited_for(ends) -> None:
    request = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b"x" * 12_000

    assert steps(ends, request) == request.index(b"4000\r\n") + 2 * MOST + 1


def test_what_is_there_of_the_next_request_comes_along(ends) -> None:
    given: list[bytes] = []
    two = b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n"
    arriving = Arriving(ends[0], two, MOST, Room(0), given.append)

    assert arriving.step()
    arriving.ended(is_whole=True)
    assert given == [two]


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(ends) -> None:
    ours, theirs = ends
    theirs.send(HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    arriving = Arriving(ours, b"", MOST, Room(1 << 20), lambda _: None)

    assert not arriving.step()
    assert theirs.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_a_client_that_goes_in_between_is_heard_of_with_what_it_sent(ends) -> None:
    ours, theirs = ends
    given: list[bytes] = []
    arriving = Arriving(ours, b"", MOST, Room(1 << 20), given.append)
    theirs.send(b"GET / ")
    assert not arriving.step()
    theirs.close()

    assert arriving.step()
    arriving.ended(is_whole=True)
    assert given == [b"GET / "]


def test_only_clients_of_this_century_are_told_to_go_on(ends) -> None:
    ours, theirs = ends
    theirs.send(b"POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    arriving = Arriving(ours, b"", MOST, Room(1 << 20), lambda _: None)

    assert not arriving.step()
    with pytest.raises(BlockingIOError):
        theirs.recv(100, socket.MSG_DONTWAIT)


def test_a_client_that_takes_too_long_is_told(ends) -> None:
    ours, theirs = ends
    given: list[bytes] = []
    theirs.send(b"GET / ")
    arriving = Arriving(ours, b"", MOST, Room(1 << 20), given.append)
    assert not arriving.step()
    arriving.ended(is_whole=False)

    assert theirs.recv(100).startswith(b"HTTP/1.1 408 ")
    assert given == [b""]


def test_requests_that_leave_no_room_for_others_are_left_and_make_room(ends) -> None:
    ours, theirs = ends
    room = Room(10)
    arriving = Arriving(ours, b"", MOST, room, lambda _: None)
    theirs.send(b"GET / ")
    assert not arriving.step()
    theirs.send(b"HTTP/1.1\r\n")
    with pytest.raises(OSError, match="no room for 10 bytes"):
        arriving.step()
    arriving.ended(is_whole=False)
    room.take(10)


SIZES = st.lists(st.integers(1, 300), max_size=8)
CUTS = st.lists(st.integers(1, 200), min_size=1, max_size=20)


@given(sizes=SIZES, cuts=CUTS, is_chunked=st.booleans())
def test_the_server_reads_a_request_whole_and_no_further(sizes, cuts, is_chunked) -> None:
    body = bytes(index % 251 for index in range(sum(sizes)))
    request = HEAD + (
        b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks(body, sizes)
        if is_chunked
        else b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    found = arrived(request, cuts)
    assert found == request

    with connection(found + b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n") as ours:
        parser = RequestParser(Config(), ours, ("127.0.0.1", 1))
        assert next(parser).body.read() == body
        assert next(parser).path == "/2"
        with pytest.raises(ConnectionResetError):
            next(parser)


def in_chunks(body: bytes, sizes: list[int]) -> bytes:
    place, parts = 0, []
    for size in sizes:
        parts.append(b"%x;n=1\r\n%b\r\n" % (size, body[place : place + size]))
        place += size
    return b"".join([*parts, b"0\r\n", b"X-Sum: 1\r\n\r\n"])


def arrived(request: bytes, cuts: list[int]) -> bytes:
    """Return what is given on of a request that comes in pieces of some sizes."""
    ours, theirs = socket.socketpair()
    taken: list[bytes] = []
    with ours, theirs:
        ours.setblocking(False)
        arriving = Arriving(ours, b"", MOST, Room(1 << 20), taken.append)
        place = 0
        for size in itertools.cycle(cuts):
            theirs.send(request[place : place + size])
            place += size
            if arriving.step():
                break
        arriving.ended(is_whole=True)
    return taken[0]


@contextmanager
def connection(request: bytes) -> Iterator[ClientSocket]:
    """Give a connection that a request has come by."""
    near, theirs = socket.socketpair()
    with ClientSocket(near.detach()) as ours, theirs:
        ours.give(request)
        yield ours


def test_many_small_chunks_take_no_longer_than_their_size_says() -> None:
    number = 50_000
    body = b"1\r\nx\r\n" * number + b"0\r\n\r\n"
    with connection(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body) as ours:
        begun = time.thread_time()
        assert len(next(RequestParser(Config(), ours, ("127.0.0.1", 1))).body.read()) == number
        assert time.thread_time() - begun < 5.0  # 0.3, and 15 where all of it is copied each time


def test_an_answer_beyond_what_its_reader_takes_is_kept_and_sent_later() -> None:
    near, theirs = socket.socketpair()
    ours = ClientSocket(near.detach())
    content = bytes(range(256)) * 6_000
    with ours, theirs:
        ours.sendall(content[:1000])
        ours.sendall(content[1000:])
        ours.sendall(b"!")
        unsent = ours.take_unsent()
        assert len(unsent) > 0
        assert (content + b"!").endswith(unsent)

        ours.setblocking(False)
        sending = Sending(ours, None, lambda _: None, unsent=unsent)
        received = bytearray()
        while not sending.step():
            received += theirs.recv(1 << 16)
        while len(received) <= len(content):
            received += theirs.recv(1 << 16)
    assert bytes(received) == content + b"!"


def test_a_thread_leaves_a_reader_that_takes_nothing_of_a_large_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Sending, "patience_s", 0.05)
    near, theirs = socket.socketpair()
    with ClientSocket(near.detach()) as ours, theirs, pytest.raises(ConnectionResetError):
        ours.sendall(bytes(9 << 20))
