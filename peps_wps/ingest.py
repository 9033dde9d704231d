"""Ingest: SAFE products into archive and catalogue, each whole or not at all.

The file is copied first, outside any transaction, for it may take long; then one transaction makes
it known: file, product, and that the one holds the other. A crash in between leaves a file that
nobody knows, and the next attempt finds it there.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from catalog_db import times
from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from catalog_db.engine import Connection
from catalog_db.errors import CatalogError
from peps_wps.errors import SafeError
from peps_wps.readers.integrity import NotAsStatedError, check_integrity, check_readable
from peps_wps.readers.product_metadata import ProductMetadata, read_metadata
from peps_wps.readers.safe import MANIFEST
from peps_wps.services import Services
from peps_wps.staging.archive import Archive, Tier
from storage.errors import StorageError
from storage.model import ArchiveFile

logger = logging.getLogger(__name__)

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
    outcomes = []
    for number, path in enumerate(paths):
        progress(100 * number / len(paths), f"Ingesting {path.name}")
        outcomes.append(_ingest_one(path, tier, services, strict=strict))
    progress(100, "Ingested")
    return IngestReport(tuple(outcomes))


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


def _ingest_one(path: Path, tier: Tier, services: Services, *, strict: bool) -> IngestedProduct:
    """Ingest one product; what is wrong with it becomes its outcome."""
    doubt = ""
    try:
        metadata = read_metadata(path)
        uid = products.product_uid(metadata.collection, metadata.title)
        state = _known_state(uid, services)
        if state is IngestState.REFUSED:
            sentence = f"the product {metadata.title} has been withdrawn"
            return IngestedProduct(path, state, metadata.title, None, sentence)
        if state is IngestState.ADDED:
            doubt = _doubt(path, strict=strict)
            stored = services.archive.copy(path, archive_path(metadata), tier=tier)
            make_known(metadata, stored, services)
            logger.info("ingested %s, %d bytes, %s", metadata.title, stored.size_bytes, tier)
    except (SafeError, StorageError, CatalogError, OSError) as error:
        logger.debug("refused %s: %s", path, error)  # the caller tells it, with the others
        return IngestedProduct(path, IngestState.REFUSED, path.name, None, str(error))
    return IngestedProduct(path, state, metadata.title, uid, doubt)


def _doubt(path: Path, *, strict: bool) -> str:
    """Say what of a product is not as its manifest states, nothing when all is."""
    try:
        check_integrity(path)
    except NotAsStatedError as error:
        if strict:
            raise
        check_readable(path)
        logger.debug("%s: %s", path, error)  # the caller tells it, with the others
        return str(error)
    return ""


def _known_state(uid: str, services: Services) -> IngestState:
    """Say what is to become of a product, by what the catalogue knows of it."""
    with services.engine.connect() as connection:
        known = products.get(connection, uid)
    if known is not None and known.withdrawn:
        return IngestState.REFUSED
    if known is None or known.file_path is None:
        return IngestState.ADDED
    return IngestState.KNOWN


def make_known(metadata: ProductMetadata, stored: ArchiveFile, services: Services) -> None:
    """Write file, product and placement of what the archive has stored, in one transaction."""
    with services.engine.begin() as connection:
        record_known(connection, metadata, stored, services.archive)


def record_known(
    connection: Connection, metadata: ProductMetadata, stored: ArchiveFile, archive: Archive
) -> tuple[str, int]:
    """Write the same in a transaction of the caller's; return the uid and the key of the file."""
    product = _product(metadata, stored)
    file_id = archive.record(stored, connection)
    products.insert_products(connection, [product])
    products.place(connection, product.uid, file_id)
    return product.uid, file_id


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
