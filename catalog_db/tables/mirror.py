"""What is mirrored from other archives: each product announced, its contents, how far it is known.

A product is one row from its first announcement on, whatever becomes of it, so a run that is killed
at any moment finds everything again and nothing is mirrored twice.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from catalog_db.tables.base import Key, Uid, metadata

mirror_product = Table(
    "mirror_product",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", String(40), nullable=False),
    Column("hub_id", String(64), nullable=False),  # the source's own identifier
    Column("selection", String(40), nullable=False),
    Column("collection", String(40), nullable=False),  # as the source calls it
    Column("name", String(200), nullable=False),  # title, without extension
    Column("size_bytes", BigInteger, nullable=False),
    Column("checksum", String(32)),  # MD5; null where the source states none
    Column("published_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    # When the content that is or was to be fetched was first announced.
    Column("announced_us", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),  # of this content
    Column("corrupt", Integer, nullable=False, default=0),  # of them, arrived damaged
    Column("not_before_us", BigInteger, nullable=False, default=0),
    Column("uid", Uid),  # of the product of the catalogue
    Column("error", String(500)),  # why it failed, or why it is gone
    CheckConstraint("state IN ('waiting', 'fetching', 'done', 'failed', 'gone')", name="state"),
    UniqueConstraint("source", "hub_id"),
    Index("ix_mirror_product_newest", "source", "state", "priority", "announced_us"),
    Index("ix_mirror_product_oldest", "source", "state", "announced_us"),
    Index(None, "name"),
    Index("ix_mirror_product_days", "source", "collection", "published_us"),
)

# Each content that was mirrored; one that another replaced stays as history.
mirror_content = Table(
    "mirror_content",
    metadata,
    Column("id", Key, primary_key=True),
    Column("product", ForeignKey("mirror_product.id"), nullable=False, index=True),
    Column("file", ForeignKey("file.id"), nullable=False),
    Column("checksum", String(32), nullable=False),
    Column("announced_us", BigInteger, nullable=False),
    Column("mirrored_us", BigInteger, nullable=False, index=True),
    Column("replaced_us", BigInteger),
)

mirror_mark = Table(
    "mirror_mark",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("selection", String(40), primary_key=True),
    # What is followed: published, modified, deleted.
    Column("subject", String(9), primary_key=True),
    # Everything before is known.
    Column("until_us", BigInteger, nullable=False),
)

mirror_day = Table(
    "mirror_day",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("collection", String(40), primary_key=True),  # empty: the source itself
    Column("day", Integer, primary_key=True),  # since 1970, UTC
    Column("products", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),  # of these products
    Column("traffic_bytes", BigInteger, nullable=False),  # received, whatever became of it
    Column("corrupt", Integer, nullable=False),  # downloads that arrived damaged
    Column("requests", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),  # requests that the source did not serve
)
