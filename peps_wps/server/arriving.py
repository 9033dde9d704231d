"""A request on its way in: read by the loop, given to a thread when nothing of it is awaited.

Only its length is understood here. What is wrong with a request is the server's to say: it is given
on as soon as it is certain that no more of it will be read.
"""

import re
import select
import socket
import time
from collections.abc import Callable

# For all of a request, as other servers have it; a client that sends nothing holds no thread.
PATIENCE_S = 60.0
# Gunicorn reads less of a head; a body is read to the end, or to where it is too large.
_LONGEST_HEAD = 1 << 20
_LONGEST_CHUNK_LINE = 1 << 12
_PART_BYTES = 1 << 16
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding[ \t]*:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)


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
    then
        Called at the end with what has been read, nothing when the client has gone.
    """

    events = select.EPOLLIN

    def __init__(
        self, sock: socket.socket, begun: bytes, most: int, then: Callable[[bytes], object]
    ) -> None:
        self.sock = sock
        self.patience_s = PATIENCE_S
        self._deadline = time.monotonic() + PATIENCE_S
        self._data = bytearray(begun)
        self._most = most
        self._then = then
        self._head_end = 0  # of the head with its empty line, once it is there
        self._is_chunked = False
        # Up to here a head is searched; then the start of a chunk, or the end of the body.
        self._place = 0

    def step(self) -> bool:
        """Read what is there."""
        while not self._is_enough():
            try:
                part = self.sock.recv(_PART_BYTES)
            except BlockingIOError:
                self.patience_s = max(0.0, self._deadline - time.monotonic())
                return False
            if not part:
                return True
            self._data += part
        return True

    def ended(self, *, is_whole: bool) -> None:
        """Hand over what has come."""
        self._then(bytes(self._data) if is_whole else b"")

    def _is_enough(self) -> bool:
        if not self._head_end and not self._read_head():
            return len(self._data) > _LONGEST_HEAD
        if len(self._data) - self._head_end > self._most:
            return True
        return self._has_chunks() if self._is_chunked else len(self._data) >= self._place

    def _read_head(self) -> bool:
        """Look for the end of the head; note there how the body ends."""
        if self._data.startswith((b"\r", b"\n")):  # empty lines before a request (RFC 9112, 2.2)
            self._data = self._data.lstrip(b"\r\n")
        found = self._data.find(b"\r\n\r\n", max(0, self._place - 3))
        if found < 0:
            self._place = len(self._data)
            # Lines that end otherwise are refused, whatever follows.
            return self._data.find(b"\n\n") >= 0 and self._ends_at(len(self._data), 0)
        head = bytes(self._data[: found + 4])
        self._is_chunked = _CHUNKED.search(head) is not None
        length = _LENGTH.search(head)
        wanted = int(length[1]) if length and not self._is_chunked else 0
        # What is too large is refused unread.
        self._ends_at(len(head), wanted if wanted <= self._most else 0)
        if _EXPECTS.search(head) and len(self._data) < self._place + self._is_chunked:
            self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _ends_at(self, head_end: int, length: int) -> bool:
        self._head_end, self._place = head_end, head_end + length
        return True

    def _has_chunks(self) -> bool:
        """Tell whether the last chunk is there, or something that is none (RFC 9112, 7.1)."""
        while True:
            end = self._data.find(b"\r\n", self._place, self._place + _LONGEST_CHUNK_LINE)
            if end < 0:
                return len(self._data) - self._place >= _LONGEST_CHUNK_LINE
            digits = bytes(self._data[self._place : end]).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", digits):
                return True
            if int(digits, 16) == 0:
                # Lines of trailers may follow, then an empty one.
                return self._data.find(b"\r\n\r\n", end) >= 0
            after = end + 2 + int(digits, 16)
            if len(self._data) < after + 2:
                return False
            if self._data[after : after + 2] != b"\r\n":
                return True
            self._place = after + 2
