"""Jobs, their tasks and log, how long past ones ran, and the workers that run them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    text,
)

from catalog_db.tables.base import Key, metadata

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
    # Whose slots it runs in: 'main', or 'quick' for what a client waits for on its connection.
    Column("lane", String(8), nullable=False, server_default=text("'main'")),
    # Sum of the weights of its tasks.
    Column("weight", Float, nullable=False, server_default=text("1")),
    # When it was last claimed, and how long it ran under the claims before that.
    Column("claimed_us", BigInteger),
    Column("ran_us", BigInteger, nullable=False, server_default=text("0")),
    # When the recall of its next inputs is expected to end.
    Column("inputs_expected_us", BigInteger),
    # When results, tasks and log were removed; the row stays to say so.
    Column("purged_us", BigInteger),
    CheckConstraint(
        "state IN ('accepted', 'staging', 'queued', 'running', 'succeeded', 'failed', 'dismissed')",
        name="state",
    ),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    Index("ix_job_claim", "state", "priority", "created_us"),
    Index("ix_job_owner", "owner", "created_us"),
    Index("ix_job_created", "created_us", "id"),
    Index("ix_job_purge", "purged_us", "finished_us"),
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
    # Whether the job goes on without it where its products cannot be staged.
    Column("optional", Boolean, nullable=False, server_default=false()),
    CheckConstraint(
        "state IN ('waiting', 'staging', 'ready', 'running', 'done', 'failed')", name="state"
    ),
    Index("ix_task_request", "request"),
)

# Tasks that wait for another of their job, whatever their inputs.
task_after = Table(
    "task_after",
    metadata,
    Column("job", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    # The task that must be done first.
    Column("before", Integer, primary_key=True),
    ForeignKeyConstraint(["job", "number"], ["task.job", "task.number"], ondelete="CASCADE"),
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
    # Jobs of the quick lane that its machine runs beside them.
    Column("quick_slots", Integer, nullable=False, server_default=text("0")),
)

process_run = Table(
    "process_run",
    metadata,
    Column("id", Key, primary_key=True),
    Column("process", String(80), nullable=False),
    # What the tasks of the job weighed together, and the seconds that it held a slot.
    Column("weight", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Index("ix_process_run_process", "process", "id"),
)
