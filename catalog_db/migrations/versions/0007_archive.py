"""Archive: deadlines, pins, eviction.

Revision 0007, after 0006. Reserved.
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
