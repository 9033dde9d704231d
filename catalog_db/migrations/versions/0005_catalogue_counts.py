"""Catalogue: kinds of products, and counts by place and time that plan a search.

Revision 0005, after 0004. The texts of few values move from `item` to `kind`, identifiers become
bytes, and the counts are taken of the products that are there. The indexes on titles and on places
of cells go: what they found is found by identifier and in memory.
"""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DAY_US = 86_400_000_000
_KIND_COLUMNS = {
    "collection": 8,
    "platform": 8,
    "product_type": 16,
    "sensor_mode": 16,
    "instrument": 16,
    "processing_level": 16,
    "polarization": 16,
    "swath": 32,
    "orbit_direction": 10,
}
_REQUIRED = ("collection", "platform", "product_type")
_EXTREMES = {
    "title": None,
    "orbit_number": sa.Integer(),
    "mission_take_id": sa.Integer(),
    "cycle_number": sa.Integer(),
    "published_us": sa.BigInteger(),
    "updated_us": sa.BigInteger(),
}
# Columns of `item` that stay as they are.
_KEPT = (
    "pk",
    "title",
    "orbit_number",
    "relative_orbit",
    "cycle_number",
    "mission_take_id",
    "mgrs_tile",
    "cloud_cover",
    "snow_cover",
    "size_bytes",
    "t0_us",
    "t1_us",
    "published_us",
    "cell",
    "x0",
    "y0",
    "x1",
    "y1",
    "footprint",
    "properties",
    "withdrawn",
)
_COVERED_BEFORE = (
    "collection",
    "withdrawn",
    "product_type",
    "platform",
    "relative_orbit",
    "orbit_direction",
    "polarization",
    "cloud_cover",
    "x0",
    "y0",
    "x1",
    "y1",
)
_COVERED = ("kind", "withdrawn", "relative_orbit", "cloud_cover", "x0", "y0", "x1", "y1")


def upgrade() -> None:
    _define_functions()
    _create_revision()
    _create_kind()
    _set_items_aside()
    _revise_cell()
    _create_cell_count()
    _create_day_count()
    _create_item()
    _create_placement()
    kept = ", ".join(_KEPT)
    op.execute(
        f"INSERT INTO item (uid, checksum, kind, revised_us, {kept}) "
        f"SELECT {_bytes_of('uid')}, {_bytes_of('checksum')}, kind_key.id, "
        "nullif(item_old.updated_us, item_old.published_us), "
        f"{', '.join('item_old.' + name for name in _KEPT)} "
        f"FROM item_old JOIN kind_key ON kind_key.name = {_kind_name()} ORDER BY pk"
    )
    op.drop_table("kind_key")
    _restore_placements()
    _index_items(_COVERED)
    op.create_index("uq_item_uid", "item", ["uid"], unique=True)
    _count()


def downgrade() -> None:
    _define_functions()
    for name in ("item", "placement"):
        op.execute(f"CREATE TABLE {name}_old AS SELECT * FROM {name}")
    op.drop_table("placement")
    op.drop_table("item")
    _create_item_of_first_release()
    _create_placement()
    kept, texts = ", ".join(_KEPT), ", ".join(_KIND_COLUMNS)
    op.execute(
        f"INSERT INTO item (uid, checksum, {texts}, updated_us, {kept}) "
        f"SELECT {_text_of('uid')}, {_text_of('checksum')}, "
        f"{', '.join('kind.' + name for name in _KIND_COLUMNS)}, "
        "coalesce(item_old.revised_us, item_old.published_us), "
        f"{', '.join('item_old.' + name for name in _KEPT)} "
        "FROM item_old JOIN kind ON kind.id = item_old.kind ORDER BY pk"
    )
    _restore_placements()
    _index_items(_COVERED_BEFORE)
    op.create_index("ix_item_title", "item", ["title"])
    for table in ("day_count", "cell_count", "kind", "catalogue_revision"):
        op.drop_table(table)
    op.drop_index("ix_cell_revision", "cell")
    op.drop_column("cell", "revision")
    for name, where in (("narrow", "x1 - x0 < 200000"), ("wide", "x1 - x0 >= 200000")):
        op.create_index(
            f"ix_cell_{name}",
            "cell",
            ["x0", "x1", "y0", "y1"],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def _ordered_text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _define_functions() -> None:
    """SQLite below 3.41 cannot read hexadecimal digits."""
    if _is_postgresql():
        return
    driver: Any = op.get_bind().connection.driver_connection
    driver.create_function("peps_bytes", 1, _to_bytes, deterministic=True)
    driver.create_function("peps_uuid", 1, _to_uuid, deterministic=True)


def _to_bytes(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits.replace("-", ""))


def _to_uuid(value: bytes) -> str:
    return str(uuid.UUID(bytes=value))


def _bytes_of(column: str) -> str:
    if _is_postgresql():
        return f"decode(replace({column}, '-', ''), 'hex')"
    return f"peps_bytes({column})"


def _text_of(column: str) -> str:
    if _is_postgresql():
        digits = f"encode({column}, 'hex')"
        return f"CAST(CAST({digits} AS uuid) AS text)" if column == "uid" else digits
    return f"peps_uuid({column})" if column == "uid" else f"lower(hex({column}))"


def _create_revision() -> None:
    op.create_table(
        "catalogue_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_revision")),
    )
    op.execute("INSERT INTO catalogue_revision (id, revision) VALUES (1, 1)")


def _create_kind() -> None:
    op.create_table(
        "kind",
        sa.Column("id", _KEY, nullable=False),
        *(
            sa.Column(name, _ordered_text(length), nullable=name not in _REQUIRED)
            for name, length in _KIND_COLUMNS.items()
        ),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kind")),
    )
    op.create_index("ix_kind_revision", "kind", ["revision"])


def _revise_cell() -> None:
    op.drop_index("ix_cell_narrow", "cell")
    op.drop_index("ix_cell_wide", "cell")
    op.add_column(
        "cell",
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.create_index("ix_cell_revision", "cell", ["revision"])


def _create_cell_count() -> None:
    op.create_table(
        "cell_count",
        sa.Column("cell", _KEY, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cell"], ["cell.id"], name=op.f("fk_cell_count_cell")),
        sa.ForeignKeyConstraint(["kind"], ["kind.id"], name=op.f("fk_cell_count_kind")),
        sa.PrimaryKeyConstraint("cell", "kind", name=op.f("pk_cell_count")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cell_count_revision", "cell_count", ["revision"])


def _create_day_count() -> None:
    always_there = ("title", "published_us", "updated_us")
    op.create_table(
        "day_count",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        *(
            sa.Column(
                f"{name}_{end}", of_type or _ordered_text(160), nullable=name not in always_there
            )
            for name, of_type in _EXTREMES.items()
            for end in ("low", "high")
        ),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["kind"], ["kind.id"], name=op.f("fk_day_count_kind")),
        sa.PrimaryKeyConstraint("day", "kind", name=op.f("pk_day_count")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_day_count_revision", "day_count", ["revision"])


def _kind_name() -> str:
    """Return the texts of a row of `item_old` as one that is never null."""
    return " || '|' || ".join(f"coalesce({name}, '')" for name in _KIND_COLUMNS)


def _set_items_aside() -> None:
    """Keep the rows; number their kinds."""
    for name in ("item", "placement"):
        op.execute(f"CREATE TABLE {name}_old AS SELECT * FROM {name}")
    op.drop_table("placement")
    op.drop_table("item")
    texts = ", ".join(_KIND_COLUMNS)
    op.execute(
        f"INSERT INTO kind ({texts}, revision) SELECT DISTINCT {texts}, 1 FROM item_old "
        f"ORDER BY {texts}"
    )
    op.create_table(
        "kind_key",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("id", _KEY, nullable=False),
    )
    op.execute(f"INSERT INTO kind_key (name, id) SELECT {_kind_name()}, id FROM kind")


def _restore_placements() -> None:
    op.execute("INSERT INTO placement (item, file) SELECT item, file FROM placement_old")
    op.drop_table("placement_old")
    op.drop_table("item_old")
    if _is_postgresql():  # the rows brought their numbers: the generator goes on after them
        op.execute(
            "SELECT setval(pg_get_serial_sequence('item', 'pk'), "
            "(SELECT coalesce(max(pk), 0) + 1 FROM item), false)"
        )


def _item_columns_of_always() -> list[sa.Column[Any] | sa.Constraint]:
    """Return the columns that both forms of the table have, from `orbit_number` on."""
    return [
        sa.Column("orbit_number", sa.Integer()),
        sa.Column("relative_orbit", sa.Integer()),
        sa.Column("cycle_number", sa.Integer()),
        sa.Column("mission_take_id", sa.Integer()),
        sa.Column("mgrs_tile", _ordered_text(5)),
        sa.Column("cloud_cover", sa.Float()),
        sa.Column("snow_cover", sa.Float()),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("t0_us", sa.BigInteger(), nullable=False),
        sa.Column("t1_us", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("cell", _KEY, nullable=False),
        sa.Column("x0", sa.Integer(), nullable=False),
        sa.Column("y0", sa.Integer(), nullable=False),
        sa.Column("x1", sa.Integer(), nullable=False),
        sa.Column("y1", sa.Integer(), nullable=False),
        sa.Column("footprint", sa.LargeBinary(), nullable=False),
        sa.Column("properties", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["cell"], ["cell.id"], name=op.f("fk_item_cell")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_item")),
    ]


def _create_item() -> None:
    columns = _item_columns_of_always()
    op.create_table(
        "item",
        sa.Column("pk", _KEY, nullable=False),
        sa.Column("uid", sa.LargeBinary(16), nullable=False),
        sa.Column("title", _ordered_text(160), nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        *columns[:8],
        sa.Column("checksum", sa.LargeBinary(64)),
        *columns[8:11],
        sa.Column("revised_us", sa.BigInteger()),
        *columns[11:],
        sa.ForeignKeyConstraint(["kind"], ["kind.id"], name=op.f("fk_item_kind")),
    )


def _create_item_of_first_release() -> None:
    columns = _item_columns_of_always()
    op.create_table(
        "item",
        sa.Column("pk", _KEY, nullable=False),
        sa.Column("uid", _ordered_text(36), nullable=False),
        sa.Column("title", _ordered_text(160), nullable=False),
        *(
            sa.Column(name, _ordered_text(length), nullable=name not in _REQUIRED)
            for name, length in _KIND_COLUMNS.items()
        ),
        *columns[:8],
        sa.Column("checksum", _ordered_text(128)),
        *columns[8:11],
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        *columns[11:],
        sa.UniqueConstraint("uid", name=op.f("uq_item_uid")),
    )


def _create_placement() -> None:
    op.create_table(
        "placement",
        sa.Column("item", _KEY, nullable=False),
        sa.Column("file", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["file"], ["file.id"], name=op.f("fk_placement_file")),
        sa.ForeignKeyConstraint(
            ["item"], ["item.pk"], name=op.f("fk_placement_item"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_placement")),
    )
    op.create_index("ix_placement_file", "placement", ["file"])


def _index_items(covered: tuple[str, ...]) -> None:
    op.create_index("ix_item_cell", "item", ["cell", "t0_us", "pk", *covered])
    op.create_index("ix_item_time", "item", ["t0_us", "pk", *covered])
    op.create_index("ix_item_published", "item", ["published_us"])


def _count() -> None:
    op.execute(
        "INSERT INTO cell_count (cell, kind, products, revision) SELECT cell, kind, count(*), 1 "
        "FROM item WHERE NOT withdrawn GROUP BY cell, kind"
    )
    names = ", ".join(f"{name}_low, {name}_high" for name in _EXTREMES)
    of_row = dict.fromkeys(_EXTREMES) | {"updated_us": "coalesce(revised_us, published_us)"}
    values = ", ".join(
        f"min({value or name}), max({value or name})" for name, value in of_row.items()
    )
    # Floor also before 1970, where integer division truncates towards zero.
    day = f"(t0_us - ((t0_us % {_DAY_US}) + {_DAY_US}) % {_DAY_US}) / {_DAY_US}"
    op.execute(
        f"INSERT INTO day_count (day, kind, products, {names}, revision) "
        f"SELECT {day}, kind, count(*), {values}, 1 FROM item WHERE NOT withdrawn "
        f"GROUP BY {day}, kind"
    )
