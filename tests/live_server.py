"""The application as it is served: gunicorn with threads, on a port of the loopback."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(state: Path, *, workers: int = 1, **environ: str) -> Iterator[str]:
    """Serve the state folder of a service; yields the address.

    Connections wait in the socket until gunicorn has started.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "peps_wps.server.FileWorker"]
        command += ["--workers", str(workers), "--threads", "8", "--graceful-timeout", "2"]
        command += ["--bind", f"fd://{listener.fileno()}", "wsgi:application"]
        process = subprocess.Popen(
            command,
            env={**os.environ, "PEPS_VAR": str(state), **environ},
            pass_fds=[listener.fileno()],
            cwd=Path(__file__).parents[1],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait()
