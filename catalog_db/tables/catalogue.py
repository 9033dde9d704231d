"""Products: what a search reads."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from catalog_db.tables.base import Key, metadata, ordered_text

# A partial index serves a query that repeats its condition word for word.
NARROWEST_WIDE_CELL = 200_000  # 1e-4 degrees
NARROW_CELL = f"x1 - x0 < {NARROWEST_WIDE_CELL}"
WIDE_CELL = f"x1 - x0 >= {NARROWEST_WIDE_CELL}"

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
    # Almost all are narrow: where one may start is then bounded from both sides.
    *(
        Index(name, "x0", "x1", "y0", "y1", sqlite_where=text(where), postgresql_where=text(where))
        for name, where in (("ix_cell_narrow", NARROW_CELL), ("ix_cell_wide", WIDE_CELL))
    ),
)

item = Table(
    "item",
    metadata,
    Column("pk", Key, primary_key=True),
    # uuid5 of "COLLECTION:productIdentifier" (PEPS): the public identifier. That makes the pair
    # unique too; a constraint that says so would be an index that SQLite prefers for searches.
    Column("uid", ordered_text(36), nullable=False, unique=True),
    Column("title", ordered_text(160), nullable=False),
    Column("collection", ordered_text(8), nullable=False),
    Column("platform", ordered_text(8), nullable=False),
    Column("product_type", ordered_text(16), nullable=False),
    Column("sensor_mode", ordered_text(16)),
    Column("instrument", ordered_text(16)),
    Column("processing_level", ordered_text(16)),
    Column("polarization", ordered_text(16)),
    Column("swath", ordered_text(32)),
    Column("orbit_number", Integer),
    Column("relative_orbit", Integer),
    Column("orbit_direction", ordered_text(10)),
    Column("cycle_number", Integer),
    Column("mission_take_id", Integer),
    Column("mgrs_tile", ordered_text(5)),
    Column("cloud_cover", Float),
    Column("snow_cover", Float),
    Column("size_bytes", BigInteger, nullable=False),
    Column("checksum", ordered_text(128)),
    Column("t0_us", BigInteger, nullable=False),
    Column("t1_us", BigInteger, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
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
_FILTERED = (
    item.c.collection,
    item.c.withdrawn,
    item.c.product_type,
    item.c.platform,
    item.c.relative_orbit,
    item.c.orbit_direction,
    item.c.polarization,
    item.c.cloud_cover,
    item.c.x0,
    item.c.y0,
    item.c.x1,
    item.c.y1,
)
Index("ix_item_cell", item.c.cell, item.c.t0_us, item.c.pk, *_FILTERED)
Index("ix_item_time", item.c.t0_us, item.c.pk, *_FILTERED)
Index("ix_item_published", item.c.published_us)
Index("ix_item_title", item.c.title)

placement = Table(
    "placement",
    metadata,
    Column("item", Key, ForeignKey("item.pk", ondelete="CASCADE"), primary_key=True),
    Column("file", Key, ForeignKey("file.id"), nullable=False),
    Index("ix_placement_file", "file"),
)
