"""Tasks of a job that wait for others of it.

Revision 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task_after",
        sa.Column("job", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job", "number"],
            ["task.job", "task.number"],
            name=op.f("fk_task_after_job_number"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job", "number", "before", name=op.f("pk_task_after")),
    )


def downgrade() -> None:
    op.drop_table("task_after")
