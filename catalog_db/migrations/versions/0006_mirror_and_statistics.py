"""Statistics and place names.

Revision 0006, after 0005. The counts are filled from the products that are there already, once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DAY_US = 86_400_000_000


def upgrade() -> None:
    _create_daily_volume()
    _create_place()
    _count_products()


def downgrade() -> None:
    for table in ("place_name", "place", "daily_volume"):
        op.drop_table(table)


def _create_daily_volume() -> None:
    op.create_table(
        "daily_volume",
        sa.Column("basis", sa.String(9), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("collection", sa.String(8), nullable=False),
        sa.Column("platform", sa.String(8), nullable=False),
        sa.Column("product_type", sa.String(16), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "basis",
            "day",
            "collection",
            "platform",
            "product_type",
            name=op.f("pk_daily_volume"),
        ),
        sqlite_with_rowid=False,
    )


def _count_products() -> None:
    item = sa.table(
        "item",
        *(sa.column(name) for name in ("kind", "size_bytes", "withdrawn")),
        sa.column("t0_us", sa.BigInteger()),
        sa.column("published_us", sa.BigInteger()),
    )
    kind = sa.table(
        "kind", *(sa.column(name) for name in ("id", "collection", "platform", "product_type"))
    )
    names = ("basis", "day", "collection", "platform", "product_type", "products", "size_bytes")
    volume = sa.table("daily_volume", *(sa.column(name) for name in names))
    for basis, column in (("sensed", item.c.t0_us), ("published", item.c.published_us)):
        # Floor also before 1970, where integer division truncates towards zero.
        day = (column - ((column % _DAY_US) + _DAY_US) % _DAY_US) // _DAY_US
        grouped = (day, kind.c.collection, kind.c.platform, kind.c.product_type)
        counted = (
            sa.select(sa.literal(basis), *grouped, sa.func.count(), sa.func.sum(item.c.size_bytes))
            .join_from(item, kind, kind.c.id == item.c.kind)
            .where(item.c.withdrawn.is_(sa.false()))
            .group_by(*grouped)
        )
        op.execute(sa.insert(volume).from_select(names, counted))


def _create_place() -> None:
    op.create_table(
        "place",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
    )
    op.create_table(
        "place_name",
        sa.Column("folded", sa.String(80), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place"], ["place.id"], name=op.f("fk_place_name_place"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("folded", "rank", "place", name=op.f("pk_place_name")),
        sqlite_with_rowid=False,
    )
