"""A request on its way in: read by the loop, given to a thread when nothing of it is awaited.

Only its length is understood here. What is wrong with a request is the server's to say: it is given
on as soon as it is certain that no more of it will be read. The server reads no further than that
(`ClientSocket`), so that a request which it understands otherwise costs its client the connection.
"""

import contextlib
import re
import select
import socket
import threading
import time
from collections.abc import Callable

HEAD_PATIENCE_S = 10.0  # for all of a head
PART_PATIENCE_S = 60.0  # for each part of a body, as other servers have it
# Gunicorn reads less of a head; a body is read to the end, or to where it is too large.
_LONGEST_HEAD = 1 << 20
_LONGEST_CHUNK_LINE = 8190  # as gunicorn has it
_CHUNKED_SHARE = 2  # of a body sent in chunks, so much may be sizes of chunks
_PART_BYTES = 1 << 16
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*0*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,15})")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding[ \t]*:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Room:
    """Memory that all requests on their way in may take together.

    Parameters
    ----------
    size
        In bytes.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Take some of it.

        Raises
        ------
        OSError
            When so much is not left.
        """
        with self._lock:
            if size > self._left:
                raise OSError(f"requests on their way in leave no room for {size} bytes")
            self._left -= size

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._left += size


class Arriving:
    """Reads one request.

    Parameters
    ----------
    sock
        The connection; it does not block.
    begun
        What has been read of the request already.
    most
        Most bytes of a body that is waited for: who sends more is told so at once.
    room
        What is read takes place there until it is handed over.
    then
        Called at the end with what has been read, nothing when the client has gone.
    """

    events = select.EPOLLIN

    def __init__(
        self,
        sock: socket.socket,
        begun: bytes,
        most: int,
        room: Room,
        then: Callable[[bytes], object],
    ) -> None:
        self.sock = sock
        self.patience_s = HEAD_PATIENCE_S
        self._deadline = time.monotonic() + HEAD_PATIENCE_S
        self._data = bytearray(begun)
        self._most = most
        self._room = room
        self._taken = 0
        self._then = then
        self._head_end = 0  # of the head with its empty line, once it is there
        self._is_chunked = False
        # Up to here a head is searched; then the start of a chunk, or the end of the body.
        self._place = 0

    def step(self) -> bool:
        """Read a part of what is there."""
        if self._is_enough():
            return True
        try:
            part = self.sock.recv(_PART_BYTES)
        except BlockingIOError:
            return False
        if not part:
            return True
        self._room.take(len(part))
        self._taken += len(part)
        self._data += part
        is_enough = self._is_enough()
        left = self._deadline - time.monotonic()
        self.patience_s = PART_PATIENCE_S if self._head_end else max(0.0, left)
        return is_enough

    def ended(self, *, is_whole: bool) -> None:
        """Hand over what has come; tell a client that began and took too long."""
        self._room.give_back(self._taken)
        if not is_whole and self._data:
            with contextlib.suppress(OSError):
                self.sock.send(_TIMEOUT)
        self._then(bytes(self._data) if is_whole else b"")

    def _is_enough(self) -> bool:
        if not self._head_end and not self._read_head():
            return len(self._data) > _LONGEST_HEAD
        if self._is_chunked:
            return self._has_too_much() or self._has_chunks()
        return len(self._data) >= self._place

    def _has_too_much(self) -> bool:
        return len(self._data) - self._head_end > _CHUNKED_SHARE * self._most

    def _read_head(self) -> bool:
        """Look for the end of the head; note there how the body ends."""
        if self._data.startswith((b"\r", b"\n")):  # empty lines before a request (RFC 9112, 2.2)
            self._data = self._data.lstrip(b"\r\n")
            self._place = 0
        searched = max(0, self._place - 3)
        found = self._data.find(b"\r\n\r\n", searched)
        if found < 0:
            self._place = len(self._data)
            # Lines that end otherwise are refused, whatever follows.
            return self._data.find(b"\n\n", searched) >= 0 and self._ends_at(len(self._data), 0)
        head = bytes(self._data[: found + 4])
        self._is_chunked = _CHUNKED.search(head) is not None
        length = _LENGTH.search(head)
        wanted = int(length[1]) if length and not self._is_chunked else 0
        # What is too large is refused unread.
        self._ends_at(len(head), wanted if wanted <= self._most else 0)
        if _EXPECTS.search(head) and len(self._data) < self._place + self._is_chunked:
            self._ask_for_body(head)
        return True

    def _ask_for_body(self, head: bytes) -> None:
        """Tell a client that waits for it to go on (RFC 9110, section 10.1.1)."""
        if head.partition(b"\r\n")[0].endswith(b" HTTP/1.1"):
            self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _ends_at(self, head_end: int, length: int) -> bool:
        self._head_end, self._place = head_end, head_end + length
        return True

    def _has_chunks(self) -> bool:
        """Tell whether the last chunk is there, or something that is none (RFC 9112, 7.1)."""
        while True:
            end = self._data.find(b"\r\n", self._place, self._place + _LONGEST_CHUNK_LINE)
            if end < 0:
                return len(self._data) - self._place >= _LONGEST_CHUNK_LINE
            size = _CHUNK_SIZE.fullmatch(
                bytes(self._data[self._place : end]).partition(b";")[0].strip()
            )
            if size is None:
                return True
            if int(size[1], 16) == 0:
                # Lines of trailers may follow, then an empty one.
                return self._data.find(b"\r\n\r\n", end) >= 0
            after = end + 2 + int(size[1], 16)
            if len(self._data) < after + 2:
                return False
            if self._data[after : after + 2] != b"\r\n":
                return True
            self._place = after + 2
