"""The service of an archive in a thread of this process, and what goes wrong between it and us."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler

from peps_wps.app import create_app
from tests.archive_world import ArchiveWorld
from tests.background import running
from tests.loopback import on_the_loopback

StartResponse = Callable[..., Any]
Environ = dict[str, Any]
# (answers to a request, given the application that would)
Fault = Callable[[Any, Environ, StartResponse], Iterable[bytes]]


class Faults:
    """Passes requests on, but for those that a test has faults laid down for.

    `of_downloads` are used up one by one by requests of files; `seen` holds their Range headers.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self.of_downloads: deque[Fault | None] = deque()
        self.seen: list[str | None] = []
        self.lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        fault = None
        if "/download" in environ["PATH_INFO"]:
            with self.lock:
                self.seen.append(environ.get("HTTP_RANGE"))
                fault = self.of_downloads.popleft() if self.of_downloads else None
        return (fault or _pass_on)(self._application, environ, start_response)


def _pass_on(application: Any, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    # At once: werkzeug's server closes no answer whose reader has gone.
    return [_content(application, environ, start_response)]


def _content(application: Any, environ: Environ, start_response: StartResponse) -> bytes:
    with closing(application(environ, start_response)) as answer:
        return b"".join(answer)


def cut(share: float) -> Fault:
    """Break the connection off after a share of the bytes."""

    def fault(application: Any, environ: Environ, start: StartResponse) -> Iterator[bytes]:
        content = _content(application, environ, start)
        yield content[: int(len(content) * share)]
        raise ConnectionError("cut by the test")

    return fault


def slowly(application: Any, environ: Environ, start: StartResponse) -> Iterator[bytes]:
    """Send 50 kB/s for half a second, then nothing more."""
    content = _content(application, environ, start)
    for begin in range(0, 25_000, 5_000):
        yield content[begin : begin + 5_000]
        time.sleep(0.1)
    raise ConnectionError("cut by the test")


def flipped(application: Any, environ: Environ, start: StartResponse) -> Iterator[bytes]:
    """Send the right number of bytes, one of them wrong."""
    content = bytearray(_content(application, environ, start))
    content[len(content) // 2] ^= 1
    yield bytes(content)


def shorter(application: Any, environ: Environ, start: StartResponse) -> Iterator[bytes]:
    """Announce and send fewer bytes than the product has."""

    def announce(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        own = [(name, value) for name, value in headers if name.lower() != "content-length"]
        return start(status, [*own, ("Content-Length", "100")], *more)

    yield _content(application, environ, announce)[:100]


def answering(status: str, body: bytes = b"", **headers: str) -> Fault:
    """Answer with a status, and `Retry_After` written so."""

    def fault(application: Any, environ: Environ, start: StartResponse) -> Iterator[bytes]:
        own = [(name.replace("_", "-"), value) for name, value in headers.items()]
        start(status, [*own, ("Content-Length", str(len(body)))])
        yield body

    return fault


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *arguments: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(world: ArchiveWorld) -> Iterator[tuple[str, Faults]]:
    """Serve an archive and recall its products; yields the address and the faults."""
    faults = Faults(create_app(world.config, world.engine))
    with on_the_loopback(faults, Quiet) as address, running(world.service()):
        yield address, faults
