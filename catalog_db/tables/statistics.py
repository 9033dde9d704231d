"""Counts kept while products come and go, so that no statistic ever scans them."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, String, Table

from catalog_db.tables.base import metadata

daily_volume = Table(
    "daily_volume",
    metadata,
    # Of the start of sensing, or of the publication here.
    Column("basis", String(9), nullable=False),
    Column("day", Integer, nullable=False),  # since 1970-01-01, UTC
    Column("collection", String(8), nullable=False),
    Column("platform", String(8), nullable=False),
    Column("product_type", String(16), nullable=False),
    Column("products", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("basis", "day", "collection", "platform", "product_type"),
    sqlite_with_rowid=False,
)
