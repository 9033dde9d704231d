"""Ingest: SAFE products into archive and catalogue, each whole or not at all.

The file is copied first, outside any transaction, for it may take long; then one transaction makes
it known: file, product, and that the one holds the other. A crash in between leaves a file that
nobody knows, and the next attempt finds it there.

Several products are read and copied at once, ahead of those that are made known; those that are
ready share a transaction, for its wait for the disk costs more than a product.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from catalog_db import times
from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from catalog_db.engine import Connection
from catalog_db.errors import CatalogError
from peps_wps.errors import SafeError
from peps_wps.readers.integrity import NotAsStatedError, check_readable, check_stated_files
from peps_wps.readers.product_metadata import ProductMetadata, metadata_of
from peps_wps.readers.safe import MANIFEST, Safe
from peps_wps.services import Services
from peps_wps.staging.archive import Archive, Tier
from storage.errors import StorageError
from storage.model import ArchiveFile

logger = logging.getLogger(__name__)

# Products read at once, most of them waiting for the disk, and how many before those that are made
# known.
_READERS = 4
_READ_AHEAD = 64
# Products of a transaction, and how long one may wait for others, seconds.
_GROUP = 100
_GROUP_S = 1.0
# Told how far it is, in percent, and what is being done.
Progress = Callable[[float, str], None]


class IngestState(StrEnum):
    """What became of a product."""

    ADDED = "added"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True)
class IngestedProduct:
    """One of the paths given, and what became of it.

    Parameters
    ----------
    path
        As given.
    state
        Added, known already, or refused.
    title
        Name of the product; of the path where it could not be read.
    uid
        Identifier in the catalogue, None where it was refused.
    message
        Why it was refused, or what of it is not as its manifest states; empty otherwise.
    """

    path: Path
    state: IngestState
    title: str
    uid: str | None = None
    message: str = ""


@dataclass(frozen=True)
class IngestReport:
    """What became of each path, in the order given."""

    products: tuple[IngestedProduct, ...]

    @property
    def is_complete(self) -> bool:
        """All products are in the archive."""
        return all(one.state is not IngestState.REFUSED for one in self.products)


def ingest(
    paths: Sequence[Path],
    *,
    tier: Tier,
    services: Services,
    strict: bool = False,
    progress: Progress = lambda _percent, _message: None,
) -> IngestReport:
    """Take SAFE products into archive and catalogue.

    A product whose title the catalogue knows is left alone: the title ends with a checksum of the
    content, so it is the same one. A withdrawn product stays withdrawn and is refused. A product
    that cannot be read is refused by name, and the others go on. One that can be read and is not
    what its manifest states (repacked, stripped, damaged) is taken, and the report says so.

    Parameters
    ----------
    paths
        SAFE folders or zip files.
    tier
        ``tape``: archived on tape, to be recalled; ``disk``: in the pool for good.
    services
        Configuration, catalogue, archive.
    strict
        Refuse what is not byte by byte as its manifest states.
    progress
        Told before each product how far it is.
    """
    run = _Run(tier, services, strict)
    for number, outcome in enumerate(run.outcomes(paths)):
        progress(100 * number / len(paths), f"Ingesting {outcome.path.name}")
        run.settle(number, outcome)
    run.finish()
    progress(100, "Ingested")
    return IngestReport(tuple(run.settled[number] for number in range(len(paths))))


def find_products(paths: Sequence[Path]) -> list[Path]:
    """Return the products at some paths: those named, and those in folders, whatever their depth.

    What is neither is returned as it is, so that its refusal names it.
    """
    found: list[Path] = []
    for path in paths:
        is_product = not path.is_dir() or (path / MANIFEST).is_file()
        inside = [] if is_product else _products_below(path)
        found += inside or [path]
    return found


def _products_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            found += [path] if (path / MANIFEST).is_file() else _products_below(path)
        elif path.suffix.lower() == ".zip":
            found.append(path)
    return found


def archive_path(metadata: ProductMetadata) -> str:
    """Return where the archive keeps a product: by collection and day of acquisition."""
    return f"{metadata.collection}/{metadata.start:%Y/%m/%d}/{metadata.title}.zip"


@dataclass(frozen=True)
class _Copied:
    """A product whose file the archive has, and the catalogue does not know yet."""

    path: Path
    metadata: ProductMetadata
    stored: ArchiveFile
    doubt: str


@dataclass(frozen=True)
class _Twin:
    """Another path of a product that is on its way: what becomes of it depends on the first."""

    path: Path


@dataclass
class _Run:
    """Products on their way: read by several threads, made known in groups by the caller's."""

    tier: Tier
    services: Services
    strict: bool
    settled: dict[int, IngestedProduct] = field(default_factory=dict)
    _group: dict[int, _Copied] = field(default_factory=dict)
    _group_since: float = 0.0
    _twins: dict[int, Path] = field(default_factory=dict)
    _on_their_way: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # Threads that parse XML at once take twice the CPU, for they wrest the interpreter from each
    # other; digests and copies leave it alone.
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def outcomes(self, paths: Sequence[Path]) -> Iterator[IngestedProduct | _Copied | _Twin]:
        """Yield what reading and copying makes of each path, in order, some read ahead."""
        remaining = iter(paths)
        ahead: deque[Future[IngestedProduct | _Copied | _Twin]] = deque()
        with ThreadPoolExecutor(_READERS) as readers:
            try:
                while True:
                    while len(ahead) < _READ_AHEAD and (path := next(remaining, None)) is not None:
                        ahead.append(readers.submit(self._read, path))
                    if not ahead:
                        return
                    yield ahead.popleft().result()
            finally:
                readers.shutdown(cancel_futures=True)

    def settle(self, number: int, outcome: IngestedProduct | _Copied | _Twin) -> None:
        """Note what became of a path; what was copied is made known with others."""
        if isinstance(outcome, _Twin):
            self._twins[number] = outcome.path
        elif isinstance(outcome, IngestedProduct):
            self.settled[number] = outcome
        else:
            if not self._group:
                self._group_since = time.monotonic()
            self._group[number] = outcome
            if len(self._group) >= _GROUP or time.monotonic() > self._group_since + _GROUP_S:
                self.commit()

    def finish(self) -> None:
        """Make known the last ones, then see what became of products given under two paths."""
        self.commit()
        for number, path in self._twins.items():
            self.settle(number, self._read(path))
            self.commit()

    def commit(self) -> None:
        """Make known what was copied: in one transaction, or one by one where that is refused."""
        group, self._group = self._group, {}
        try:
            self._make_known(group)
        except (StorageError, CatalogError) as error:
            for number, one in group.items():
                if len(group) == 1:
                    self.settled[number] = _refused(one.path, error)
                else:
                    self._group = {number: one}
                    self.commit()
        with self._lock:
            self._on_their_way.difference_update(_uid(one.metadata) for one in group.values())

    def _make_known(self, group: Mapping[int, _Copied]) -> None:
        if not group:
            return
        known = [(one.metadata, one.stored) for one in group.values()]
        with self.services.engine.begin() as connection:
            recorded = record_known(connection, known, self.services.archive)
        for (number, one), (uid, _) in zip(group.items(), recorded, strict=True):
            title, size_bytes = one.metadata.title, one.stored.size_bytes
            logger.info("ingested %s, %d bytes, %s", title, size_bytes, self.tier)
            added = IngestedProduct(one.path, IngestState.ADDED, title, uid, one.doubt)
            self.settled[number] = added

    def _read(self, path: Path) -> IngestedProduct | _Copied | _Twin:
        """Read and copy one product; what is wrong with it becomes its outcome."""
        try:
            with self._reading:
                safe = Safe.open(path)
                metadata = metadata_of(safe)
            uid = _uid(metadata)
            with self._lock:
                if uid in self._on_their_way:
                    return _Twin(path)
                self._on_their_way.add(uid)
            return self._copied(safe, metadata, uid)
        except (SafeError, StorageError, CatalogError, OSError) as error:
            return _refused(path, error)

    def _copied(self, safe: Safe, metadata: ProductMetadata, uid: str) -> IngestedProduct | _Copied:
        """Copy a product that the catalogue does not know; another one is not on its way then."""
        path, is_copied = safe.path, False
        try:
            with self._reading:
                state = _known_state(uid, self.services)
            if state is IngestState.REFUSED:
                sentence = f"the product {metadata.title} has been withdrawn"
                return IngestedProduct(path, state, metadata.title, None, sentence)
            if state is IngestState.KNOWN:
                return IngestedProduct(path, state, metadata.title, uid)
            doubt = self._doubt(safe)
            stored = self.services.archive.copy(path, archive_path(metadata), tier=self.tier)
            is_copied = True
            return _Copied(path, metadata, stored, doubt)
        finally:
            if not is_copied:
                with self._lock:
                    self._on_their_way.discard(uid)

    def _doubt(self, safe: Safe) -> str:
        """Say what of a product is not as its manifest states, nothing when all is."""
        doubt = ""
        try:
            check_stated_files(safe)
        except NotAsStatedError as error:
            if self.strict:
                raise
            logger.debug("%s: %s", safe.path, error)  # the caller tells it, with the others
            doubt = str(error)
        with self._reading:
            check_readable(safe)
        return doubt


def _uid(metadata: ProductMetadata) -> str:
    return products.product_uid(metadata.collection, metadata.title)


def _refused(path: Path, error: Exception) -> IngestedProduct:
    logger.debug("refused %s: %s", path, error)  # the caller tells it, with the others
    return IngestedProduct(path, IngestState.REFUSED, path.name, None, str(error))


def _known_state(uid: str, services: Services) -> IngestState:
    """Say what is to become of a product, by what the catalogue knows of it."""
    with services.engine.connect() as connection:
        holding = products.holding_of(connection, uid)
    if holding is not None and holding.withdrawn:
        return IngestState.REFUSED
    return IngestState.KNOWN if holding is not None and holding.has_file else IngestState.ADDED


def record_known(
    connection: Connection,
    known: Sequence[tuple[ProductMetadata, ArchiveFile]],
    archive: Archive,
) -> list[tuple[str, int]]:
    """Write files, products and placements of what the archive has stored.

    Parameters
    ----------
    connection
        In a write transaction: all or nothing.
    known
        Products with their files; none is there twice.
    archive
        That has stored them.

    Returns
    -------
    The uid and the key of the file of each.
    """
    made = [_product(metadata, stored) for metadata, stored in known]
    files = [archive.record(stored, connection) for _, stored in known]
    products.insert_products(connection, made)
    placed = [(one.uid, file) for one, file in zip(made, files, strict=True)]
    products.place(connection, dict(placed))
    return placed


def _product(metadata: ProductMetadata, stored: ArchiveFile) -> Product:
    """Return the catalogue's product: what the manifest says, and the file as it was stored."""
    now = times.now()
    return Product(
        title=metadata.title,
        collection=metadata.collection,
        platform=metadata.platform,
        product_type=metadata.product_type,
        sensor_mode=metadata.sensor_mode,
        swath=metadata.swath,
        instrument=metadata.instrument,
        processing_level=metadata.processing_level,
        polarization=metadata.polarization,
        orbit_number=metadata.orbit_number,
        relative_orbit=metadata.relative_orbit,
        orbit_direction=metadata.orbit_direction,
        cycle_number=metadata.cycle_number,
        mission_take_id=metadata.mission_take_id,
        mgrs_tile=metadata.mgrs_tile,
        cloud_cover=metadata.cloud_cover,
        snow_cover=metadata.snow_cover,
        start=metadata.start,
        end=metadata.end,
        published=now,
        updated=now,
        footprint=metadata.footprint,
        size_bytes=stored.size_bytes,
        checksum=stored.checksum,
        properties=dict(metadata.properties),
    )
