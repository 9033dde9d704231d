"""The datalake: who is at work on what of it, and what was published when."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from catalog_db.tables.base import Uid, metadata, ordered_text

datalake_lock = Table(
    "datalake_lock",
    metadata,
    Column("key", String(160), primary_key=True),
    # For people: the job, the task.
    Column("holder", String(160), nullable=False),
    # Of this one lease; a holder that comes back has another.
    Column("lease", Uid, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

datalake_product = Table(
    "datalake_product",
    metadata,
    # Of the item, below the root of the datalake.
    Column("path", ordered_text(512), primary_key=True),
    Column("published_us", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Index("ix_datalake_product_published_us", "published_us", "path"),
)
