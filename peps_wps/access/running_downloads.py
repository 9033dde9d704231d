"""The downloads of this process, told to the database: admitted, alive, ended.

Admission is one transaction; all else is written by one thread, many at once, so that nothing waits
for the database while bytes flow. A download that is forgotten without an end, in whatever way,
gets no new lease and so ends by itself.
"""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from weakref import WeakValueDictionary

from catalog_db import times
from catalog_db.access import downloads
from catalog_db.access.downloads import Download, Ended
from catalog_db.archive.staging import ProductFile
from catalog_db.engine import Engine
from catalog_db.processing.job_queue import DatabaseError
from peps_wps.access.quotas import Limits, check

logger = logging.getLogger(__name__)

LEASE_S = 60.0
HEARTBEAT_S = 15.0


class RunningDownload:
    """One download of this process; told how far it got, and its end."""

    def __init__(self, key: str, tell: Callable[[Ended], None]) -> None:
        self.key = key
        self.sent_bytes = 0
        self._tell = tell

    def sent(self, count: int) -> None:
        """Take note of how many bytes have been sent in all."""
        self.sent_bytes = count

    def closed(self, *, is_whole: bool) -> None:
        """Take note that no more are sent."""
        status: downloads.Status = "done" if is_whole else "broken"
        self._tell(Ended(self.key, times.now(), self.sent_bytes, status))


class RunningDownloads:
    """All downloads of this process.

    Parameters
    ----------
    engine
        The database.
    limits
        What a user may have.
    lease_s, heartbeat_s
        How long a download counts without a sign of life, and how often there is one, seconds.
    """

    def __init__(
        self,
        engine: Engine,
        limits: Limits,
        *,
        lease_s: float = LEASE_S,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._lease = timedelta(seconds=lease_s)
        self._heartbeat_s = heartbeat_s
        self._running: WeakValueDictionary[str, RunningDownload] = WeakValueDictionary()
        self._ended: deque[Ended] = deque()
        self._has_ended = threading.Event()
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def admit(
        self, subject: str, user: str, product: ProductFile, size_bytes: int
    ) -> RunningDownload:
        """Begin a download.

        Parameters
        ----------
        subject
            Whose quota it is.
        user
            Who asks.
        product
            Whose file, or part of a file, it is.
        size_bytes
            How much will be sent.

        Raises
        ------
        QuotaError
            When the subject may not have it now.
        """
        self.flush()  # who has just ended one may have the next
        now = times.now()
        admitted = Download(
            id=str(uuid.uuid4()),
            subject=subject,
            user=user,
            collection=product.collection,
            platform=product.platform,
            size_bytes=size_bytes,
            started=now,
            lease_until=now + self._lease,
        )
        with self._engine.begin() as connection:
            used = downloads.usage(connection, subject, now)
            check(self._limits, used, size_bytes, now)
            downloads.insert(connection, admitted)
        running = RunningDownload(admitted.id, self._note_end)
        self._running[running.key] = running
        self._start()
        return running

    def flush(self) -> None:
        """Write what has ended."""
        with self._writing:
            ended = [self._ended.popleft() for _ in range(len(self._ended))]
            if not ended:
                return
            try:
                with self._engine.begin() as connection:
                    downloads.end(connection, ended)
            except BaseException:
                self._ended.extendleft(reversed(ended))
                raise

    def _note_end(self, ended: Ended) -> None:
        self._ended.append(ended)
        self._has_ended.set()

    def _start(self) -> None:
        """Start the thread where there is none."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="downloads", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        renewed = time.monotonic()
        while not self._is_over():
            self._has_ended.wait(self._heartbeat_s)
            self._has_ended.clear()
            try:
                self.flush()
                if time.monotonic() - renewed >= self._heartbeat_s:
                    self._renew()
                    renewed = time.monotonic()
            except DatabaseError:
                logger.exception("downloads could not be written down, tried again soon")

    def _is_over(self) -> bool:
        """Tell whether nothing is left for the thread; the next download starts another one."""
        with self._starting:
            if self._running or self._ended:
                return False
            self._thread = None
            return True

    def _renew(self) -> None:
        """Give the running downloads new leases."""
        sent = {key: one.sent_bytes for key, one in list(self._running.items())}
        if sent:
            with self._engine.begin() as connection:
                downloads.renew(connection, sent, times.now() + self._lease)
