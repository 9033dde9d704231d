"""Products published in the datalake, and leases on its tiles.

Revision 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PATH = sa.String(512).with_variant(sa.String(512, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "datalake_lock",
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("holder", sa.String(160), nullable=False),
        sa.Column("lease", sa.LargeBinary(16), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_datalake_lock")),
    )
    op.create_table(
        "datalake_product",
        sa.Column("path", PATH, nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_datalake_product")),
    )
    op.create_index(
        "ix_datalake_product_published_us", "datalake_product", ["published_us", "path"]
    )


def downgrade() -> None:
    op.drop_table("datalake_product")
    op.drop_table("datalake_lock")
