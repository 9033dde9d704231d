"""The schema of the first release.

Revision 0001, after nothing. It repeats the tables in the words of that day on purpose: what a
migration did must not change when `catalog_db.tables` does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# An alias of the rowid on SQLite, 64 bits on PostgreSQL.
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_cell()
    _create_file()
    _create_job()
    _create_request()
    _create_item()
    _create_job_log()
    _create_recall()
    _create_replica()
    _create_request_file()
    _create_task()
    _create_placement()


def downgrade() -> None:
    for table in (
        "placement",
        "task",
        "request_file",
        "replica",
        "recall",
        "job_log",
        "item",
        "request",
        "job",
        "file",
        "cell",
    ):
        op.drop_table(table)


def _ordered_text(length: int) -> sa.String:
    """Return text compared by code points. On SQLite all is: the first release ran there only."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _create_cell() -> None:
    op.create_table(
        "cell",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("name", _ordered_text(32), nullable=False),
        sa.Column("x0", sa.Integer(), nullable=False),
        sa.Column("y0", sa.Integer(), nullable=False),
        sa.Column("x1", sa.Integer(), nullable=False),
        sa.Column("y1", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cell")),
        sa.UniqueConstraint("name", name=op.f("uq_cell_name")),
    )
    for name, where in (("narrow", "x1 - x0 < 200000"), ("wide", "x1 - x0 >= 200000")):
        op.create_index(
            f"ix_cell_{name}",
            "cell",
            ["x0", "x1", "y0", "y1"],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def _create_file() -> None:
    op.create_table(
        "file",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("path", sa.String(512), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("checksum_algorithm", sa.String(16), nullable=False),
        sa.Column("checksum", sa.String(128), nullable=False),
        sa.Column("backend", sa.String(16), nullable=False),
        sa.Column("tape", sa.String(64)),
        sa.Column("position", sa.BigInteger()),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
        sa.UniqueConstraint("path", name=op.f("uq_file_path")),
    )


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("process", sa.String(80), nullable=False),
        sa.Column("title", sa.String(200)),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("response_options", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("time_limit_s", sa.Integer()),
        sa.Column("worker", sa.String(64)),
        sa.Column("lease_until_us", sa.BigInteger()),
        sa.Column("heartbeat_us", sa.BigInteger()),
        sa.Column("process_group", sa.Integer()),
        sa.Column("progress", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("message", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("results", sa.Text()),
        sa.Column("error_code", sa.String(40)),
        sa.Column("error_locator", sa.String(80)),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("queued_us", sa.BigInteger()),
        sa.Column("started_us", sa.BigInteger()),
        sa.Column("finished_us", sa.BigInteger()),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger()),
        sa.CheckConstraint(
            "state IN ('accepted', 'staging', 'queued', 'running', 'succeeded', 'failed', "
            "'dismissed')",
            name=op.f("ck_job_state"),
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_job_progress")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_claim", "job", ["state", "priority", "created_us"])
    op.create_index("ix_job_owner", "job", ["owner", "created_us"])


def _create_request() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(80), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("deadline_us", sa.BigInteger()),
        sa.Column("pin_lifetime_s", sa.Integer(), nullable=False),
        sa.Column("released_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_index("ix_request_purpose", "request", ["purpose"])


def _create_item() -> None:
    op.create_table(
        "item",
        sa.Column("pk", _KEY, nullable=False),
        sa.Column("uid", _ordered_text(36), nullable=False),
        sa.Column("title", _ordered_text(160), nullable=False),
        sa.Column("collection", _ordered_text(8), nullable=False),
        sa.Column("platform", _ordered_text(8), nullable=False),
        sa.Column("product_type", _ordered_text(16), nullable=False),
        sa.Column("sensor_mode", _ordered_text(16)),
        sa.Column("instrument", _ordered_text(16)),
        sa.Column("processing_level", _ordered_text(16)),
        sa.Column("polarization", _ordered_text(16)),
        sa.Column("swath", _ordered_text(32)),
        sa.Column("orbit_number", sa.Integer()),
        sa.Column("relative_orbit", sa.Integer()),
        sa.Column("orbit_direction", _ordered_text(10)),
        sa.Column("cycle_number", sa.Integer()),
        sa.Column("mission_take_id", sa.Integer()),
        sa.Column("mgrs_tile", _ordered_text(5)),
        sa.Column("cloud_cover", sa.Float()),
        sa.Column("snow_cover", sa.Float()),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("checksum", _ordered_text(128)),
        sa.Column("t0_us", sa.BigInteger(), nullable=False),
        sa.Column("t1_us", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("cell", _KEY, nullable=False),
        sa.Column("x0", sa.Integer(), nullable=False),
        sa.Column("y0", sa.Integer(), nullable=False),
        sa.Column("x1", sa.Integer(), nullable=False),
        sa.Column("y1", sa.Integer(), nullable=False),
        sa.Column("footprint", sa.LargeBinary(), nullable=False),
        sa.Column("properties", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["cell"], ["cell.id"], name=op.f("fk_item_cell")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_item")),
        sa.UniqueConstraint("uid", name=op.f("uq_item_uid")),
    )
    op.create_index(
        "ix_item_cell",
        "item",
        [
            "cell",
            "t0_us",
            "pk",
            "collection",
            "withdrawn",
            "product_type",
            "platform",
            "relative_orbit",
            "orbit_direction",
            "polarization",
            "cloud_cover",
            "x0",
            "y0",
            "x1",
            "y1",
        ],
    )
    op.create_index("ix_item_published", "item", ["published_us"])
    op.create_index(
        "ix_item_time",
        "item",
        [
            "t0_us",
            "pk",
            "collection",
            "withdrawn",
            "product_type",
            "platform",
            "relative_orbit",
            "orbit_direction",
            "polarization",
            "cloud_cover",
            "x0",
            "y0",
            "x1",
            "y1",
        ],
    )
    op.create_index("ix_item_title", "item", ["title"])


def _create_job_log() -> None:
    op.create_table(
        "job_log",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("job", sa.String(36), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job"], ["job.id"], name=op.f("fk_job_log_job"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_log")),
    )
    op.create_index("ix_job_log_job", "job_log", ["job", "id"])


def _create_recall() -> None:
    op.create_table(
        "recall",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("file", _KEY, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until_us", sa.BigInteger()),
        sa.Column("bytes_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_us", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'verifying', 'done', 'failed', 'cancelled')",
            name=op.f("ck_recall_state"),
        ),
        sa.ForeignKeyConstraint(
            ["file"], ["file.id"], name=op.f("fk_recall_file"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index("ix_recall_state", "recall", ["state", "not_before_us"])
    op.create_index(
        "uq_recall_active_file",
        "recall",
        ["file"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'running', 'verifying')"),
        postgresql_where=sa.text("state IN ('queued', 'running', 'verifying')"),
    )


def _create_replica() -> None:
    op.create_table(
        "replica",
        sa.Column("file", _KEY, nullable=False),
        sa.Column("path", sa.String(512), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("last_access_us", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state IN ('reserved', 'filling', 'ready', 'evicting')", name=op.f("ck_replica_state")
        ),
        sa.ForeignKeyConstraint(
            ["file"], ["file.id"], name=op.f("fk_replica_file"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file", name=op.f("pk_replica")),
    )
    op.create_index("ix_replica_state", "replica", ["state"])


def _create_request_file() -> None:
    op.create_table(
        "request_file",
        sa.Column("request", sa.String(36), nullable=False),
        sa.Column("file", _KEY, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("pin_until_us", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint(
            "state IN ('waiting', 'ready', 'failed', 'cancelled', 'released')",
            name=op.f("ck_request_file_state"),
        ),
        sa.ForeignKeyConstraint(["file"], ["file.id"], name=op.f("fk_request_file_file")),
        sa.ForeignKeyConstraint(
            ["request"], ["request.id"], name=op.f("fk_request_file_request"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request", "file", name=op.f("pk_request_file")),
    )
    op.create_index("ix_request_file_file", "request_file", ["file", "state"])


def _create_task() -> None:
    op.create_table(
        "task",
        sa.Column("job", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("products", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), server_default=sa.text("1"), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("request", sa.String(36)),
        sa.Column("result", sa.Text()),
        sa.Column("started_us", sa.BigInteger()),
        sa.Column("finished_us", sa.BigInteger()),
        sa.CheckConstraint(
            "state IN ('waiting', 'staging', 'ready', 'running', 'done', 'failed')",
            name=op.f("ck_task_state"),
        ),
        sa.ForeignKeyConstraint(["job"], ["job.id"], name=op.f("fk_task_job"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["request"], ["request.id"], name=op.f("fk_task_request")),
        sa.PrimaryKeyConstraint("job", "number", name=op.f("pk_task")),
    )
    op.create_index("ix_task_request", "task", ["request"])


def _create_placement() -> None:
    op.create_table(
        "placement",
        sa.Column("item", _KEY, nullable=False),
        sa.Column("file", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["file"], ["file.id"], name=op.f("fk_placement_file")),
        sa.ForeignKeyConstraint(
            ["item"], ["item.pk"], name=op.f("fk_placement_item"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_placement")),
    )
    op.create_index("ix_placement_file", "placement", ["file"])
