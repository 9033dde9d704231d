"""The archive as the rest of the service sees it: store, ask for, look at, read, let go."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import Literal
from uuid import uuid4

from catalog_db import times
from catalog_db.archive import backlog, replicas, staging
from catalog_db.archive.backlog import Backlog
from catalog_db.archive.recalls import DISK_ONLY
from catalog_db.archive.staging import FileRow, ProductFile, RequestedFile
from catalog_db.engine import Connection, Engine
from peps_wps.config import Config
from peps_wps.staging.backends import open_pool, open_tape, pool_budget_bytes
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

# A file that is read all day long is not worth a write a second.
_ACCESS_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class FileStatus:
    """Where a product of a request is.

    Parameters
    ----------
    uid
        The product.
    state
        ``waiting``, ``ready``, ``failed``, ``cancelled`` or ``released``.
    bytes_done, size_bytes
        How much has come from tape, of how much.
    expected_s
        About how long it will take until it is ready, seconds; None where nobody can say.
    error
        Why it failed, one sentence; empty otherwise.
    """

    uid: str
    state: str
    bytes_done: int
    size_bytes: int
    expected_s: float | None
    error: str = ""


@dataclass(frozen=True)
class RequestStatus:
    """Whether the products of a request can be read.

    Parameters
    ----------
    ready
        All are in the pool and pinned.
    failed
        Why the request can never become ready, one sentence; None while it can.
    files
        Each product.
    """

    ready: bool
    failed: str | None
    files: tuple[FileStatus, ...]

    @property
    def expected_s(self) -> float | None:
        """About how long it will take until all are ready, seconds."""
        known = [file.expected_s for file in self.files if file.expected_s is not None]
        return max(known, default=None)


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
        self._tape = open_tape(config)
        self._pin_lifetime_s = round(config.storage.pin_hours * 3600)

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
        known = staging.insert_file(connection, _row(stored), now)
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
    ) -> str:
        """Ask for products to be on disk, pinned; return the request.

        Asking again for the same purpose gives the same request until it is released, with its pins
        prolonged; N requests for a product cost one recall.

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

        Raises
        ------
        UnknownProductError, ProductWithdrawnError, LostFileError, PoolTooSmallError
            When a product can never be read; nothing is requested then.
        """
        with self._engine.begin() as connection:
            products = staging.product_files(connection, product_uids)
            for product in products:
                self._check_available(product)
                self._check_size(product)
            return staging.open_request(
                connection,
                user=user,
                purpose=purpose,
                file_ids=[product.file.id for product in products],
                pin_lifetime_s=round(pin_lifetime_s or self._pin_lifetime_s),
                now=times.now(),
            )

    def status(self, request_id: str) -> RequestStatus:
        """Return how far a request is.

        Raises
        ------
        UnknownRequestError
            When there is no such request.
        """
        with self._engine.connect() as connection:
            rows = staging.requested_files(connection, request_id)
            waiting = [row.recall for row in rows if row.recall is not None]
            ahead = backlog.backlogs(connection, waiting) if waiting else {}
        if not rows:
            raise UnknownRequestError(request_id)
        files = tuple(
            self._file_status(row, None if row.recall is None else ahead.get(row.recall))
            for row in rows
        )
        failed = next((file.error for file in files if file.error), None)
        return RequestStatus(all(file.state == "ready" for file in files), failed, files)

    def release(self, request_id: str) -> None:
        """End a request: its pins go, recalls that nobody else waits for are cancelled.

        Releasing an unknown request, or one released before, changes nothing.
        """
        with self._engine.begin() as connection:
            staging.release_request(connection, request_id, times.now())

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

    def open(self, product: ProductFile) -> FileIO:
        """Open the file of a product in the pool; it stays readable even if it is evicted then.

        Raises
        ------
        ProductWithdrawnError, LostFileError
            When it can never be read.
        ProductOnTapeError
            When it has to be recalled first.
        """
        self._check_available(product)
        if not product.is_ready:
            raise ProductOnTapeError(product.title)
        now = times.now()
        try:
            stream = FileIO(self._pool.path(product.file.path))
        except FileNotFoundError as error:
            with self._engine.begin() as connection:
                replicas.forget_replica(connection, product.file.path, now)
            raise ProductOnTapeError(product.title) from error
        if product.last_access is None or now - product.last_access > _ACCESS_RESOLUTION:
            with self._engine.begin() as connection:
                replicas.note_access(connection, product.file.id, now)
        return stream

    @staticmethod
    def _check_available(product: ProductFile) -> None:
        """Raise when the product can never be read."""
        if product.withdrawn:
            raise ProductWithdrawnError(product.title)
        if product.file.backend == DISK_ONLY and not product.is_ready:
            raise LostFileError(f"the file of {product.title} is lost: it had no copy on tape")

    def _check_size(self, product: ProductFile) -> None:
        """Raise when the product must be recalled and has no room even in an empty pool."""
        size_bytes = product.file.size_bytes
        if not product.is_ready and size_bytes > self._budget_bytes:
            raise PoolTooSmallError(
                f"{product.title} has {size_bytes} bytes, the disk pool {self._budget_bytes}"
            )

    def _file_status(self, row: RequestedFile, ahead: Backlog | None) -> FileStatus:
        """Return the status of one product of a request."""
        if row.withdrawn:
            error = str(ProductWithdrawnError(row.title))
            return FileStatus(row.uid, "failed", 0, row.size_bytes, None, error)
        if row.state == "ready" and row.is_ready:
            return FileStatus(row.uid, "ready", row.size_bytes, row.size_bytes, 0.0)
        if row.state == "waiting":
            expected_s = None if ahead is None else self._expected_s(ahead)
            return FileStatus(row.uid, "waiting", row.bytes_done, row.size_bytes, expected_s)
        state = "cancelled" if row.state == "ready" else row.state  # the pin ended, the file went
        error = row.error or f"the request for {row.title} has ended"
        return FileStatus(row.uid, state, row.bytes_done, row.size_bytes, None, error)

    def _expected_s(self, ahead: Backlog) -> float:
        """Return about how long a recall will take with what is read before it, seconds."""
        pause_s = max(0.0, (ahead.not_before - times.now()).total_seconds())
        return pause_s + self._tape.expected_s(ahead.size_bytes, ahead.tapes)


def _row(file: ArchiveFile) -> FileRow:
    """Return the row of a file that has no key yet."""
    return FileRow(
        0,
        file.path,
        file.size_bytes,
        file.checksum_algorithm,
        file.checksum,
        file.backend,
        file.tape,
        file.position,
    )
