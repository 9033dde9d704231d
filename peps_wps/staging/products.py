"""Products as the archive takes them: what can be read, and which files they are."""

from collections.abc import Sequence

from catalog_db.archive import request_views
from catalog_db.archive.recalls import DISK_ONLY
from catalog_db.archive.staging import FileRow, ProductFile
from catalog_db.engine import Connection
from storage.errors import (
    LostFileError,
    NotRequestedError,
    PoolTooSmallError,
    ProductWithdrawnError,
    UnknownRequestError,
)
from storage.model import ArchiveFile


def check_available(product: ProductFile) -> None:
    """Raise when the product can never be read."""
    if product.withdrawn:
        raise ProductWithdrawnError(product.title)
    if product.file.backend == DISK_ONLY and not product.is_ready:
        raise LostFileError(product.title)


def check_size(product: ProductFile, budget_bytes: int) -> None:
    """Raise when the product must be recalled and has no room even in an empty pool."""
    size_bytes = product.file.size_bytes
    if not product.is_ready and size_bytes > budget_bytes:
        raise PoolTooSmallError(
            f"{product.title} has {size_bytes} bytes, the disk pool {budget_bytes}"
        )


def files_of(
    connection: Connection, request_id: str, product_uids: Sequence[str] | None
) -> list[int] | None:
    """Return the files of some products of a request, None for all of them."""
    if request_views.find_request(connection, request_id) is None:
        raise UnknownRequestError(request_id)
    if product_uids is None:
        return None
    found = request_views.files_of_products(connection, request_id, product_uids)
    for uid in product_uids:
        if uid not in found:
            raise NotRequestedError(f"the request {request_id} has no product {uid}")
    return list(found.values())


def file_row(file: ArchiveFile) -> FileRow:
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


def archive_file(row: FileRow) -> ArchiveFile:
    """Return the file of a row."""
    return ArchiveFile(
        row.path,
        row.size_bytes,
        row.checksum_algorithm,
        row.checksum,
        row.backend,
        row.tape,
        row.position,
    )
