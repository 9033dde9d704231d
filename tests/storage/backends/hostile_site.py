"""A site that answers as a test says, and one file recalled from it."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from storage.backends.patience import Patience
from storage.backends.wlcg import WlcgTape
from storage.backends.wlcg_site import TapeSite, site_session
from storage.errors import TapeError
from storage.model import ArchiveFile, StageState
from tests.patience import until

FILE = ArchiveFile("S1/P1.zip", 10, "sha256", "00", "wlcg")
CONTENT = b"0123456789"
OPEN = (StageState.WAITING, StageState.READING)


class Site(ThreadingHTTPServer):
    """Answers as a test says: by method and path, a value as JSON or a function of the handler."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.seen: list[tuple[str, str, dict]] = []
        self.answers = {
            "GET /.well-known/wlcg-tape-rest-api": {
                "sitename": "s",
                "endpoints": [{"uri": f"{self.url}/api/v1/", "version": "v1"}],
            },
            "POST /api/v1/stage": {"requestId": "r1"},
            "GET /api/v1/stage/r1": {"files": [{"path": "/S1/P1.zip", "state": "COMPLETED"}]},
            "POST /api/v1/archiveinfo": [{"path": "/S1/P1.zip", "locality": "TAPE"}],
            "GET /S1/P1.zip": lambda handler: handler.say(200, CONTENT, ETag='"1"'),
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        found = self.server.answers.get(f"{self.command} {self.path}")
        if callable(found):
            found(self)
        else:
            self.say(
                404 if found is None else 200, b"" if found is None else json.dumps(found).encode()
            )

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def say(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def log_message(self, *arguments):
        pass


def tape(site, **options):
    patience = Patience(poll_s=0.005, longest_pause_s=0.01, away_s=0.03)
    options = {"batches": 2, "patience": patience, **options}
    session = site_session(None, None)
    return WlcgTape(TapeSite(site.url, session), session, site.url, **options)


def asked(site, **options):
    """Return the outcome of recalling one file: its bytes, or the error."""
    backend = tape(site, **options)
    try:
        handle = backend.submit("slot-1", [FILE])
    except TapeError as error:
        return error
    try:
        return outcome(backend, handle)
    except TapeError as error:
        return error
    finally:
        backend.release(handle)


def outcome(backend, handle):
    def ended():
        status = backend.poll(handle)[FILE.path]
        return None if status.state in OPEN else status

    status = until(ended, pause_s=0.002)
    if status.state is StageState.FAILED:
        return status.error
    chunks = []
    backend.fetch(handle, FILE, lambda chunk: chunks.append(bytes(chunk)))
    return b"".join(chunks)
