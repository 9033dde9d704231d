"""Fetching: a product that waits is brought here, checked, stored and made known.

The file goes into the archive first, outside any transaction; then one transaction says what it is,
where it is and that it is mirrored. Killed anywhere before, the product waits again and its part is
continued.
"""

import errno
import logging
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from catalog_db import times
from catalog_db.catalogue import products
from catalog_db.engine import Connection
from catalog_db.errors import CatalogError
from catalog_db.mirroring import mirror_days, mirror_queue
from catalog_db.mirroring.mirror_announcing import SUPERSEDED, WITHDRAWN_HERE
from catalog_db.mirroring.mirror_rows import MirrorProduct, known, named
from peps_wps.ingest import archive_path, record_known
from peps_wps.mirror.download import Download, check_product
from peps_wps.mirror.errors import (
    CorruptDownloadError,
    CredentialsError,
    DownloadBrokenError,
    HubAnswerError,
    HubRefusalError,
    HubUnavailableError,
    NoRoomError,
    StoppedError,
    UnusableProductError,
)
from peps_wps.mirror.hub import Hub
from peps_wps.mirror.pacing import Rate
from peps_wps.mirror.sources import Source
from peps_wps.readers.product_metadata import ProductMetadata
from peps_wps.services import Services
from storage.errors import ArchiveConflictError, StorageError
from storage.model import ArchiveFile

logger = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, errno.EDQUOT)
_LONGEST_BACKOFF_S = 6 * 3600.0
_LARGEST = 2**62


class Outcome(StrEnum):
    """How the fetching of a product ended."""

    MIRRORED = "mirrored"
    KNOWN = "known"  # nothing had to be fetched
    CHANGED = "changed"  # announced anew or deleted meanwhile
    PUT_OFF = "put off"
    FAILED = "failed"


class Fetcher:
    """Fetches the products of one source, from any number of threads.

    Parameters
    ----------
    source, hub
        The source.
    services
        Catalogue and archive.
    bandwidth
        Bytes a second, for all threads.
    arrived
        Told of bytes as they arrive.
    """

    def __init__(
        self,
        source: Source,
        hub: Hub,
        services: Services,
        bandwidth: Rate,
        arrived: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._source = source
        self._hub = hub
        self._services = services
        self._settings = services.config.mirror
        self._folder = self._settings.path / source.name
        self._bandwidth = bandwidth
        self._arrived = arrived
        self._lock = threading.Lock()
        self._claims = 0
        self._on_the_way: dict[int, int] = {}

    def discard_orphans(self) -> None:
        """Remove the parts of contents that nobody waits for any more."""
        parts = {path.name: path for path in self._folder.glob("*-*") if path.is_dir()}
        with self._services.engine.connect() as connection:
            rows = known(connection, self._source.name, {name.rpartition("-")[0] for name in parts})
        for name, path in parts.items():
            hub_id, _, checksum = name.rpartition("-")
            row = rows.get(hub_id)
            if row is None or row.checksum != checksum or row.state in ("done", "gone"):
                shutil.rmtree(path)

    def claim(self) -> MirrorProduct | None:
        """Return the product to fetch next: newest first, and a share for the oldest.

        None when none is due, or the source's limit for the day is reached.
        """
        with self._lock:
            share = self._source.backlog_share
            oldest = int((self._claims + 1) * share) > int(self._claims * share)
            now = times.now()
            with self._services.engine.begin() as connection:
                room = self._room_bytes(connection)
                row = mirror_queue.claim(
                    connection, self._source.name, oldest=oldest, room_bytes=room, now=now
                )
            if row is not None:
                self._claims += 1
                self._on_the_way[row.id] = row.size_bytes
            return row

    def fetch(self, row: MirrorProduct) -> Outcome:
        """Fetch a claimed product; what goes wrong with it becomes its state.

        Raises
        ------
        NoRoomError, CredentialsError
            What no other product would escape; the product waits then.
        """
        received = _Received(self._bandwidth, self._arrived)
        try:
            return self._bring(row, received)
        except StoppedError as error:
            return self._put_off(row, error, delay_s=0, is_counted=False)
        except (HubUnavailableError, CredentialsError) as error:
            self._put_off(row, error, delay_s=self._settings.backoff_s, is_counted=False)
            if isinstance(error, CredentialsError):
                raise
            return Outcome.PUT_OFF
        except (DownloadBrokenError, HubRefusalError, HubAnswerError) as error:
            return self._try_later(row, error)
        except CorruptDownloadError as error:
            return self._try_later(row, error, is_corrupt=True)
        except (UnusableProductError, StorageError, CatalogError) as error:
            return self._fail(row, error)
        except OSError as error:
            self._put_off(row, error, delay_s=0, is_counted=False)
            if error.errno not in _FULL:
                raise
            raise NoRoomError(f"no room for {row.name}: {error.strerror}") from error
        finally:
            self._count(row, traffic_bytes=received.size_bytes)
            with self._lock:
                self._on_the_way.pop(row.id, None)

    # ------------------------------------------------------------------------------ bringing

    def _bring(self, row: MirrorProduct, received: "_Received") -> Outcome:
        with self._services.engine.begin() as connection:
            if _settle_known(connection, row):
                return Outcome.KNOWN
        download = Download(row, self._folder)
        download.run(self._hub, received)
        try:
            metadata = check_product(download.path, row.name)
        except UnusableProductError:
            download.discard()
            raise
        outcome = self._store(row, download, metadata)
        download.discard()
        return outcome

    def _store(self, row: MirrorProduct, download: Download, metadata: ProductMetadata) -> Outcome:
        """Store the file; under a name of its own where the archive holds another content."""
        plain = archive_path(metadata)
        own = str(PurePosixPath(plain).with_name(f"{metadata.title}-{row.checksum}.zip"))
        try:
            return self._store_as(plain, row, download, metadata)
        except ArchiveConflictError:
            return self._store_as(own, row, download, metadata)

    def _store_as(
        self, path: str, row: MirrorProduct, download: Download, metadata: ProductMetadata
    ) -> Outcome:
        archive = self._services.archive
        stored = archive.copy(download.path, path, tier=self._settings.tier)
        try:
            self._record(row, metadata, stored)
        except _ChangedError:
            logger.info("%s was changed at %s meanwhile", row.name, row.source)
            return Outcome.CHANGED
        logger.info("mirrored %s, %d bytes, from %s", row.name, row.size_bytes, row.source)
        return Outcome.MIRRORED

    def _record(self, row: MirrorProduct, metadata: ProductMetadata, stored: ArchiveFile) -> None:
        """Write file, product, placement and what the mirror knows, all or nothing."""
        with self._services.engine.begin() as connection:
            ((uid, file_id),) = record_known(
                connection, [(metadata, stored)], self._services.archive
            )
            now = times.now()
            if not mirror_queue.complete(connection, row, uid=uid, file_id=file_id, now=now):
                raise _ChangedError

    # -------------------------------------------------------------------------------- ending

    def _try_later(
        self, row: MirrorProduct, error: Exception, *, is_corrupt: bool = False
    ) -> Outcome:
        self._count(row, corrupt=int(is_corrupt))
        if row.attempts >= self._settings.max_attempts:
            return self._fail(row, error, is_corrupt=is_corrupt)
        delay_s = self._settings.backoff_s * 2 ** (row.attempts - 1)
        return self._put_off(row, error, delay_s=delay_s, is_corrupt=is_corrupt)

    def _put_off(
        self,
        row: MirrorProduct,
        error: Exception,
        *,
        delay_s: float,
        is_counted: bool = True,
        is_corrupt: bool = False,
    ) -> Outcome:
        until = times.now() + timedelta(seconds=min(delay_s, _LONGEST_BACKOFF_S))
        logger.info("%s waits again: %s", row.name, error)
        with self._services.engine.begin() as connection:
            mirror_queue.put_off(
                connection,
                row,
                until,
                error=str(error),
                is_counted=is_counted,
                is_corrupt=is_corrupt,
            )
        return Outcome.PUT_OFF

    def _fail(self, row: MirrorProduct, error: Exception, *, is_corrupt: bool = False) -> Outcome:
        logger.warning("%s of %s cannot be mirrored: %s", row.name, row.source, error)
        with self._services.engine.begin() as connection:
            mirror_queue.settle(connection, row, "failed", error=str(error), is_corrupt=is_corrupt)
        return Outcome.FAILED

    def _count(self, row: MirrorProduct, **sums: int) -> None:
        if any(sums.values()):
            with self._services.engine.begin() as connection:
                mirror_days.count(connection, row.source, row.collection, times.now(), **sums)

    def _room_bytes(self, connection: Connection) -> int:
        """Return how much may still come today."""
        if not self._source.daily_gb:
            return _LARGEST
        used = mirror_days.traffic_of_day(connection, self._source.name, times.now())
        return int(self._source.daily_gb * 1e9) - used - sum(self._on_the_way.values())


class _ChangedError(Exception):
    """The row no longer wants what was fetched for it."""


class _Received:
    """Counts bytes that arrive, and holds them back to the source's bandwidth."""

    def __init__(self, bandwidth: Rate, arrived: Callable[[int], None]) -> None:
        self.size_bytes = 0
        self._bandwidth = bandwidth
        self._arrived = arrived

    def __call__(self, count: int) -> None:
        self.size_bytes += count
        self._arrived(count)
        self._bandwidth.take(count)


def _settle_known(connection: Connection, row: MirrorProduct) -> bool:
    """Settle a row whose product is here already, or must not be; tell whether that was so."""
    others = [one for one in named(connection, row.name) if one.id != row.id]
    twin = next((one for one in others if one.state == "done"), None)
    if twin is not None:
        if twin.checksum == row.checksum:
            return mirror_queue.settle(connection, row, "done", uid=twin.uid)
        is_older = row.announced <= twin.announced
        error = SUPERSEDED + twin.hub_id
        return is_older and mirror_queue.settle(connection, row, "gone", error=error)
    product = products.get(connection, row.name)
    if product is None:
        return False
    if product.withdrawn:
        is_ours = not mirror_queue.was_withdrawn_by_source(connection, row.name)
        return is_ours and mirror_queue.settle(connection, row, "gone", error=WITHDRAWN_HERE)
    # Taken in by other means before the mirror knew of it.
    is_here = product.file_path is not None and product.size_bytes == row.size_bytes
    is_first = row.uid is None
    return is_first and is_here and mirror_queue.settle(connection, row, "done", uid=product.uid)
