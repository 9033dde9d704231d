"""Files, their copies on disk, recalls and the requests that wait for them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from catalog_db.tables.base import Key, metadata

file = Table(
    "file",
    metadata,
    Column("id", Key, primary_key=True),
    # Path inside the archive, as tape and pool know it: "S1/2021/08/09/<title>.zip".
    Column("path", String(512), nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("checksum_algorithm", String(16), nullable=False),
    Column("checksum", String(128), nullable=False),
    # "disk": only in the pool, never evicted; otherwise the tape backend with the master copy.
    Column("backend", String(16), nullable=False),
    Column("tape", String(64)),
    Column("position", BigInteger),
    Column("created_us", BigInteger, nullable=False),
)

replica = Table(
    "replica",
    metadata,
    Column("file", Key, ForeignKey("file.id", ondelete="CASCADE"), primary_key=True),
    # Path inside the pool.
    Column("path", String(512), nullable=False),
    # "filling": its room is taken, a recall brings or will bring it, or, of a file that is on disk
    # only, it is missing and may be there again one day; "ready": whole and verified;
    # "evicting": being removed, by who said so or, after a crash, by whoever comes next.
    Column("state", String(10), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # Of one that is evicted: since when.
    Column("last_access_us", BigInteger, nullable=False),
    Column("hits", Integer, nullable=False, server_default=text("0")),
    # That of the pool at the last access.
    Column("inflation", Float, nullable=False, server_default=text("0")),
    CheckConstraint("state IN ('filling', 'ready', 'evicting')", name="state"),
    Index("ix_replica_state", "state"),
)

# The disk pool as a whole, one row: what its eviction remembers (`storage.eviction`).
pool = Table(
    "pool",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("inflation", Float, nullable=False),
)

recall = Table(
    "recall",
    metadata,
    Column("id", Key, primary_key=True),
    Column("file", Key, ForeignKey("file.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("created_us", BigInteger, nullable=False),
    # Not tried again before this time: the back-off after a failure.
    Column("not_before_us", BigInteger, nullable=False),
    Column("owner", String(64)),
    Column("lease_until_us", BigInteger),
    Column("bytes_done", BigInteger, nullable=False, server_default=text("0")),
    Column("finished_us", BigInteger),
    Column("error", Text),
    # Of the last attempt.
    Column("started_us", BigInteger),
    # Bytes are digested as they arrive: there is no state in which a file is only verified.
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    Index("ix_recall_finished", "finished_us"),
)
_ACTIVE = text("state IN ('queued', 'running')")
# One active recall a file, however many ask: the database refuses the second.
Index(
    "uq_recall_active_file",
    recall.c.file,
    unique=True,
    sqlite_where=_ACTIVE,
    postgresql_where=_ACTIVE,
)
Index("ix_recall_state", recall.c.state, recall.c.not_before_us)

request = Table(
    "request",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user", String(64), nullable=False),
    # What asked: "job:<id>:<task>", "download", "tape-rest", ...
    Column("purpose", String(80), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("deadline_us", BigInteger),
    # How long a file stays pinned after it has become ready.
    Column("pin_lifetime_s", Integer, nullable=False),
    Column("released_us", BigInteger),
    Index("ix_request_purpose", "purpose"),
    Index("ix_request_user", "user", "created_us"),
    Index(
        "ix_request_open",
        "purpose",
        "user",
        sqlite_where=text("released_us IS NULL"),
        postgresql_where=text("released_us IS NULL"),
    ),
    # Those that have ended by their end, the others by their age. One index of both times would
    # be taken for whatever is asked about the open ones.
    Index(
        "ix_request_released",
        "released_us",
        sqlite_where=text("released_us IS NOT NULL"),
        postgresql_where=text("released_us IS NOT NULL"),
    ),
    Index(
        "ix_request_age",
        "created_us",
        sqlite_where=text("released_us IS NULL"),
        postgresql_where=text("released_us IS NULL"),
    ),
    Index(
        "ix_request_deadline",
        "deadline_us",
        sqlite_where=text("released_us IS NULL AND deadline_us IS NOT NULL"),
        postgresql_where=text("released_us IS NULL AND deadline_us IS NOT NULL"),
    ),
)

request_file = Table(
    "request_file",
    metadata,
    Column("request", String(36), ForeignKey("request.id", ondelete="CASCADE"), primary_key=True),
    Column("file", Key, ForeignKey("file.id"), primary_key=True),
    Column("state", String(10), nullable=False),
    # Set when the file becomes ready; a pin ends by release or at this time.
    Column("pin_until_us", BigInteger),
    Column("error", Text),
    Column("asked_us", BigInteger, nullable=False),
    # When it stopped to wait, whatever came of it.
    Column("finished_us", BigInteger),
    # That of the request: the queue is read with its users, thousands of rows at a time.
    Column("user", String(64), nullable=False),
    CheckConstraint(
        "state IN ('waiting', 'ready', 'failed', 'cancelled', 'released')", name="state"
    ),
    Index("ix_request_file_file", "file", "state", "user"),
    Index(
        "ix_request_file_pin",
        "pin_until_us",
        sqlite_where=text("state = 'ready'"),
        postgresql_where=text("state = 'ready'"),
    ),
)

# What came from tape for each user, hour by hour: the ground of their fair share.
recalled_for = Table(
    "recalled_for",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
)
