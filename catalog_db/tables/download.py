"""Downloads in progress and what was sent to whom of late: what their quotas are counted by."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
)

from catalog_db.tables.base import Uid, metadata

# One row a file that is being sent, removed at its end.
download = Table(
    "download",
    metadata,
    Column("id", Uid, primary_key=True),
    # Whose quota it is: a user, or the address of who gave no name.
    Column("subject", String(64), nullable=False),
    Column("user", String(64), nullable=False),
    Column("collection", String(8), nullable=False),
    Column("platform", String(8), nullable=False),
    # To be sent in all, and sent at the last sign of life.
    Column("size_bytes", BigInteger, nullable=False),
    Column("sent_bytes", BigInteger, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    # Given new signs of life by who sends it; without them it ends here.
    Column("lease_until_us", BigInteger, nullable=False),
    Index("ix_download_subject", "subject"),
    Index("ix_download_lease_until_us", "lease_until_us"),
)

# What was sent, in slots of time: a sum over a day reads few rows however many parts were fetched.
download_volume = Table(
    "download_volume",
    metadata,
    Column("subject", String(64), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("subject", "slot"),
    Index("ix_download_volume_slot", "slot"),
    sqlite_with_rowid=False,
)
