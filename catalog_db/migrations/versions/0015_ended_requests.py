"""Requests that have ended are found without a look at all the others.

Revision 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_request_released", "released_us", sa.text("released_us IS NOT NULL")),
    ("ix_request_age", "created_us", sa.text("released_us IS NULL")),
)


def upgrade() -> None:
    for name, column, condition in _INDEXES:
        op.create_index(
            name, "request", [column], sqlite_where=condition, postgresql_where=condition
        )


def downgrade() -> None:
    for name, _, _ in _INDEXES:
        op.drop_index(name, "request")
