"""A product for tests that are not about what is in it."""

from datetime import UTC, datetime

import shapely

from catalog_db.catalogue.products import Product

DAY = datetime(2021, 8, 9, tzinfo=UTC)


def plain_product(
    title: str, *, collection: str = "S1", size_bytes: int = 1000, checksum: str | None = None
) -> Product:
    """Return a product of some day and place."""
    return Product(
        title=title,
        collection=collection,
        platform=f"{collection}A",
        product_type="GRD",
        start=DAY,
        end=DAY,
        published=DAY,
        updated=DAY,
        footprint=shapely.box(1, 43, 3, 44),
        size_bytes=size_bytes,
        checksum=checksum,
    )
