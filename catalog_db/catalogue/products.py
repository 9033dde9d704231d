"""Products: what the archive holds, one row of `item` each."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Row, Select, select

from catalog_db.catalogue.kinds import Kind
from catalog_db.catalogue.product import PLAIN, Product, product_uid
from catalog_db.catalogue.storing import insert_products, withdraw
from catalog_db.errors import UnknownProductError
from catalog_db.tables import file, item, kind, placement, updated_us
from catalog_db.times import from_us
from catalog_db.upsert import insert_into

__all__ = [
    "Product",
    "get",
    "insert_products",
    "place",
    "product_of",
    "product_uid",
    "products_of",
    "select_products",
    "withdraw",
]


def get(connection: Connection, identifier: str) -> Product | None:
    """Return a product by uid or title (with or without ``.SAFE``), withdrawn ones too.

    Where two collections hold the same title, the first by name is returned.
    """
    uids = possible_uids(connection, [identifier])
    query = select_products().where(item.c.uid.in_(uids)).order_by(kind.c.collection).limit(1)
    row = connection.execute(query).first()
    return None if row is None else product_of(row)


def possible_uids(connection: Connection, identifiers: Iterable[str]) -> list[str]:
    """Return the uids that products called so may have: a title has one in each collection."""
    collections = connection.scalars(select(kind.c.collection).distinct()).all()
    uids = []
    for identifier in identifiers:
        title = identifier.removesuffix(".SAFE")
        uids += [identifier, *(product_uid(collection, title) for collection in collections)]
    return uids


def place(connection: Connection, files: Mapping[str, int]) -> None:
    """State which file of the archive, by its key, holds which product, by its uid."""
    query = select(item.c.uid, item.c.pk).where(item.c.uid.in_(list(files)))
    keys = {row.uid: row.pk for row in connection.execute(query)}
    for uid in files:
        if uid not in keys:
            raise UnknownProductError(uid)
    statement = insert_into(connection, placement)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[placement.c.item], set_={"file": statement.excluded.file}
        ),
        [{"item": keys[uid], "file": file_id} for uid, file_id in files.items()],
    )


def select_products() -> Select[Any]:
    """Return the query whose rows `product_of` understands, without a condition or an order."""
    return _PRODUCTS


_SHARED = (*PLAIN, *Kind._fields)
_PRODUCTS = select(
    item.c.pk,
    *(item.c[name] for name in PLAIN),
    *(kind.c[name] for name in Kind._fields),
    item.c.t0_us,
    item.c.t1_us,
    item.c.published_us,
    updated_us,
    item.c.footprint,
    item.c.properties,
    file.c.path.label("path"),
).select_from(
    item.join(kind, kind.c.id == item.c.kind)
    .outerjoin(placement, placement.c.item == item.c.pk)
    .outerjoin(file, file.c.id == placement.c.file)
)


def product_of(row: Row[Any]) -> Product:
    """Return the product of a row of `select_products`."""
    return products_of([row])[0]


def products_of(rows: Sequence[Row[Any]]) -> list[Product]:
    """Return the products of rows of `select_products`."""
    footprints = shapely.from_wkb([row.footprint for row in rows])
    return [_product(row, footprint) for row, footprint in zip(rows, footprints, strict=True)]


def _product(row: Row[Any], footprint: BaseGeometry) -> Product:
    plain = len(_SHARED) + 1  # the key of the row comes first
    start_us, end_us, published_us, updated_us, _, properties, path = row[plain:]
    return Product(
        **dict(zip(_SHARED, row[1:plain], strict=True)),
        start=from_us(start_us),
        end=from_us(end_us),
        published=from_us(published_us),
        updated=from_us(updated_us),
        footprint=footprint,
        properties=json.loads(properties) if properties != "{}" else {},
        file_path=path,
    )
