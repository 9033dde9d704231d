"""Gunicorn's worker with threads, but for files: those are sent by an event loop.

A thread answers a request and is free when the headers have gone; the file follows at the pace of
its reader. Any number of slow readers then leaves the threads to searches and orders.
"""

import socket
import threading
from concurrent.futures import Future
from functools import partial
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from peps_wps.file_response import FileSlice
from peps_wps.server.loop import Closing, FilePart, Sending, SocketLoop


class ClientSocket(socket.socket):
    """A connection on which files are promised by `sendfile` and sent later."""

    promise: FilePart | None = None

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Take note of a file of ours, which is kept open; send any other one."""
        if not isinstance(file, FileSlice) or count is None:
            return super().sendfile(file, offset, count)
        file.keep()
        self.promise = FilePart(file, offset, offset + count)
        return count


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
        """Have a thread read and answer a request."""
        if not isinstance(conn.sock, ClientSocket):
            conn.sock = ClientSocket(fileno=conn.sock.detach())
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, answered: "Future[Any]") -> None:
        """Go on with a connection whose request was answered, in the main thread."""
        promise: FilePart | None = conn.sock.promise
        conn.sock.promise = None
        if conn.sock.fileno() < 0:  # gunicorn closes where an answer breaks off
            if promise is not None:
                promise.file.close()
            self._forget(conn)
        elif promise is not None:
            conn.sock.settimeout(0.0)
            then = partial(self.method_queue.defer, self._sent, conn, answered)
            self._loop.add(Sending(conn.sock, promise, then))
        elif _is_last(answered):
            self._close(conn)
        else:
            super().finish_request(conn, answered)

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
