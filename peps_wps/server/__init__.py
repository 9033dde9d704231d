"""How the web process talks to its connections: threads for answers, an event loop for files."""

from peps_wps.server.worker import FileWorker

__all__ = ["FileWorker"]
