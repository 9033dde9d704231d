"""Inputs by reference: fetched from hosts and folders that the configuration allows, or refused.

None are allowed at first. What one request refers to has, all together, a time and a size to come
in; nothing that was cut is taken for whole, and nothing compressed is taken at all.
"""

import base64
import contextlib
import http.client
import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from peps_wps.config.web_sections import Inputs
from peps_wps.errors import InvalidInputError
from peps_wps.ordering.errors import (
    InputTooLargeError,
    ServerBusyError,
    UnusableReferenceError,
)
from peps_wps.ordering.reference_hosts import Place, connect, place_of
from peps_wps.xml_parsing import NOT_CARRIED

_REDIRECTS = 3
_REDIRECTIONS = (301, 302, 303, 307, 308)
_CHUNK_BYTES = 64 * 1024


class ReferenceReader:
    """Reads what one request refers to.

    Parameters
    ----------
    settings
        What is allowed.
    largest
        Most bytes of one reference.
    most
        Most bytes of all of them together.
    slots
        One is held while something is fetched: clients hold a thread each meanwhile.
    """

    def __init__(
        self, settings: Inputs, *, largest: int, most: int, slots: threading.Semaphore
    ) -> None:
        self._settings = settings
        self._largest = largest
        self._most = most
        self._slots = slots
        self._deadline = time.monotonic() + settings.timeout_s

    def text(self, name: str, href: str) -> str:
        """Return the content of an input by reference: text, anything else as Base64.

        Text is UTF-8 that XML can carry: views of the job repeat its inputs.

        Parameters
        ----------
        name
            The input.
        href
            Its address.

        Raises
        ------
        InvalidInputError
            When it is not allowed or cannot be had; InputTooLargeError when it is too large.
        ServerBusyError
            When too many clients wait already.
        """
        if not self._slots.acquire(blocking=False):
            raise ServerBusyError
        try:
            content = self._read(href)
        except UnusableReferenceError as error:
            is_large = isinstance(error, ReferenceTooLargeError)
            kind = InputTooLargeError if is_large else InvalidInputError
            raise kind(name, f"the reference of {name} cannot be used: {error}") from error
        finally:
            self._slots.release()
        self._most -= len(content)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return _base64(content)
        return _base64(content) if NOT_CARRIED.search(text) else text

    @property
    def _limit(self) -> int:
        return min(self._largest, self._most)

    def _read(self, href: str) -> bytes:
        if href.startswith("file:"):
            return read_file(href, self._settings.folders, limit=self._limit)
        return self._fetch(href)

    def _fetch(self, url: str) -> bytes:
        """Fetch by HTTP; where it is redirected to is checked as it was."""
        for _ in range(_REDIRECTS + 1):
            place = place_of(url, schemes=self._settings.schemes, hosts=self._settings.hosts)
            with self._answer(place) as answer:
                if answer.status not in _REDIRECTIONS:
                    return self._body(answer)
                url = urljoin(url, answer.headers.get("Location", ""))
        raise UnusableReferenceError(f"it is redirected more than {_REDIRECTS} times")

    @contextlib.contextmanager
    def _answer(self, place: Place) -> Iterator[http.client.HTTPResponse]:
        """Ask, and give the answer; at the deadline the connection is cut, whatever it does."""
        remaining_s = self._deadline - time.monotonic()
        if remaining_s <= 0:
            raise UnusableReferenceError(self._late)
        idle_s = min(self._settings.idle_s, remaining_s)
        raw = connect(place, private=self._settings.networks, timeout_s=idle_s)
        is_late = threading.Event()
        try:
            with _cut_at(self._deadline, raw, is_late), _secured(raw, place) as connected:
                connection = http.client.HTTPConnection(place.host, place.port)
                connection.sock = connected
                connection.request(
                    "GET",
                    place.target,
                    headers={"Accept-Encoding": "identity", "Connection": "close"},
                )
                with connection.getresponse() as answer:
                    yield answer
        except UnusableReferenceError:
            if not is_late.is_set():
                raise
        except (OSError, http.client.HTTPException) as error:
            if not is_late.is_set():
                raise UnusableReferenceError("its host does not answer as it should") from error
        if is_late.is_set():
            # Whatever came: what ends with its connection would seem whole.
            raise UnusableReferenceError(self._late)

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        """Return the content of an answer, whole, and no larger than allowed."""
        if answer.status != 200:
            raise UnusableReferenceError(f"its host answers with status {answer.status}")
        coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if coding != "identity":
            raise UnusableReferenceError("its host sends it compressed")
        told = answer.length
        if told is not None and told > self._limit:
            raise ReferenceTooLargeError(self._limit)
        parts, received = [], 0
        while (told is None or received < told) and (part := answer.read1(_CHUNK_BYTES)):
            parts.append(part)
            received += len(part)
            if received > self._limit:
                raise ReferenceTooLargeError(self._limit)
        if told is not None and received < told:
            raise UnusableReferenceError("its host sends less of it than it says")
        return b"".join(parts)

    @property
    def _late(self) -> str:
        return f"it does not come within {self._settings.timeout_s:g} s"


class ReferenceTooLargeError(UnusableReferenceError):
    """What is referred to has more bytes than are taken."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"it has more than {limit} bytes")
        self.limit = limit

    def __reduce__(self) -> tuple[object, ...]:
        return ReferenceTooLargeError, (self.limit,)


def read_file(href: str, folders: tuple[Path, ...], *, limit: int) -> bytes:
    """Return the content of a file in one of the folders that are allowed.

    What counts is where the file really is: links and ``..`` lead where they lead. It is looked at
    before it is opened, which may already do something to a device, and after, when it is certain
    which file it is.

    Raises
    ------
    UnusableReferenceError
        When it is in none of them, is no plain file, is not there or is too large.
    """
    parts = urlsplit(href)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        raise UnusableReferenceError("its address is not written as that of a file")
    refused = UnusableReferenceError("it is no file in a folder that is allowed")
    try:
        allowed = [folder.resolve(strict=True) for folder in folders if folder.is_dir()]
        real = Path(path).resolve(strict=True)
        if not (_is_inside(real, allowed) and stat.S_ISREG(real.stat().st_mode)):
            raise refused
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, RuntimeError, ValueError) as error:
        raise refused from error
    with os.fdopen(descriptor, "rb") as stream:
        opened = Path(f"/proc/self/fd/{descriptor}").readlink()
        if not (_is_inside(opened, allowed) and stat.S_ISREG(os.fstat(descriptor).st_mode)):
            raise refused
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ReferenceTooLargeError(limit)
    return content


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _is_inside(path: Path, folders: list[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _secured(connection: socket.socket, place: Place) -> socket.socket:
    """Return the connection, encrypted and of the host that it should be."""
    if place.scheme == "http":
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=place.host)
    except (OSError, ValueError):
        connection.close()
        raise


@contextlib.contextmanager
def _cut_at(deadline: float, connection: socket.socket, is_late: threading.Event) -> Iterator[None]:
    """End a connection at an instant of the monotonic clock, under whoever waits for it."""
    own = connection.dup()

    def cut() -> None:
        is_late.set()
        with contextlib.suppress(OSError):  # it has ended by itself
            own.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        own.close()
