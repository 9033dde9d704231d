"""Gunicorn's worker with threads that do not wait for clients: an event loop does.

A thread is given a request when all of it has come, and is free when it has written the answer: the
loop sends it, files too, at the pace of its reader. As many slow clients as there may be
connections then leave the threads to searches and orders. One answer is waited for, for a while: a
large one that is made while it is sent.
"""

import contextlib
import errno
import socket
import threading
import time
from concurrent.futures import Future
from functools import partial
from types import FrameType
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker
from werkzeug.exceptions import BadRequest

from peps_wps.file_response import FileSlice
from peps_wps.server.arriving import Arriving, Room
from peps_wps.server.loop import Closing, FilePart, Sending, SocketLoop

# An answer that is made while it is sent, of several files, waits for its reader beyond this.
_MOST_UNSENT_BYTES = 2 << 20
# Of all requests of a process that are on their way in.
_ROOM_BYTES = 256 << 20
# What is left of a body that nobody read is there already, or is not waited for.
_DRAIN_S = 0.05


class ClientSocket(socket.socket):
    """A connection whose requests are read before, and which sends later what it cannot at once."""

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.promise: FilePart | None = None
        self.unsent = bytearray()
        self._given: memoryview | None = None

    def give(self, request: bytes) -> None:
        """Let what is received from now on be this, and no more."""
        self._given = memoryview(request)

    def take_given(self) -> bytes:
        """Return what is left of what was given, and receive from the client again."""
        left, self._given = self._given or b"", None
        return bytes(left)

    @property
    def holds_given(self) -> bool:
        """Whether more was given than was received."""
        return bool(self._given)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return some bytes of what was given, or of what the client sends now.

        Raises
        ------
        ConnectionResetError
            When more is read of a request than was given, whose client is not waited for.
        """
        if self._given is None:
            return super().recv(size, flags)
        if not self._given:
            raise ConnectionResetError(errno.ECONNRESET, "the request ends before it should")
        part, self._given = bytes(self._given[:size]), self._given[size:]
        return part

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send what the connection takes, keep the rest."""
        rest = memoryview(data)
        with contextlib.suppress(BlockingIOError):
            while rest and not self.unsent:
                rest = rest[self.send(rest, flags | socket.MSG_DONTWAIT) :]
        self.unsent += rest
        if len(self.unsent) > _MOST_UNSENT_BYTES:
            self._send_unsent()

    def _send_unsent(self) -> None:
        """Send what is kept, in the thread that makes the answer.

        Raises
        ------
        ConnectionResetError
            When the client does not take all of it while the loop would wait for a part.
        """
        self.settimeout(Sending.patience_s)
        try:
            super().sendall(self.take_unsent())
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client takes too little") from error
        self.settimeout(None)

    def take_unsent(self) -> bytes:
        """Return what is kept, and keep it no more."""
        kept, self.unsent = self.unsent, bytearray()
        return bytes(kept)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Take note of a file, which is kept open."""
        if not isinstance(file, FileSlice) or count is None:
            raise TypeError(f"{file!r}: only a part of a FileSlice can be sent later")
        file.keep()
        self.promise = FilePart(file, offset, offset + count)
        return count


class SoundReader:
    """What gunicorn reads a body with; what is wrong with its length is the client's fault."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int) -> bytes:
        """Return so many bytes of the body.

        Raises
        ------
        BadRequest
            When its chunks are not written as HTTP has it, or it ends too early.
        """
        try:
            return bytes(self._reader.read(size))
        except ParseException as error:
            raise BadRequest(f"the body is not sent in sound chunks: {error}") from error
        except ConnectionResetError as error:
            raise BadRequest("the body ends before its length says so") from error


class FileWorker(ThreadWorker):  # type: ignore[misc]
    """The worker: a pool of threads for requests, a loop for files and for what closes."""

    def init_process(self) -> None:
        """Start the loop, in the process that serves."""
        self._loop = SocketLoop()
        self._loop.start()
        self._room = Room(_ROOM_BYTES)
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then let the application write what it has to."""
        super().run()
        self.wsgi.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in order; files under way have half of gunicorn's grace, before it kills."""
        super().handle_exit(sig, frame)
        threading.Timer(self.cfg.graceful_timeout / 2, self._loop.stop).start()

    def enqueue_req(self, conn: TConn) -> None:
        """Have a request read, then answered by a thread."""
        if not isinstance(conn.sock, ClientSocket):
            conn.sock = ClientSocket(conn.sock.detach())
        conn.sock.settimeout(0.0)
        begun = b"" if conn.parser is None else conn.parser.unreader.take_buffered()
        begun += conn.sock.take_given()
        then = partial(self.method_queue.defer, self._arrived, conn)
        most = self.wsgi.services.config.server.max_request_bytes
        arriving = Arriving(conn.sock, begun, most, self._room, then)
        try:  # most have come whole: no other thread is needed for these
            if not arriving.step():
                self._loop.add(arriving)
                return
        except OSError:  # the client has gone
            arriving.ended(is_whole=False)
            return
        arriving.ended(is_whole=True)

    def _arrived(self, conn: TConn, data: bytes) -> None:
        """Give a request to a thread."""
        if not data:
            self._forget(conn)
            return
        conn.init()
        conn.sock.give(data)
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, answered: "Future[Any]") -> None:
        """Go on with a connection whose request was answered, in the main thread."""
        promise: FilePart | None = conn.sock.promise
        unsent = conn.sock.take_unsent()
        conn.sock.promise = None
        if conn.sock.fileno() < 0:  # gunicorn closes where an answer breaks off
            if promise is not None:
                promise.file.close()
            self._forget(conn)
        elif promise is not None or unsent:
            conn.sock.settimeout(0.0)
            then = partial(self.method_queue.defer, self._sent, conn, answered)
            self._loop.add(Sending(conn.sock, promise, then, unsent=unsent))
        elif _is_last(answered):
            self._close(conn)
        elif conn.sock.holds_given:  # the next request, sent ahead
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, answered)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer a request, in a thread."""
        req._expected_100_continue = False  # it is there
        req.body.reader = SoundReader(req.body.reader)
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: TConn, keepalive: object) -> bool:
        """Tell whether a connection goes on: where no more of a body is awaited."""
        if not keepalive:
            return False
        try:
            return bool(conn.parser.finish_body(deadline=time.monotonic() + _DRAIN_S))
        except BadRequest:  # nobody read this body, and the request is answered
            return False

    def _sent(self, conn: TConn, answered: "Future[Any]", is_whole: bool) -> None:  # noqa: FBT001
        """Go on with a connection after its file."""
        if is_whole:
            self.finish_request(conn, answered)
        else:
            self._forget(conn)

    def _close(self, conn: TConn) -> None:
        """Say that nothing more comes, and close when the client has."""
        conn.sock.take_given()
        conn.sock.settimeout(0.0)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client was faster
            self._forget(conn)
            return
        self._loop.add(Closing(conn.sock, partial(self.method_queue.defer, self._forget, conn)))

    def _forget(self, conn: TConn, *_: object) -> None:
        self.nr_conns -= 1
        conn.close()


def _is_last(answered: "Future[Any]") -> bool:
    """Tell whether the connection ends with this answer."""
    if answered.cancelled() or answered.exception() is not None:
        return False
    return answered.result() is False
