"""Gunicorn's worker with threads that never wait for a client: an event loop does.

A thread is given a request when all of it has come, and is free when it has written the answer: the
loop sends it, files too, at the pace of its reader. Any number of slow clients then leaves the
threads to searches and orders.
"""

import contextlib
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
from peps_wps.server.arriving import Arriving
from peps_wps.server.loop import Closing, FilePart, Sending, SocketLoop

# An answer that is made while it is sent, of several files, waits for its reader beyond this.
_MOST_UNSENT_BYTES = 8 << 20
# What is left of a body that nobody read is there already, or is not waited for.
_DRAIN_S = 0.05


class ClientSocket(socket.socket):
    """A connection that sends later what it does not take at once, and files promised to it."""

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.promise: FilePart | None = None
        self.unsent = bytearray()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send what the connection takes, keep the rest."""
        rest = memoryview(data)
        with contextlib.suppress(BlockingIOError):
            while rest and not self.unsent:
                rest = rest[self.send(rest, flags | socket.MSG_DONTWAIT) :]
        self.unsent += rest
        if len(self.unsent) > _MOST_UNSENT_BYTES:
            super().sendall(self.take_unsent(), flags)

    def take_unsent(self) -> bytes:
        """Return what is kept, and keep it no more."""
        kept, self.unsent = self.unsent, bytearray()
        return bytes(kept)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Take note of a file of ours, which is kept open; send any other one."""
        if not isinstance(file, FileSlice) or count is None:
            return super().sendfile(file, offset, count)
        file.keep()
        self.promise = FilePart(file, offset, offset + count)
        return count


class SoundReader:
    """What gunicorn reads a body with; what is wrong with its chunks is the client's fault."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int) -> bytes:
        """Return so many bytes of the body.

        Raises
        ------
        BadRequest
            When its chunks are not written as HTTP has it.
        """
        try:
            return bytes(self._reader.read(size))
        except ParseException as error:
            raise BadRequest(f"the body is not sent in sound chunks: {error}") from error


class FileWorker(ThreadWorker):  # type: ignore[misc]
    """The worker: a pool of threads for requests, a loop for files and for what closes."""

    def init_process(self) -> None:
        """Start the loop, in the process that serves."""
        self._loop = SocketLoop()
        self._loop.start()
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
        then = partial(self.method_queue.defer, self._arrived, conn)
        most = self.wsgi.services.config.server.max_request_bytes
        arriving = Arriving(conn.sock, begun, most, then)
        try:  # most have come whole: no other thread is needed for these
            if not arriving.step():
                self._loop.add(arriving)
                return
        except OSError:  # the client has gone
            self._forget(conn)
            return
        arriving.ended(is_whole=True)

    def _arrived(self, conn: TConn, data: bytes) -> None:
        """Give a request to a thread."""
        if not data:
            self._forget(conn)
            return
        conn.init()
        conn.parser.unreader.unread(data)
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
        else:
            super().finish_request(conn, answered)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer a request, in a thread."""
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
