"""Place names: what a search by the name of a town reads."""

from sqlalchemy import Column, Float, ForeignKey, Integer, PrimaryKeyConstraint, String, Table

from catalog_db.tables.base import metadata

place = Table(
    "place",
    metadata,
    # The identifier of GeoNames.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("country", String(2), nullable=False),
    Column("longitude", Float, nullable=False),
    Column("latitude", Float, nullable=False),
    Column("population", Integer, nullable=False),
)

place_name = Table(
    "place_name",
    metadata,
    # Without accents, case or punctuation.
    Column("folded", String(80), nullable=False),
    # 0: what the place calls itself; 1: what others call it.
    Column("rank", Integer, nullable=False),
    Column("place", Integer, ForeignKey("place.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("folded", "rank", "place"),
    sqlite_with_rowid=False,
)
