"""Products: what the archive holds, one row of `item` each."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Row, Select, case, or_, select, update

from catalog_db.cells import HomeCell, home_cell
from catalog_db.errors import UnknownProductError
from catalog_db.footprints import placed
from catalog_db.tables import cell, file, item, placement
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into

# PEPS's namespace: its feature identifiers are uuid5(namespace, "COLLECTION:productIdentifier").
_NAMESPACE = uuid.UUID("92708059-2077-45a3-a4f3-1eb428789cff")
_BATCH = 1000

# Columns that hold a field of Product under the field's own name.
_PLAIN = (
    "title",
    "collection",
    "platform",
    "product_type",
    "sensor_mode",
    "instrument",
    "processing_level",
    "polarization",
    "swath",
    "orbit_number",
    "relative_orbit",
    "orbit_direction",
    "cycle_number",
    "mission_take_id",
    "mgrs_tile",
    "cloud_cover",
    "snow_cover",
    "size_bytes",
    "checksum",
    "withdrawn",
)


def product_uid(collection: str, title: str) -> str:
    """Return the identifier by which clients of PEPS know a product."""
    return str(uuid.uuid5(_NAMESPACE, f"{collection}:{title}"))


@dataclass(frozen=True)
class Product:
    """One product of the catalogue.

    Parameters
    ----------
    title
        The producer's name without extension: ``S1A_IW_GRDH_1SDV_20210809T173953_..._6FF8``.
    collection
        ``S1``, ``S2``, ``S2ST`` or ``S3``.
    platform, product_type, sensor_mode, instrument, processing_level
        As PEPS writes them: ``S1A``, ``GRD``, ``IW``, ``SAR-C SAR``, ``LEVEL1``.
    polarization
        Separated by blanks: ``VV VH``.
    orbit_number, relative_orbit, orbit_direction
        Absolute and relative orbit; ``ascending`` or ``descending``.
    mgrs_tile
        Sentinel-2 tile without its leading T, of gridded products.
    cloud_cover, snow_cover
        Percent.
    size_bytes, checksum
        Of the file that a client gets; MD5 or SHA-256, hexadecimal.
    start, end
        Sensing, UTC.
    published, updated
        When this catalogue first had it, and had it in this form.
    footprint
        Longitude and latitude in degrees, as produced or cut at the antimeridian.
    properties
        What is only shown: JSON values by their resto names.
    withdrawn
        No longer served; kept so that its identifier is never reused.
    file_path
        Path inside the archive of the file that holds it. Read from the database, not written.
    """

    title: str
    collection: str
    platform: str
    product_type: str
    start: datetime
    end: datetime
    published: datetime
    updated: datetime
    footprint: BaseGeometry
    size_bytes: int
    checksum: str | None = None
    sensor_mode: str | None = None
    instrument: str | None = None
    processing_level: str | None = None
    polarization: str | None = None
    swath: str | None = None
    orbit_number: int | None = None
    relative_orbit: int | None = None
    orbit_direction: str | None = None
    cycle_number: int | None = None
    mission_take_id: int | None = None
    mgrs_tile: str | None = None
    cloud_cover: float | None = None
    snow_cover: float | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    withdrawn: bool = False
    file_path: str | None = None

    @property
    def uid(self) -> str:
        """The public identifier."""
        return product_uid(self.collection, self.title)


def insert_products(connection: Connection, products: Iterable[Product]) -> int:
    """Add products, or replace those known in an older form; return how many rows changed.

    A product is the same when collection and title are. The form with the later `updated` wins and
    keeps its row; an equal or older one changes nothing, so ingesting twice is harmless.
    """
    remaining = iter(products)
    changed = 0
    while batch := list(islice(remaining, _BATCH)):
        changed += _insert_batch(connection, batch)
    return changed


def _insert_batch(connection: Connection, products: Sequence[Product]) -> int:
    homes, rows = [], []
    for product in {product.uid: product for product in _oldest_first(products)}.values():
        footprint, extent = placed(product.footprint)
        home = home_cell(extent, product.mgrs_tile)
        homes.append(home)
        rows.append({**_columns(product), **extent._asdict(), "cell": home.name})
        rows[-1]["footprint"] = shapely.to_wkb(footprint)
    ids = _widen_cells(connection, homes)
    statement = insert_into(connection, item)
    fresh = {
        name: statement.excluded[name] for name in rows[0] if name not in ("uid", "published_us")
    }
    statement = statement.on_conflict_do_update(
        index_elements=["uid"],
        set_=fresh,
        where=item.c.updated_us < statement.excluded.updated_us,
    )
    result = connection.execute(
        statement,
        [{**row, "cell": ids[row["cell"]]} for row in rows],
        execution_options={"preserve_rowcount": True},
    )
    return result.rowcount


def _oldest_first(products: Sequence[Product]) -> list[Product]:
    return sorted(products, key=lambda product: product.updated)


def _columns(product: Product) -> dict[str, Any]:
    """Return the columns of a product that do not depend on its place."""
    return {
        **{name: getattr(product, name) for name in _PLAIN},
        "uid": product.uid,
        "t0_us": to_us(product.start),
        "t1_us": to_us(product.end),
        "published_us": to_us(product.published),
        "updated_us": to_us(product.updated),
        "properties": json.dumps(dict(product.properties), separators=(",", ":"), sort_keys=True),
    }


def _widen_cells(connection: Connection, homes: Sequence[HomeCell]) -> dict[str, int]:
    """Make the cells hold the boxes of their new members; return the key of each by name.

    The widening is one statement, so that two writers at once cannot lose each other's box.
    """
    statement = insert_into(connection, cell)
    old, new = cell.c, statement.excluded
    is_within = (old.x0 <= new.x0) & (old.y0 <= new.y0) & (old.x1 >= new.x1) & (old.y1 >= new.y1)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "x0": case((old.x0 < new.x0, old.x0), else_=new.x0),
            "y0": case((old.y0 < new.y0, old.y0), else_=new.y0),
            "x1": case((old.x1 > new.x1, old.x1), else_=new.x1),
            "y1": case((old.y1 > new.y1, old.y1), else_=new.y1),
        },
        where=~is_within,
    )
    # By name: two writers then lock rows in the same order.
    homes = sorted(homes, key=lambda home: home.name)
    connection.execute(statement, [{"name": home.name, **home.box._asdict()} for home in homes])
    names = sorted({home.name for home in homes})
    rows = connection.execute(select(cell.c.name, cell.c.id).where(cell.c.name.in_(names)))
    return {row.name: row.id for row in rows}


def get(connection: Connection, identifier: str) -> Product | None:
    """Return a product by uid or title (with or without ``.SAFE``), withdrawn ones too.

    Where two collections hold the same title, the first by name is returned.
    """
    title = identifier.removesuffix(".SAFE")
    query = select_products().where(or_(item.c.uid == identifier.lower(), item.c.title == title))
    row = connection.execute(query.order_by(item.c.collection).limit(1)).first()
    return None if row is None else product_of(row)


def place(connection: Connection, uid: str, file_id: int) -> None:
    """State which file of the archive holds a product."""
    key = connection.scalar(select(item.c.pk).where(item.c.uid == uid))
    if key is None:
        raise UnknownProductError(uid)
    statement = insert_into(connection, placement).values(item=key, file=file_id)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["item"], set_={"file": file_id})
    )


def withdraw(connection: Connection, uid: str) -> None:
    """Take a product out of service: it is no longer found, ordered or downloaded."""
    result = connection.execute(update(item).where(item.c.uid == uid).values(withdrawn=True))
    if result.rowcount == 0:
        raise UnknownProductError(uid)


def select_products() -> Select[Any]:
    """Return the query whose rows `product_of` understands, without a condition or an order."""
    columns = [item.c[name] for name in _PLAIN]
    times = (item.c.t0_us, item.c.t1_us, item.c.published_us, item.c.updated_us)
    return select(
        item.c.pk, *columns, *times, item.c.footprint, item.c.properties, file.c.path.label("path")
    ).select_from(
        item.outerjoin(placement, placement.c.item == item.c.pk).outerjoin(
            file, file.c.id == placement.c.file
        )
    )


def product_of(row: Row[Any]) -> Product:
    """Return the product of a row of `select_products`."""
    values = row._asdict()
    return Product(
        **{name: values[name] for name in _PLAIN},
        start=from_us(values["t0_us"]),
        end=from_us(values["t1_us"]),
        published=from_us(values["published_us"]),
        updated=from_us(values["updated_us"]),
        footprint=shapely.from_wkb(values["footprint"]),
        properties=json.loads(values["properties"]),
        file_path=values["path"],
    )
