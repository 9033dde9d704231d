"""Answers that are a file: whole or a range of it, sent by the kernel where the server can."""

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from typing import IO, Protocol, cast

from werkzeug import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.http import http_date, parse_range_header
from werkzeug.wsgi import wrap_file

from peps_wps.ordering.results import FileResult

_BLOCK_BYTES = 1 << 20
# What a client gave comes back as it was: no browser shall run it as a page of ours.
_INERT = {"Content-Security-Policy": "sandbox"}
_PLAIN_NAME = re.compile(r"[\w.+-]+", re.ASCII)
_LAST_NO_BYTES = re.compile(r"bytes\s*=\s*-0+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the headers say of a file.

    Parameters
    ----------
    size_bytes
        Its exact size.
    etag
        Changes whenever the bytes do; letters and digits.
    modified
        When the bytes last changed, UTC.
    content_type
        Media type.
    filename
        Name under which a browser saves it; shown inline where None.
    """

    size_bytes: int
    etag: str
    modified: datetime
    content_type: str
    filename: str | None = None


class Watch(Protocol):
    """Who is told how far a file got."""

    def sent(self, count: int) -> None:
        """Take note of how many bytes have been sent in all."""

    def closed(self, *, is_whole: bool) -> None:
        """Take note that no more are sent, and whether those were all."""


# Given how many bytes are to be sent, says who watches them, or raises.
Admission = Callable[[int], Watch]


def file_response(
    request: Request, stream: FileIO, facts: FileFacts, admission: Admission | None = None
) -> Response:
    """Answer a GET or HEAD with a file, honouring Range, If-Range and If-None-Match (RFC 9110).

    A malformed Range, one in another unit or one of several parts is ignored, as section 14.2
    allows: the whole file is a right answer. The response closes `stream`.

    Parameters
    ----------
    request
        GET or HEAD.
    stream
        The file, opened for this answer.
    facts
        What the headers say.
    admission
        Asked before bytes of the file are sent; what it raises leaves here, `stream` closed.
    """
    response = _head(facts)
    if request.if_none_match.contains_weak(facts.etag):
        response.status_code = 304
        stream.close()
        return response
    first, end = 0, facts.size_bytes
    part = _wanted_part(request, facts)
    if part is not None:
        first, end = part
        response.status_code = 206 if first < end else 416
        span = f"{first}-{end - 1}" if first < end else "*"
        response.headers["Content-Range"] = f"bytes {span}/{facts.size_bytes}"
    response.headers["Content-Length"] = str(max(0, end - first))
    if request.method == "HEAD" or first >= end:
        stream.close()
        return response
    try:
        watch = None if admission is None else admission(end - first)
    except BaseException:
        stream.close()
        raise
    body = FileSlice(stream, first, end, watch)
    # As much of a file as servers use.
    response.response = wrap_file(request.environ, cast(IO[bytes], body), _BLOCK_BYTES)
    response.direct_passthrough = True
    return response


def result_response(request: Request, file: FileResult) -> Response:
    """Answer with a result of a job, whole or the range asked for, as `inert`."""
    stream = file.path.open("rb", buffering=0)
    written = os.fstat(stream.fileno())
    is_shown = file.mime_type.startswith(("image/", "text/")) or file.mime_type.endswith("json")
    facts = FileFacts(
        size_bytes=written.st_size,
        etag=f"{written.st_mtime_ns:x}{written.st_size:x}",
        modified=datetime.fromtimestamp(written.st_mtime, UTC),
        content_type=file.mime_type,
        filename=None if is_shown else file.path.name,
    )
    return inert(file_response(request, stream, facts))


def inert(response: Response) -> Response:
    """Return an answer with what a client once gave, such that no browser runs it."""
    response.headers.extend(_INERT)
    return response


def _head(facts: FileFacts) -> Response:
    """Return the answer without its body."""
    headers = Headers()
    headers["Accept-Ranges"] = "bytes"
    headers["ETag"] = f'"{facts.etag}"'
    headers["Last-Modified"] = http_date(facts.modified)
    if facts.filename is not None and _PLAIN_NAME.fullmatch(facts.filename):
        # In quotes, as PEPS writes it; RFC 6266 allows both, simple clients cut them off.
        headers["Content-Disposition"] = f'attachment; filename="{facts.filename}"'
    elif facts.filename is not None:
        headers.set("Content-Disposition", "attachment", filename=facts.filename)
    return Response(headers=headers, content_type=facts.content_type)


def _wanted_part(request: Request, facts: FileFacts) -> tuple[int, int] | None:
    """Return first byte and end of the one range asked for, None for the whole file.

    The end is not above the first byte where the file has no byte of the range.
    """
    if request.method != "GET" or not _range_holds(request, facts):
        return None
    text = request.headers.get("Range", "")
    if _LAST_NO_BYTES.fullmatch(text):  # malformed for werkzeug, for the RFC a range without a byte
        return facts.size_bytes, facts.size_bytes
    wanted = parse_range_header(text)
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    first, end = wanted.ranges[0]
    if first < 0:
        return max(0, facts.size_bytes + first), facts.size_bytes
    return first, facts.size_bytes if end is None else min(end, facts.size_bytes)


def _range_holds(request: Request, facts: FileFacts) -> bool:
    """Tell whether the part that the client has is of this very file (If-Range)."""
    condition = request.if_range
    if condition.etag is not None:
        return condition.etag == facts.etag and not _is_weak(request)
    if condition.date is not None:
        return condition.date == facts.modified.replace(microsecond=0)
    return True


def _is_weak(request: Request) -> bool:
    return request.headers.get("If-Range", "").startswith("W/")


class FileSlice:
    """Some bytes of an open file, for servers that read and for those that use sendfile.

    sendfile works on the descriptor, from its position, for as many bytes as Content-Length says;
    `seek` then tells how far it got. A server that sends after it has closed calls `keep` first:
    the file is closed by the last of the calls of `close` that are due.

    Parameters
    ----------
    stream
        The file; its position is moved.
    first, end
        Which bytes.
    watch
        Who is told of what was sent.
    """

    def __init__(self, stream: FileIO, first: int, end: int, watch: Watch | None = None) -> None:
        self._stream = stream
        self._first = first
        self._end = end
        self._position = stream.seek(first)
        self._watch = watch
        self._holders = 1
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._stream.fileno()

    def read(self, count: int = -1) -> bytes:
        """Return at most `count` bytes, none after the last one."""
        left = self._end - self._position
        chunk = self._stream.read(left if count < 0 else min(count, left))
        self._moved(self._position + len(chunk))
        return chunk

    def seek(self, position: int) -> int:
        """Move the descriptor behind what was sent."""
        self._moved(position)
        return self._stream.seek(position)

    def keep(self) -> None:
        """Let one call of `close` more be due."""
        with self._lock:
            self._holders += 1

    def close(self) -> None:
        """Close the file, unless it is kept."""
        with self._lock:
            self._holders -= 1
            if self._holders != 0:
                return
        self._stream.close()
        if self._watch is not None:
            self._watch.closed(is_whole=self._position == self._end)

    def _moved(self, position: int) -> None:
        self._position = position
        if self._watch is not None:
            self._watch.sent(position - self._first)
