"""A row of a table of products: columns named as the fields of a product.

``title``, ``collection``, ``platform``, ``product_type``, ``start`` and ``footprint`` (WKT) are
required. ``path``, ``backend``, ``tape`` and ``position`` say where the archive holds the file: its
``size_bytes`` and ``checksum`` are then required too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import shapely

from catalog_db.archive.staging import FileRow
from catalog_db.catalogue.products import Product
from peps_wps.readers.wording import printable
from peps_wps.records.geojson import checked
from peps_wps.records.record import (
    Description,
    RecordError,
    algorithm_of,
    checksum_of,
    integer_of,
)

_OF_PRODUCT = {one.name for one in fields(Product)} - {"properties", "withdrawn", "file_path"}
_OF_FILE = ("path", "backend", "tape", "position")
_REQUIRED = ("title", "collection", "platform", "product_type", "start", "footprint")


def check_columns(columns: Sequence[str]) -> None:
    """Refuse a table whose head is not understood; RecordError names the column."""
    unknown = [name for name in columns if name not in _OF_PRODUCT and name not in _OF_FILE]
    missing = [name for name in _REQUIRED if name not in columns]
    if unknown:
        raise RecordError(f"column {printable(unknown[0])} is none of a product's")
    if missing:
        raise RecordError(f"column {missing[0]} is missing")
    if len(set(columns)) < len(columns):
        raise RecordError("a column is there twice")


def describe(row: Mapping[str, str]) -> Description:
    """Return what a row says of its product."""
    try:
        footprint = shapely.from_wkt(row["footprint"])
    except (shapely.errors.ShapelyError, NotImplementedError) as error:  # the latter: curves
        raise RecordError("footprint is not WKT") from error
    if footprint is None:
        raise RecordError("footprint is missing")
    values = {name: value.strip() for name, value in row.items() if name in _OF_PRODUCT}
    values.pop("footprint")
    return Description(values, checked(footprint))


def file_of(row: Mapping[str, str], backends: Sequence[str]) -> FileRow | None:
    """Return where the archive holds the product, None where the row does not say.

    `backends` are the tape backends there are; where the row names none it is the first.
    """
    path = row.get("path", "").strip()
    if not path:
        return None
    if path.startswith("/") or ".." in path.split("/") or not path.isprintable() or "\\" in path:
        raise RecordError(f"path {printable(path)} is not a path inside the archive")
    if len(path) > 512:
        raise RecordError(f"path has {len(path)} letters, at most 512 expected")
    checksum = checksum_of(row.get("checksum", "").strip())
    if checksum is None:
        raise RecordError("checksum is missing: a file that is recalled is compared with it")
    backend = row.get("backend", "").strip() or backends[0]
    if backend not in backends:
        raise RecordError(f"backend is {printable(backend)}, expected {' or '.join(backends)}")
    position = row.get("position", "").strip()
    return FileRow(
        id=0,
        path=path,
        size_bytes=integer_of(row.get("size_bytes", "").strip(), "size_bytes", bits=64),
        checksum_algorithm=algorithm_of(checksum),
        checksum=checksum,
        backend=backend,
        tape=row.get("tape", "").strip()[:64] or None,
        position=integer_of(position, "position", bits=64) if position else None,
    )
