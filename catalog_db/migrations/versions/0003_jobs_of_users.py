"""Jobs: what fair share, expiry, lists and expected times need.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _added() -> list[sa.Column[object]]:
    """Return the new columns of the job table."""
    return [
        sa.Column("lane", sa.String(8), nullable=False, server_default=sa.text("'main'")),
        sa.Column("weight", sa.Float(), nullable=False, server_default=sa.text("1")),
        sa.Column("claimed_us", sa.BigInteger()),
        sa.Column("ran_us", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("inputs_expected_us", sa.BigInteger()),
        sa.Column("purged_us", sa.BigInteger()),
    ]


def _quick_slots() -> sa.Column[object]:
    return sa.Column("quick_slots", sa.Integer(), nullable=False, server_default=sa.text("0"))


def upgrade() -> None:
    for column in _added():
        op.add_column("job", column)
    op.create_index("ix_job_created", "job", ["created_us", "id"])
    op.create_index("ix_job_purge", "job", ["purged_us", "finished_us"])
    op.add_column("worker", _quick_slots())
    # A running job of the last release goes on being counted from its start.
    op.execute("UPDATE job SET claimed_us = started_us WHERE state = 'running'")
    op.create_table(
        "process_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("process", sa.String(80), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_run")),
    )
    op.create_index("ix_process_run_process", "process_run", ["process", "id"])


def downgrade() -> None:
    op.drop_table("process_run")
    op.drop_column("worker", "quick_slots")
    op.drop_index("ix_job_purge", "job")
    op.drop_index("ix_job_created", "job")
    for column in reversed(_added()):
        op.drop_column("job", column.name)
