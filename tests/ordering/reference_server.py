"""A server that answers as a test wants, byte by byte, and a reader of what it holds."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from peps_wps.config.web_sections import Inputs
from peps_wps.errors import InvalidInputError
from peps_wps.ordering.references import ReferenceReader

# Answers a request that was read, on the open connection.
Answer = Callable[[socket.socket, str], None]

LIMIT = 50_000


class Server:
    """A server that answers as a test wants, byte by byte."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None) -> None:
        self.answer = answer
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.requests: list[str] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, raw: socket.socket) -> None:
        with self.context.wrap_socket(raw, server_side=True) if self.context else raw as connection:
            asked = connection.recv(65536).decode("latin-1")
            self.requests.append(asked)
            self.answer(connection, asked)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@contextlib.contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(answer, context)
    try:
        yield server
    finally:
        server.close()


def sends(*parts: bytes, pause_s: float = 0.0) -> Answer:
    def answer(connection: socket.socket, _asked: str) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_s)

    return answer


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def reading(settings: Inputs, slots: int = 1) -> ReferenceReader:
    return ReferenceReader(
        settings, largest=LIMIT, most=2 * LIMIT, slots=threading.BoundedSemaphore(slots)
    )


def reader(server: Server | None = None, **settings: object) -> ReferenceReader:
    allowed = {
        "allowed_hosts": "" if server is None else f"127.0.0.1:{server.port}",
        "allowed_schemes": "http",
        "private_networks": "127.0.0.0/8",
        "timeout_s": 5.0,
        "idle_s": 2.0,
        **settings,
    }
    return reading(Inputs(**allowed))


def refused(reads: ReferenceReader, href: str) -> str:
    with pytest.raises(InvalidInputError) as error:
        reads.text("region", href)
    assert error.value.locator == "region"
    return str(error.value)
