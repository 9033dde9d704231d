"""The schema: every table of the service, the same on SQLite and PostgreSQL.

Changes go through a numbered migration in ``catalog_db/migrations``; a test compares the two.
Times are UTC, stored as integer microseconds since 1970 (`*_us`): ordered, exact, the same in both
engines. Identifiers of jobs, requests and products are uuid text.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite gives an alias of its rowid only to INTEGER PRIMARY KEY; PostgreSQL needs the 64 bits
# spelled out.
Key = BigInteger().with_variant(Integer(), "sqlite")

# --- catalogue

# A partial index serves a query that repeats its condition word for word.
NARROWEST_WIDE_CELL = 200_000  # 1e-4 degrees
NARROW_CELL = f"x1 - x0 < {NARROWEST_WIDE_CELL}"
WIDE_CELL = f"x1 - x0 >= {NARROWEST_WIDE_CELL}"

cell = Table(
    "cell",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String(32), nullable=False, unique=True),
    # Union of the boxes of its members, in 1e-4 degrees, rounded outwards; a box that reaches
    # over the antimeridian is continuous, so x0 may be below -180 and x1 above 180.
    Column("x0", Integer, nullable=False),
    Column("y0", Integer, nullable=False),
    Column("x1", Integer, nullable=False),
    Column("y1", Integer, nullable=False),
    # Almost all are narrow: where one may start is then bounded from both sides.
    *(
        Index(name, "x0", "x1", "y0", "y1", sqlite_where=text(where), postgresql_where=text(where))
        for name, where in (("ix_cell_narrow", NARROW_CELL), ("ix_cell_wide", WIDE_CELL))
    ),
)

item = Table(
    "item",
    metadata,
    Column("pk", Key, primary_key=True),
    # uuid5 of "COLLECTION:productIdentifier" (PEPS): the public identifier. That makes the pair
    # unique too; a constraint that says so would be an index that SQLite prefers for searches.
    Column("uid", String(36), nullable=False, unique=True),
    Column("title", String(160), nullable=False),
    Column("collection", String(8), nullable=False),
    Column("platform", String(8), nullable=False),
    Column("product_type", String(16), nullable=False),
    Column("sensor_mode", String(16)),
    Column("instrument", String(16)),
    Column("processing_level", String(16)),
    Column("polarization", String(16)),
    Column("swath", String(32)),
    Column("orbit_number", Integer),
    Column("relative_orbit", Integer),
    Column("orbit_direction", String(10)),
    Column("cycle_number", Integer),
    Column("mission_take_id", Integer),
    Column("mgrs_tile", String(5)),
    Column("cloud_cover", Float),
    Column("snow_cover", Float),
    Column("size_bytes", BigInteger, nullable=False),
    Column("checksum", String(128)),
    Column("t0_us", BigInteger, nullable=False),
    Column("t1_us", BigInteger, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("cell", Key, ForeignKey("cell.id"), nullable=False),
    # Box in 1e-4 degrees rounded outwards; x0 in [-180, 180), x1 may exceed 180.
    Column("x0", Integer, nullable=False),
    Column("y0", Integer, nullable=False),
    Column("x1", Integer, nullable=False),
    Column("y1", Integer, nullable=False),
    # Footprint as WKB, split at the antimeridian.
    Column("footprint", LargeBinary, nullable=False),
    # What has no column of its own and is only shown: JSON object of resto properties.
    Column("properties", Text, nullable=False, server_default=text("'{}'")),
    Column("withdrawn", Boolean, nullable=False, server_default=text("false")),
)
_FILTERED = (
    item.c.collection,
    item.c.withdrawn,
    item.c.product_type,
    item.c.platform,
    item.c.relative_orbit,
    item.c.orbit_direction,
    item.c.polarization,
    item.c.cloud_cover,
    item.c.x0,
    item.c.y0,
    item.c.x1,
    item.c.y1,
)
Index("ix_item_cell", item.c.cell, item.c.t0_us, item.c.pk, *_FILTERED)
Index("ix_item_time", item.c.t0_us, item.c.pk, *_FILTERED)
Index("ix_item_published", item.c.published_us)
Index("ix_item_title", item.c.title)

placement = Table(
    "placement",
    metadata,
    Column("item", Key, ForeignKey("item.pk", ondelete="CASCADE"), primary_key=True),
    Column("file", Key, ForeignKey("file.id"), nullable=False),
    Index("ix_placement_file", "file"),
)

# --- archive

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
    Column("state", String(10), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("last_access_us", BigInteger, nullable=False),
    Column("hits", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("state IN ('reserved', 'filling', 'ready', 'evicting')", name="state"),
    Index("ix_replica_state", "state"),
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
    CheckConstraint(
        "state IN ('queued', 'running', 'verifying', 'done', 'failed', 'cancelled')", name="state"
    ),
)
_ACTIVE = text("state IN ('queued', 'running', 'verifying')")
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
    CheckConstraint(
        "state IN ('waiting', 'ready', 'failed', 'cancelled', 'released')", name="state"
    ),
    Index("ix_request_file_file", "file", "state"),
)

# --- jobs

job = Table(
    "job",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("process", String(80), nullable=False),
    Column("title", String(200)),
    Column("owner", String(64), nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("state", String(10), nullable=False),
    # JSON: the inputs as the client gave them, and the order that the chain understands.
    Column("inputs", Text, nullable=False),
    Column("order", Text, nullable=False),
    # JSON: how the client wants the answer (outputs asked, lineage, protocol).
    Column("response_options", Text, nullable=False, server_default=text("'{}'")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("max_attempts", Integer, nullable=False),
    Column("time_limit_s", Integer),
    # The worker that runs it; lease and heartbeat say whether it is alive.
    Column("worker", String(64)),
    Column("lease_until_us", BigInteger),
    Column("heartbeat_us", BigInteger),
    # Process group on the worker's machine, to be killed on dismissal.
    Column("process_group", Integer),
    Column("progress", Integer, nullable=False, server_default=text("0")),
    Column("message", Text, nullable=False, server_default=text("''")),
    # JSON: output identifier -> {"href"|"value", "type", "size", ...}; set with state 'succeeded'.
    Column("results", Text),
    Column("error_code", String(40)),
    Column("error_locator", String(80)),
    Column("created_us", BigInteger, nullable=False),
    Column("queued_us", BigInteger),
    Column("started_us", BigInteger),
    Column("finished_us", BigInteger),
    Column("updated_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    CheckConstraint(
        "state IN ('accepted', 'staging', 'queued', 'running', 'succeeded', 'failed', 'dismissed')",
        name="state",
    ),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    Index("ix_job_claim", "state", "priority", "created_us"),
    Index("ix_job_owner", "owner", "created_us"),
)

task = Table(
    "task",
    metadata,
    Column("job", String(36), ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    # JSON: the task as the chain planned it, and the product identifiers it needs together.
    Column("body", Text, nullable=False),
    Column("products", Text, nullable=False),
    Column("weight", Float, nullable=False, server_default=text("1")),
    Column("state", String(10), nullable=False),
    # The staging request that pins its inputs.
    Column("request", String(36), ForeignKey("request.id")),
    Column("result", Text),
    Column("started_us", BigInteger),
    Column("finished_us", BigInteger),
    CheckConstraint(
        "state IN ('waiting', 'staging', 'ready', 'running', 'done', 'failed')", name="state"
    ),
    Index("ix_task_request", "request"),
)

job_log = Table(
    "job_log",
    metadata,
    Column("id", Key, primary_key=True),
    Column("job", String(36), ForeignKey("job.id", ondelete="CASCADE"), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("level", String(8), nullable=False),
    Column("message", Text, nullable=False),
    Index("ix_job_log_job", "job", "id"),
)

worker = Table(
    "worker",
    metadata,
    # As in job.worker: machine, process, and something unique.
    Column("name", String(64), primary_key=True),
    # Jobs that its machine runs at once.
    Column("slots", Integer, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("heartbeat_us", BigInteger, nullable=False),
)
