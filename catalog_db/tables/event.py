"""Who used the service for what: the ground of its statistics, appended to and never changed."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
)

from catalog_db.tables.base import Key, metadata

event = Table(
    "event",
    metadata,
    Column("id", Key, primary_key=True),
    Column("t_us", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False),
    # Users by name, all others together: no address is kept.
    Column("user", String(64), nullable=False),
    Column("collection", String(8), nullable=False),
    Column("platform", String(8), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("wait_s", Float),
    Column("duration_s", Float),
    CheckConstraint("kind IN ('search', 'stage', 'download', 'wps')", name="kind"),
    Index("ix_event_kind_t_us", "kind", "t_us"),
)

# What each user did on each day, kept with the events.
daily_use = Table(
    "daily_use",
    metadata,
    Column("day", Integer, nullable=False),  # since 1970-01-01, UTC
    Column("kind", String(8), nullable=False),
    Column("user", String(64), nullable=False),
    Column("events", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("day", "kind", "user"),
    sqlite_with_rowid=False,
)
