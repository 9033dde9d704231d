"""Requests that have ended are found without a look at all the others.

Revision 0015, after 0014.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_request_released", "request", ["released_us", "created_us"])


def downgrade() -> None:
    op.drop_index("ix_request_released", "request")
