"""What happened, counted by day: no figure of the service's use reads what was counted."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, String, Table

from catalog_db.tables.base import metadata

counter = Table(
    "counter",
    metadata,
    # What is counted, and of what: ("recalls", "done"), ("recall_bytes", "simtape").
    Column("name", String(32), nullable=False),
    Column("label", String(32), nullable=False),
    Column("day", Integer, nullable=False),  # since 1970-01-01, UTC
    Column("value", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "label", "day"),
    sqlite_with_rowid=False,
)
