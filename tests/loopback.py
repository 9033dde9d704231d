"""Applications served by this process on the loopback, for clients that know HTTP only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


@contextmanager
def on_the_loopback(
    app: Any, handler: type[WSGIRequestHandler] = WSGIRequestHandler
) -> Iterator[str]:
    """Give the address of a WSGI application until the block ends."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
