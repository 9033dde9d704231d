"""The web process: gunicorn around the application."""

import os
import resource
import signal
from typing import Any

from gunicorn.app.base import BaseApplication

from peps_wps import logs
from peps_wps.config import Config
from peps_wps.jobs.lifeline import follow_parent
from peps_wps.server import FileWorker

REQUEST_TIMEOUT_S = 120
STOP_LIMIT_S = 2
# The longest that gunicorn allows, in bytes; what is longer is ordered by POST.
REQUEST_LINE_LIMIT = 8190


class WebServer(BaseApplication):  # type: ignore[misc]
    """Gunicorn with threads, configured by our own configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings."""
        server = self._config.server
        host = f"[{server.host}]" if ":" in server.host else server.host
        settings = {
            "bind": f"{host}:{server.port}",
            "worker_class": FileWorker,
            "workers": server.workers,
            "threads": server.threads,
            "timeout": REQUEST_TIMEOUT_S,
            "graceful_timeout": STOP_LIMIT_S,
            "limit_request_line": REQUEST_LINE_LIMIT,
            "loglevel": "warning",
            "proc_name": "peps-web",
            # No header of a client says which address it asked.
            "forwarder_headers": "",
            # One path for all services of a user, and a thread beside the forks.
            "control_socket_disable": True,
            "post_worker_init": self._configure_worker,
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        """Build the application, in each worker: no connection is carried over a fork."""
        from peps_wps.app import create_app

        return create_app(self._config)

    def _configure_worker(self, _worker: object) -> None:
        logs.configure(self._config.logging)


def allow_many_files() -> None:
    """Let this process hold as many files and connections open as the system lets it.

    The usual 1024 are spent by 500 downloads.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run_web(config: Config) -> None:
    """Serve until SIGTERM, or until the process that started this one has gone.

    In a session of its own: a key pressed in a terminal reaches the one who started it, who then
    ends the web in order. Gunicorn that is told twice kills what it was waiting for.
    """
    os.setsid()
    allow_many_files()
    logs.configure(config.logging)
    follow_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    WebServer(config).run()
