"""Which product took the place of one that was withdrawn."""

from sqlalchemy import Column, Table

from catalog_db.tables.base import Uid, metadata

succession = Table(
    "succession",
    metadata,
    Column("uid", Uid, primary_key=True),
    Column("successor", Uid, nullable=False),
)
