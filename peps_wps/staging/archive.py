"""The archive as the rest of the service sees it: store, ask for, look at, read, let go."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Literal
from uuid import uuid4

from catalog_db import counters, times
from catalog_db.archive import backlog, replicas, request_views, requests, staging
from catalog_db.archive.backlog import Backlog
from catalog_db.archive.recalls import DISK_ONLY, JOB_PURPOSE
from catalog_db.archive.request_views import ListedRequest
from catalog_db.archive.requests import Wish
from catalog_db.archive.staging import ProductFile
from catalog_db.engine import Connection, Engine
from peps_wps.config import Config
from peps_wps.staging.backends import open_pool, open_tapes, pool_budget_bytes
from peps_wps.staging.limits import StagingLimits
from peps_wps.staging.products import check_available, check_size, file_row, files_of
from peps_wps.staging.states import (
    PoolState,
    RecallStatus,
    RequestStatus,
    StagingCounters,
    listed_recall,
    request_status,
)
from storage.errors import (
    ArchiveConflictError,
    LostFileError,
    PoolTooSmallError,
    ProductOnTapeError,
    ProductWithdrawnError,
    UnknownRequestError,
)
from storage.folder_zip import zip_folder
from storage.model import ArchiveFile
from storage.part_file import PartFile, chunks_of

Tier = Literal["tape", "disk"]
# Is given the request.
Note = Callable[[Connection, str], None]

# A file that is read all day long is not worth a write a second.
_ACCESS_RESOLUTION = timedelta(minutes=1)


class Archive:
    """Files of products on tape and disk, and the requests that bring them to disk.

    Parameters
    ----------
    config
        The settings.
    engine
        The catalogue database.
    """

    def __init__(self, config: Config, engine: Engine) -> None:
        self._engine = engine
        self._pool = open_pool(config)
        self._budget_bytes = pool_budget_bytes(config)
        self._tapes = open_tapes(config)
        self._tape = self._tapes[config.tape.backend]
        self._limits = StagingLimits(config.storage)

    # ------------------------------------------------------------------------------ storing

    def copy(self, local_path: Path, archive_path: str, *, tier: Tier) -> ArchiveFile:
        """Copy a file, or a folder as a stored zip, into the archive, unknown to the catalogue.

        It may take long, so it belongs outside a transaction; `record` then goes inside.
        Copying the same content again writes nothing.

        Parameters
        ----------
        local_path
            File or folder of the product.
        archive_path
            Its name in the archive, ``S1/2021/08/09/<title>.zip``.
        tier
            ``tape``: on tape only; ``disk``: in the pool only, never evicted.

        Raises
        ------
        ArchiveConflictError
            When the pool holds another content under this path.
        """

        def fill(part: PartFile) -> None:
            if local_path.is_dir():
                zip_folder(local_path, part.stream)
                part.redigest()
                return
            with local_path.open("rb") as stream:
                for chunk in chunks_of(stream):
                    part.write(chunk)

        place = self._tape if tier == "tape" else self._pool
        return place.store(archive_path, fill, writer=f"store-{os.getpid()}-{uuid4().hex[:8]}")

    def record(self, stored: ArchiveFile, connection: Connection) -> int:
        """Note a copied file in the catalogue; return its key.

        Raises
        ------
        ArchiveConflictError
            When the catalogue knows another content under this path.
        """
        now = times.now()
        known = staging.insert_file(connection, file_row(stored), now)
        if known.checksum != stored.checksum:
            raise ArchiveConflictError(f"the archive holds another content as {stored.path}")
        if stored.backend == DISK_ONLY:
            replicas.add_replica(connection, known.id, stored.path, stored.size_bytes, now)
        return known.id

    # --------------------------------------------------------------------------- requesting

    def request(
        self,
        product_uids: Sequence[str],
        *,
        user: str,
        purpose: str,
        pin_lifetime_s: float | None = None,
        deadline: datetime | None = None,
        note: Note | None = None,
    ) -> str:
        """Ask for products to be on disk, pinned; return the request.

        Asking again for the same purpose gives the same request until it is released, with its pins
        prolonged and the new deadline; N requests for a product cost one recall.

        Parameters
        ----------
        product_uids
            Identifiers of the products.
        user
            On whose behalf.
        purpose
            What asks: ``job:<id>:<task>``, ``download:<uid>``.
        pin_lifetime_s
            How long each product stays once it is ready; by default as configured.
        deadline
            What is not ready by then fails.
        note
            Writes more about the request, in the same transaction.

        Raises
        ------
        UnknownProductError, ProductWithdrawnError, LostFileError, PoolTooSmallError
            When a product can never be read; nothing is requested then.
        PinTooLongError
            When it is to stay for longer than is allowed.
        QuotaError
            When the user would wait for more than is allowed. Jobs may: they were accepted.
        """
        is_job = purpose.startswith(JOB_PURPOSE)
        lifetime_s = self._limits.pin_lifetime_s if pin_lifetime_s is None else pin_lifetime_s
        if not is_job:
            self._limits.check_pin(lifetime_s)
        wish = Wish(user, purpose, round(lifetime_s), deadline)
        with self._engine.begin() as connection:
            products = staging.product_files(connection, product_uids)
            for product in products:
                check_available(product)
                check_size(product, self._budget_bytes)
            file_ids = [product.file.id for product in products]
            opened = requests.open_request(connection, wish, file_ids, times.now())
            if opened.new_waits and not is_job:
                self._limits.check_waits(connection, user, self._expected_s)
            if note is not None:
                note(connection, opened.id)
        return opened.id

    def refusal(self, product: ProductFile) -> str | None:
        """Return why a product can never be read, None where it can."""
        try:
            check_available(product)
            check_size(product, self._budget_bytes)
        except (ProductWithdrawnError, LostFileError, PoolTooSmallError) as error:
            return str(error)
        return None

    def status(self, request_id: str) -> RequestStatus:
        """Return how far a request is.

        Raises
        ------
        UnknownRequestError
            When there is no such request.
        """
        with self._engine.connect() as connection:
            request = request_views.find_request(connection, request_id)
            rows = request_views.requested_files(connection, request_id)
            waiting = [row.recall for row in rows if row.recall is not None]
            ahead = backlog.backlogs(connection, waiting) if waiting else {}
        if request is None:
            raise UnknownRequestError(request_id)
        return request_status(request, rows, ahead, self._expected_s, times.now())

    def cancel(self, request_id: str, product_uids: Sequence[str] | None = None) -> None:
        """Wait no more for some products of a request, or for all; what is ready stays pinned.

        Recalls that nobody else waits for are cancelled.

        Raises
        ------
        UnknownRequestError, NotRequestedError
            When there is no such request, or it does not contain them all; nothing is changed.
        """
        with self._engine.begin() as connection:
            file_ids = files_of(connection, request_id, product_uids)
            requests.cancel_waits(connection, request_id, file_ids, times.now())

    def release(self, request_id: str, product_uids: Sequence[str] | None = None) -> None:
        """Let go of some products of a request, or end it: pins go, what waits is cancelled.

        Ending an unknown request, or one that has ended, changes nothing.

        Raises
        ------
        UnknownRequestError, NotRequestedError
            When products are named that the request does not contain; nothing is changed.
        """
        with self._engine.begin() as connection:
            if product_uids is None:
                requests.release_request(connection, request_id, times.now())
                return
            file_ids = files_of(connection, request_id, product_uids)
            requests.release_files(connection, request_id, file_ids or [], times.now())

    def forget(self, request_id: str) -> None:
        """End a request and delete what is known of it.

        Raises
        ------
        UnknownRequestError
            When there is no such request.
        """
        with self._engine.begin() as connection:
            if not requests.forget_request(connection, request_id, times.now()):
                raise UnknownRequestError(request_id)

    def requests(
        self,
        *,
        user: str | None = None,
        purpose: str | None = None,
        only_open: bool = True,
        limit: int = 100,
    ) -> list[ListedRequest]:
        """Return requests, the newest first: of a user, of purposes that begin so."""
        with self._engine.connect() as connection:
            return request_views.list_requests(
                connection, user=user, purpose=purpose, only_open=only_open, limit=limit
            )

    def recalls(
        self,
        *,
        states: Sequence[str] = ("queued", "running"),
        user: str | None = None,
        limit: int = 1000,
    ) -> list[RecallStatus]:
        """Return recalls with their place and expected time, the oldest first.

        Parameters
        ----------
        states
            ``queued``, ``running``, ``done``, ``failed``, ``cancelled``.
        user
            Only those of whose files he has asked for.
        limit
            At most so many.
        """
        with self._engine.connect() as connection:
            rows = backlog.list_recalls(connection, states=states, user=user, limit=limit)
        return [listed_recall(row, self._expected_s) for row in rows]

    def pool_state(self) -> PoolState:
        """Return how full the disk pool is, and of what."""
        with self._engine.connect() as connection:
            held = replicas.pool_state(connection, times.now())
        return PoolState(
            budget_bytes=self._budget_bytes,
            used_bytes=held.recalled,
            files=held.files,
            coming_bytes=held.coming,
            pinned_bytes=held.pinned,
            evictable_bytes=held.recalled - held.coming - held.pinned,
            disk_only_bytes=held.disk_only,
        )

    def counters(self) -> StagingCounters:
        """Return what has been counted since the installation began."""
        with self._engine.connect() as connection:
            totals = counters.totals(connection)
        recalled = (size for (name, _), size in totals.items() if name == counters.RECALL_BYTES)
        return StagingCounters(
            hits=totals.get((counters.CACHE_HITS, ""), 0),
            misses=totals.get((counters.CACHE_MISSES, ""), 0),
            recalls=totals.get((counters.RECALLS, "done"), 0),
            recalled_bytes=sum(recalled),
            failures=totals.get((counters.RECALLS, "failed"), 0),
        )

    def mode(self, product_uids: Sequence[str]) -> dict[str, str]:
        """Return ``disk``, ``staging`` or ``tape`` for each known product, in one query."""
        with self._engine.connect() as connection:
            return staging.modes(connection, product_uids)

    # ------------------------------------------------------------------------------ reading

    def find(self, product_uid: str) -> ProductFile:
        """Return what the archive knows of a product's file.

        Raises
        ------
        UnknownProductError
            When the catalogue has no such product.
        """
        with self._engine.connect() as connection:
            return staging.product_files(connection, [product_uid])[0]

    def path(self, product_uid: str) -> Path:
        """Return the file of a product in the pool; pin it by a request before relying on it.

        Raises
        ------
        UnknownProductError, ProductWithdrawnError, LostFileError
            When it can never be read.
        ProductOnTapeError
            When it has to be recalled first.
        """
        product = self.find(product_uid)
        with self.open(product):
            return self._pool.path(product.file.path)

    def local_path(self, product_uid: str) -> Path:
        """Return the file of a pinned product, for whoever reads the pool by himself.

        Raises
        ------
        UnknownProductError, ProductWithdrawnError, LostFileError
            When it can never be read.
        ProductOnTapeError
            When no request has it pinned: it might go at any moment.
        """
        with self._engine.connect() as connection:
            is_pinned = requests.is_pinned(connection, product_uid, times.now())
        product = self.find(product_uid)
        check_available(product)
        if not is_pinned and product.file.backend != DISK_ONLY:
            raise ProductOnTapeError(product.title)
        return self.path(product_uid)

    def open(self, product: ProductFile) -> FileIO:
        """Open the file of a product in the pool; it stays there until the stream is closed.

        Raises
        ------
        ProductWithdrawnError, LostFileError
            When it can never be read.
        ProductOnTapeError
            When it has to be recalled first.
        """
        check_available(product)
        if not product.is_ready:
            raise ProductOnTapeError(product.title)
        now = times.now()
        try:
            stream = self._pool.open(product.file.path)
        except FileNotFoundError as error:
            with self._engine.begin() as connection:
                replicas.forget_replica(connection, product.file.path, now)
            is_only_copy = product.file.backend == DISK_ONLY
            gone = LostFileError if is_only_copy else ProductOnTapeError
            raise gone(product.title) from error
        if product.last_access is None or now - product.last_access > _ACCESS_RESOLUTION:
            with self._engine.begin() as connection:
                replicas.note_access(connection, product.file.id, now)
        return stream

    def _expected_s(self, ahead: Backlog) -> float:
        """Return about how long a recall will take with what is read before it, seconds."""
        pause_s = max(0.0, (ahead.not_before - times.now()).total_seconds())
        tape = self._tapes.get(ahead.backend, self._tape)
        return pause_s + tape.expected_s(ahead.size_bytes, ahead.tapes)
