"""Quotas of downloads, events, counts by day, and what stage requests named.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("label", sa.String(32), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "label", "day", name=op.f("pk_counter")),
        sqlite_with_rowid=False,
    )
    _create_events()
    _create_downloads()
    op.create_table(
        "succession",
        sa.Column("uid", sa.LargeBinary(16), nullable=False),
        sa.Column("successor", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_succession")),
    )
    op.create_table(
        "stage_path",
        sa.Column("request", sa.String(36), nullable=False),
        sa.Column("path", sa.String(512), nullable=False),
        sa.Column("product", sa.LargeBinary(16)),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("request", "path", name=op.f("pk_stage_path")),
        sa.ForeignKeyConstraint(
            ["request"], ["request.id"], name=op.f("fk_stage_path_request"), ondelete="CASCADE"
        ),
    )


def _create_events() -> None:
    op.create_table(
        "event",
        sa.Column("id", KEY, nullable=False),
        sa.Column("t_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("collection", sa.String(8), nullable=False),
        sa.Column("platform", sa.String(8), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("wait_s", sa.Float()),
        sa.Column("duration_s", sa.Float()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.CheckConstraint(
            "kind IN ('search', 'stage', 'download', 'wps')", name=op.f("ck_event_kind")
        ),
    )
    op.create_index("ix_event_kind_t_us", "event", ["kind", "t_us"])
    op.create_table(
        "daily_use",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", "user", name=op.f("pk_daily_use")),
        sqlite_with_rowid=False,
    )


def _create_downloads() -> None:
    op.create_table(
        "download",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("collection", sa.String(8), nullable=False),
        sa.Column("platform", sa.String(8), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("lease_until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_download")),
    )
    op.create_index("ix_download_subject", "download", ["subject"])
    op.create_index("ix_download_lease_until_us", "download", ["lease_until_us"])
    op.create_table(
        "download_volume",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "slot", name=op.f("pk_download_volume")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_download_volume_slot", "download_volume", ["slot"])


def downgrade() -> None:
    op.drop_table("stage_path")
    op.drop_table("succession")
    for name in ("download_volume", "download", "daily_use", "event", "counter"):
        op.drop_table(name)
