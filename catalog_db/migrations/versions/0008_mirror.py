"""Products mirrored from other archives.

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_product()
    _create_content()
    _create_mark()
    _create_day()


def downgrade() -> None:
    for table in ("mirror_day", "mirror_mark", "mirror_content", "mirror_product"):
        op.drop_table(table)


def _create_product() -> None:
    op.create_table(
        "mirror_product",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("hub_id", sa.String(64), nullable=False),
        sa.Column("selection", sa.String(40), nullable=False),
        sa.Column("collection", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.String(32)),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("modified_us", sa.BigInteger(), nullable=False),
        sa.Column("announced_us", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("corrupt", sa.Integer(), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.LargeBinary(16)),
        sa.Column("error", sa.String(500)),
        sa.CheckConstraint(
            "state IN ('waiting', 'fetching', 'done', 'failed', 'gone')",
            name=op.f("ck_mirror_product_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror_product")),
        sa.UniqueConstraint("source", "hub_id", name=op.f("uq_mirror_product_source_hub_id")),
    )
    op.create_index(
        "ix_mirror_product_newest",
        "mirror_product",
        ["source", "state", "priority", "announced_us"],
    )
    op.create_index(
        "ix_mirror_product_oldest", "mirror_product", ["source", "state", "announced_us"]
    )
    op.create_index(op.f("ix_mirror_product_name"), "mirror_product", ["name"])
    op.create_index(
        "ix_mirror_product_days", "mirror_product", ["source", "collection", "published_us"]
    )


def _create_content() -> None:
    op.create_table(
        "mirror_content",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("product", _KEY, nullable=False),
        sa.Column("file", _KEY, nullable=False),
        sa.Column("checksum", sa.String(32), nullable=False),
        sa.Column("announced_us", sa.BigInteger(), nullable=False),
        sa.Column("mirrored_us", sa.BigInteger(), nullable=False),
        sa.Column("replaced_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["product"], ["mirror_product.id"], name=op.f("fk_mirror_content_product")
        ),
        sa.ForeignKeyConstraint(["file"], ["file.id"], name=op.f("fk_mirror_content_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror_content")),
    )
    op.create_index(op.f("ix_mirror_content_product"), "mirror_content", ["product"])
    op.create_index(op.f("ix_mirror_content_mirrored_us"), "mirror_content", ["mirrored_us"])


def _create_mark() -> None:
    op.create_table(
        "mirror_mark",
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("selection", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(9), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "selection", "subject", name=op.f("pk_mirror_mark")),
    )


def _create_day() -> None:
    op.create_table(
        "mirror_day",
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("collection", sa.String(40), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("traffic_bytes", sa.BigInteger(), nullable=False),
        sa.Column("corrupt", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "collection", "day", name=op.f("pk_mirror_day")),
    )
