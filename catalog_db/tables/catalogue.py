"""Products: what a search reads, and the counts that plan it.

`kind`, `cell_count` and `day_count` change in the transaction that changes the products, so they
are exact at any time. Each row of what a process keeps in memory of them carries the `revision` of
its last change: what changed since is read by an index.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)

from catalog_db.tables.base import Digest, Key, Uid, metadata, ordered_text

# One row, 1 -> the number of the last change. Numbers only grow, and a change holds the row until
# its transaction ends: who sees a number sees all changes below it.
catalogue_revision = Table(
    "catalogue_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
)

# The texts of few values that products share: about a hundred combinations in all.
kind = Table(
    "kind",
    metadata,
    Column("id", Key, primary_key=True),
    Column("collection", ordered_text(8), nullable=False),
    Column("platform", ordered_text(8), nullable=False),
    Column("product_type", ordered_text(16), nullable=False),
    Column("sensor_mode", ordered_text(16)),
    Column("instrument", ordered_text(16)),
    Column("processing_level", ordered_text(16)),
    Column("polarization", ordered_text(16)),
    Column("swath", ordered_text(32)),
    Column("orbit_direction", ordered_text(10)),
    Column("revision", BigInteger, nullable=False),
    Index("ix_kind_revision", "revision"),
)

cell = Table(
    "cell",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", ordered_text(32), nullable=False, unique=True),
    # Union of the boxes of its members, in 1e-4 degrees, rounded outwards; a box that reaches
    # over the antimeridian is continuous, so x0 may be below -180 and x1 above 180.
    Column("x0", Integer, nullable=False),
    Column("y0", Integer, nullable=False),
    Column("x1", Integer, nullable=False),
    Column("y1", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_cell_revision", "revision"),
)

# How many products in service a cell has of each kind.
cell_count = Table(
    "cell_count",
    metadata,
    Column("cell", Key, ForeignKey("cell.id"), nullable=False),
    Column("kind", Key, ForeignKey("kind.id"), nullable=False),
    Column("products", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("cell", "kind"),
    Index("ix_cell_count_revision", "revision"),
    sqlite_with_rowid=False,
)

# Columns of `item` whose least and greatest value `day_count` knows. All grow with time within a
# kind, so that few days hold a given value.
EXTREMES = (
    "title",
    "orbit_number",
    "mission_take_id",
    "cycle_number",
    "published_us",
    "updated_us",
)

# How many products in service started on a day (since 1970-01-01, UTC) of each kind; `_low` and
# `_high` never narrow when products leave.
day_count = Table(
    "day_count",
    metadata,
    Column("day", Integer, nullable=False),
    Column("kind", Key, ForeignKey("kind.id"), nullable=False),
    Column("products", Integer, nullable=False),
    Column("title_low", ordered_text(160), nullable=False),
    Column("title_high", ordered_text(160), nullable=False),
    Column("orbit_number_low", Integer),
    Column("orbit_number_high", Integer),
    Column("mission_take_id_low", Integer),
    Column("mission_take_id_high", Integer),
    Column("cycle_number_low", Integer),
    Column("cycle_number_high", Integer),
    Column("published_us_low", BigInteger, nullable=False),
    Column("published_us_high", BigInteger, nullable=False),
    Column("updated_us_low", BigInteger, nullable=False),
    Column("updated_us_high", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("day", "kind"),
    Index("ix_day_count_revision", "revision"),
    sqlite_with_rowid=False,
)

item = Table(
    "item",
    metadata,
    Column("pk", Key, primary_key=True),
    # uuid5 of "COLLECTION:productIdentifier" (PEPS): the public identifier. That makes the pair
    # unique too, and finds a product by its title.
    Column("uid", Uid, nullable=False),
    Column("title", ordered_text(160), nullable=False),
    Column("kind", Key, ForeignKey("kind.id"), nullable=False),
    Column("orbit_number", Integer),
    Column("relative_orbit", Integer),
    Column("cycle_number", Integer),
    Column("mission_take_id", Integer),
    Column("mgrs_tile", ordered_text(5)),
    Column("cloud_cover", Float),
    Column("snow_cover", Float),
    Column("size_bytes", BigInteger, nullable=False),
    Column("checksum", Digest),
    Column("t0_us", BigInteger, nullable=False),
    Column("t1_us", BigInteger, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    # Of the last change; nothing where that was the publication (8 bytes less in a row).
    Column("revised_us", BigInteger),
    Column("cell", Key, ForeignKey("cell.id"), nullable=False),
    # Box in 1e-4 degrees rounded outwards; x0 in [-180, 180), x1 may exceed 180.
    Column("x0", Integer, nullable=False),
    Column("y0", Integer, nullable=False),
    Column("x1", Integer, nullable=False),
    Column("y1", Integer, nullable=False),
    # Footprint as WKB, split at the antimeridian.
    Column("footprint", LargeBinary, nullable=False),
    # What has no column of its own and is only shown: JSON object of resto properties.
    Column("properties", Text, nullable=False, server_default=text("'{}'")),
    Column("withdrawn", Boolean, nullable=False, server_default=text("false")),
)
# When a product had its present form, as if it were a column.
updated_us = func.coalesce(item.c.revised_us, item.c.published_us).label("updated_us")

# Indexes, not constraints: a bulk load builds them afterwards.
Index("uq_item_uid", item.c.uid, unique=True)
_COVERED = (
    item.c.kind,
    item.c.withdrawn,
    item.c.relative_orbit,
    item.c.cloud_cover,
    item.c.x0,
    item.c.y0,
    item.c.x1,
    item.c.y1,
)
Index("ix_item_cell", item.c.cell, item.c.t0_us, item.c.pk, *_COVERED)
Index("ix_item_time", item.c.t0_us, item.c.pk, *_COVERED)
Index("ix_item_published", item.c.published_us)

placement = Table(
    "placement",
    metadata,
    Column("item", Key, ForeignKey("item.pk", ondelete="CASCADE"), primary_key=True),
    Column("file", Key, ForeignKey("file.id"), nullable=False),
    Index("ix_placement_file", "file"),
)
