"""What stage requests of the tape service named, whether there is such a file or not."""

from sqlalchemy import Column, ForeignKey, String, Table, Text

from catalog_db.tables.base import Uid, metadata

stage_path = Table(
    "stage_path",
    metadata,
    Column("request", String(36), ForeignKey("request.id", ondelete="CASCADE"), primary_key=True),
    # As the client wrote it, but for needless slashes.
    Column("path", String(512), primary_key=True),
    # The product whose file that is; NULL where it can never be staged, with the reason.
    Column("product", Uid),
    Column("error", Text),
)
