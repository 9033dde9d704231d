"""Products: what the archive holds, one row of `item` each."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, select

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
    "holding_of",
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


class Holding(NamedTuple):
    """Whether a product of the catalogue is withdrawn, and whether the archive has its file."""

    withdrawn: bool
    has_file: bool


def holding_of(connection: Connection, uid: str) -> Holding | None:
    """Return what becomes of a product that comes again; None where the catalogue has none such."""
    row = connection.execute(_HOLDING, {"wanted": uid}).first()
    return None if row is None else Holding(bool(row.withdrawn), row.file is not None)


_HOLDING = (
    select(item.c.withdrawn, placement.c.file)
    .select_from(item.outerjoin(placement, placement.c.item == item.c.pk))
    .where(item.c.uid == bindparam("wanted"))
)


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


_COLUMNS: dict[str, ColumnElement[Any]] = {
    **{name: item.c[name] for name in PLAIN},
    **{name: kind.c[name] for name in Kind._fields},
    "start": item.c.t0_us,
    "end": item.c.t1_us,
    "published": item.c.published_us,
    "updated": updated_us,
    "footprint": item.c.footprint,
    "properties": item.c.properties,
    "file_path": file.c.path.label("path"),
}
# In the order of a product's fields, behind the key of its row.
_FIELDS = [field.name for field in fields(Product)]
_INSTANTS = [_FIELDS.index(name) for name in ("start", "end", "published", "updated")]
_FOOTPRINT, _PROPERTIES = _FIELDS.index("footprint"), _FIELDS.index("properties")
_PRODUCTS = select(item.c.pk, *(_COLUMNS[name] for name in _FIELDS)).select_from(
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
    values: list[Any] = list(row[1:])
    for place in _INSTANTS:
        values[place] = from_us(values[place])
    properties = values[_PROPERTIES]
    values[_FOOTPRINT] = footprint
    values[_PROPERTIES] = json.loads(properties) if properties != "{}" else {}
    return Product(*values)
