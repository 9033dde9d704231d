"""How far lists of products have been taken in, so that a broken run goes on where it was."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from catalog_db.tables.base import metadata

ingestion = Table(
    "ingestion",
    metadata,
    # Digest of the list: the same one is known under any name.
    Column("digest", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("done", Integer, nullable=False),  # records taken or refused, from the first
    Column("refused", Integer, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)
