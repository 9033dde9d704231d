"""Jobs: what fair share, expiry and expected times need.

Revision 0003, after 0002. Reserved.
"""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
