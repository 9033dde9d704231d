"""The archive: deadlines, states that say something, what was recalled for whom.

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATES = {
    "recall": ("queued", "running", "done", "failed", "cancelled"),
    "replica": ("filling", "ready", "evicting"),
}
_FORMER_STATES = {
    "recall": ("queued", "running", "verifying", "done", "failed", "cancelled"),
    "replica": ("reserved", "filling", "ready", "evicting"),
}
_PARTIAL = {
    "ix_request_open": ("request", ["purpose", "user"], "released_us IS NULL"),
    "ix_request_deadline": (
        "request",
        ["deadline_us"],
        "released_us IS NULL AND deadline_us IS NOT NULL",
    ),
    "ix_request_file_pin": ("request_file", ["pin_until_us"], "state = 'ready'"),
}


def upgrade() -> None:
    op.execute("UPDATE recall SET state = 'running' WHERE state = 'verifying'")
    op.execute("UPDATE replica SET state = 'filling' WHERE state = 'reserved'")
    op.add_column("recall", sa.Column("started_us", sa.BigInteger()))
    _set_states(_STATES)
    op.create_index("ix_recall_finished", "recall", ["finished_us"])
    _extend_request_file()
    op.create_index("ix_request_user", "request", ["user", "created_us"])
    for name, (table, columns, condition) in _PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    inflation = sa.Column("inflation", sa.Float(), nullable=False, server_default=sa.text("0"))
    op.add_column("replica", inflation)
    op.create_table(
        "pool",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("inflation", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pool")),
    )
    op.create_table(
        "recalled_for",
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user", "hour", name=op.f("pk_recalled_for")),
    )


def downgrade() -> None:
    op.drop_table("recalled_for")
    op.drop_table("pool")
    with op.batch_alter_table("replica") as batch:
        batch.drop_column("inflation")
    for name, (table, _columns, _condition) in _PARTIAL.items():
        op.drop_index(name, table)
    op.drop_index("ix_request_user", "request")
    op.drop_index("ix_request_file_file", "request_file")
    op.create_index("ix_request_file_file", "request_file", ["file", "state"])
    with op.batch_alter_table("request_file") as batch:
        batch.drop_column("user")
        batch.drop_column("finished_us")
        batch.drop_column("asked_us")
    op.drop_index("ix_recall_finished", "recall")
    _set_states(_FORMER_STATES)
    with op.batch_alter_table("recall") as batch:
        batch.drop_column("started_us")


def _extend_request_file() -> None:
    """Add when each file was asked for, as far as is known, and by whom."""
    op.add_column("request_file", sa.Column("asked_us", sa.BigInteger()))
    op.add_column("request_file", sa.Column("finished_us", sa.BigInteger()))
    op.add_column("request_file", sa.Column("user", sa.String(64)))
    for column, origin in (("asked_us", "created_us"), ("user", "user")):
        op.execute(
            f'UPDATE request_file SET "{column}" = '
            f'(SELECT "{origin}" FROM request WHERE request.id = request_file.request)'
        )
    with op.batch_alter_table("request_file") as batch:
        batch.alter_column("asked_us", nullable=False)
        batch.alter_column("user", nullable=False)
    op.drop_index("ix_request_file_file", "request_file")
    op.create_index("ix_request_file_file", "request_file", ["file", "state", "user"])


def _set_states(states: dict[str, tuple[str, ...]]) -> None:
    """Let the tables hold these states only."""
    active = [state for state in states["recall"] if state in ("queued", "running", "verifying")]
    op.drop_index("uq_recall_active_file", "recall")
    for table, names in states.items():
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(f"ck_{table}_state"), type_="check")
            batch.create_check_constraint(op.f(f"ck_{table}_state"), f"state IN {names}")
    where = sa.text("state IN (" + ", ".join(f"'{state}'" for state in active) + ")")
    op.create_index(
        "uq_recall_active_file",
        "recall",
        ["file"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
