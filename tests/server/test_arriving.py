"""Requests that come in pieces: given on when nothing of them is awaited any more."""

import socket
from collections.abc import Iterator

import pytest

from peps_wps.server.arriving import Arriving
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
    arriving = Arriving(ours, b"", MOST, given.append)
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
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + b"0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n",
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
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 4096, b"0\r\n\r\n"),
    ],
)
def test_what_will_be_refused_is_not_waited_for(ends, head: bytes, rest: bytes) -> None:
    assert steps(ends, head + rest) == len(head)


def test_chunks_beyond_the_largest_body_are_not_waited_for(ends) -> None:
    request = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"2000\r\n" + b"x" * 6000

    assert steps(ends, request) == request.index(b"2000\r\n") + MOST + 1


def test_what_is_there_of_the_next_request_comes_along(ends) -> None:
    given: list[bytes] = []
    two = b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n"
    arriving = Arriving(ends[0], two, MOST, given.append)

    assert arriving.step()
    arriving.ended(is_whole=True)
    assert given == [two]


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(ends) -> None:
    ours, theirs = ends
    theirs.send(HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    arriving = Arriving(ours, b"", MOST, lambda _: None)

    assert not arriving.step()
    assert theirs.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_a_client_that_goes_in_between_is_heard_of_with_what_it_sent(ends) -> None:
    ours, theirs = ends
    given: list[bytes] = []
    arriving = Arriving(ours, b"", MOST, given.append)
    theirs.send(b"GET / ")
    assert not arriving.step()
    theirs.close()

    assert arriving.step()
    arriving.ended(is_whole=True)
    assert given == [b"GET / "]


def test_an_answer_beyond_what_its_reader_takes_is_kept_and_sent_later() -> None:
    near, theirs = socket.socketpair()
    ours = ClientSocket(near.detach())
    content = bytes(range(256)) * 16_000
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
