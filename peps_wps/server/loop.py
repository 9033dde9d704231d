"""Work on many connections by few threads: a step whenever one is ready, an end when it is idle.

What a step may wait for is a disk, never a client: files not in memory hold up a thread each, which
is why there are a few.
"""

import contextlib
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

logger = logging.getLogger(__name__)

THREADS = 4
_SWEEP_S = 0.5
# Sent in one go, so that a fast reader does not keep the others waiting.
_CHUNK_BYTES = 4 << 20


class Work(Protocol):
    """Something to be done with a connection in steps, each when it is ready for the next."""

    sock: socket.socket
    events: int
    patience_s: float

    def step(self) -> bool:
        """Do what can be done without waiting for the client; return whether all is done.

        Raises
        ------
        OSError
            When the connection is lost.
        """

    def ended(self, *, is_whole: bool) -> None:
        """Take note of the end: all is done, or the connection was lost or idle for too long."""


class SentFile(Protocol):
    """An open file that is sent from its position on; told how far it got by `seek`."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def seek(self, position: int) -> int:
        """Move to what is to be sent next."""

    def close(self) -> None:
        """Close the file."""


class FilePart(NamedTuple):
    """Some bytes of a file, from the first to before the end."""

    file: SentFile
    first: int
    end: int


class Sending:
    """An answer on its way to a client: bytes, and a part of a file by the kernel, not copied.

    Parameters
    ----------
    sock
        The connection.
    part
        What is sent of a file, which is closed at the end; None where the answer has none.
    then
        Called at the end with whether all was sent.
    unsent
        What the connection has not taken yet of what goes before.
    """

    events = select.EPOLLOUT
    patience_s = 120.0  # for a client that takes nothing at all

    def __init__(
        self,
        sock: socket.socket,
        part: FilePart | None,
        then: Callable[[bool], object],
        *,
        unsent: bytes = b"",
    ) -> None:
        self.sock = sock
        self._part = part
        self._position = 0 if part is None else part.first
        self._then = then
        self._unsent = memoryview(unsent)

    def step(self) -> bool:
        """Send what the connection takes now."""
        if self._unsent:
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                return False
        if self._unsent or self._part is None:
            return not self._unsent
        return self._send_file(self._part)

    def _send_file(self, part: FilePart) -> bool:
        wanted = min(part.end - self._position, _CHUNK_BYTES)
        try:
            count = os.sendfile(self.sock.fileno(), part.file.fileno(), self._position, wanted)
        except BlockingIOError:
            return False
        if count == 0:
            raise OSError(f"the file ends at byte {self._position}, {part.end} were promised")
        self._position += count
        part.file.seek(self._position)
        return self._position == part.end

    def ended(self, *, is_whole: bool) -> None:
        """Close the file and tell."""
        if self._part is not None:
            self._part.file.close()
        self._then(is_whole)


class Closing:
    """A connection that has been answered for the last time and waits for its client to close.

    Closed at once it would be reset where the client has sent more than was read, and a reset
    throws away what the client has not read yet (RFC 9112, section 9.6).
    """

    events = select.EPOLLIN | select.EPOLLRDHUP
    patience_s = 2.0
    _MOST_BYTES = 1 << 16

    def __init__(self, sock: socket.socket, then: Callable[[bool], object]) -> None:
        self.sock = sock
        self._then = then
        self._drained = 0

    def step(self) -> bool:
        """Throw away what the client still sends."""
        try:
            count = len(self.sock.recv(4096))
        except BlockingIOError:
            return False
        self._drained += count
        return count == 0 or self._drained > self._MOST_BYTES

    def ended(self, *, is_whole: bool) -> None:
        """Tell."""
        self._then(is_whole)


class SocketLoop:
    """The threads and the connections that they work on. A connection has one work at a time."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        # Whoever takes a work out of here, in one operation, is the only one to touch it.
        self._waiting: dict[int, tuple[Work, float]] = {}
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"sender-{number}", daemon=True)
            for number in range(THREADS)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads, then every work as it is, and each that comes later."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        for descriptor in list(self._waiting):
            self._end_if_older(descriptor, float("inf"))

    def add(self, work: Work) -> None:
        """Take on a work; its connection must not block."""
        if self._stopped.is_set():
            work.ended(is_whole=False)
        else:
            self._wait(work, self._epoll.register)

    def _wait(self, work: Work, arm: Callable[[int, int], None]) -> None:
        """Let a work wait for its connection."""
        descriptor = work.sock.fileno()
        self._waiting[descriptor] = (work, time.monotonic() + work.patience_s)
        try:
            # Once: no other thread is told of this connection before it is armed again.
            arm(descriptor, work.events | select.EPOLLONESHOT)
        except OSError as error:
            logger.debug("a connection cannot be waited for: %s", error)
            if self._waiting.pop(descriptor, None) is not None:
                self._end(work, is_whole=False)

    def _run(self) -> None:
        sweep = time.monotonic() + _SWEEP_S
        while not self._stopped.is_set():
            for descriptor, _events in self._epoll.poll(_SWEEP_S, 1):
                waiting = self._waiting.pop(descriptor, None)
                if waiting is not None:
                    self._step(waiting[0])
            now = time.monotonic()
            if now >= sweep:
                sweep = now + _SWEEP_S
                for descriptor in list(self._waiting):
                    self._end_if_older(descriptor, now)

    def _step(self, work: Work) -> None:
        try:
            is_done = work.step()
        except OSError as error:
            logger.debug("a connection was lost: %s", error)
            self._end(work, is_whole=False)
            return
        if is_done:
            self._end(work, is_whole=True)
        else:
            self._wait(work, self._epoll.modify)

    def _end_if_older(self, descriptor: int, now: float) -> None:
        """End a work whose patience is over."""
        waiting = self._waiting.get(descriptor)
        if waiting is None or waiting[1] > now:
            return
        taken = self._waiting.pop(descriptor, None)
        if taken is waiting:
            self._end(taken[0], is_whole=False)
        elif taken is not None:  # it went on meanwhile
            self._wait(taken[0], self._epoll.modify)

    def _end(self, work: Work, *, is_whole: bool) -> None:
        with contextlib.suppress(OSError):  # it was closed by its client in between
            self._epoll.unregister(work.sock.fileno())
        work.ended(is_whole=is_whole)
