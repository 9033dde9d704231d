"""A list of products in a file, read record by record.

``.csv``: a table. ``.json`` and ``.geojson``: one feature collection, or a JSON array of features.
``.ndjson`` and ``.jsonl``: a feature a line, for lists larger than memory. Each also with ``.gz``.
"""

import csv
import gzip
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

import orjson

from catalog_db.catalogue.footprints import placed
from catalog_db.errors import CatalogError
from peps_wps.errors import PepsError
from peps_wps.readers.wording import printable
from peps_wps.records import resto, stac, table
from peps_wps.records.record import Description, Record, RecordError, product_of

_SUFFIXES = {".csv", ".json", ".geojson", ".ndjson", ".jsonl"}
_LARGEST_COLLECTION = 2 * 2**30  # bytes; a feature collection is read whole
_LONGEST_LINE = 4 * 2**20  # bytes
_LONGEST_NAME = 160


class ListError(PepsError):
    """A file is no list of products; the sentence says why."""


def is_list(path: Path) -> bool:
    """Say whether a path is a list of products by its name."""
    return path.is_file() and _suffix(path) in _SUFFIXES


class RecordList:
    """A list of products.

    Parameters
    ----------
    path
        The file.
    backends
        Names of the tape backends; the first holds the files of which a table names none.

    Attributes
    ----------
    percent
        How much of the list has been read.
    """

    def __init__(self, path: Path, backends: Sequence[str]) -> None:
        self.path = path
        self.backends = backends
        self.percent = 0.0

    def digest(self) -> str:
        """Return the SHA-256 of the file: its identity under any name."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def records(self, now: datetime, *, after: int = 0) -> Iterator[Record]:
        """Yield the records behind the first `after` ones, refused ones with their problem.

        Raises
        ------
        ListError
            When the file cannot be read, or is no list of products.
        """
        suffix = _suffix(self.path)
        try:
            with self.path.open("rb") as raw, _unpacked(raw, self.path) as file:
                if suffix == ".csv":
                    records = self._rows(file, now, after)
                elif suffix in (".ndjson", ".jsonl"):
                    records = _features(_lines(file), now, after)
                else:
                    records = _features(iter(_collection(file)), now, after)
                size = max(self.path.stat().st_size, 1)
                for record in records:
                    self.percent = 100 * raw.tell() / size
                    yield record
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise ListError(f"{self.path.name} cannot be read: {error}") from error

    def _rows(self, file: IO[bytes], now: datetime, after: int) -> Iterator[Record]:
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        reader = csv.DictReader(text)
        try:
            table.check_columns(reader.fieldnames or ())
            for number, row in enumerate(reader, 1):
                if number > after:
                    yield self._of_row(number, row, now)
        except RecordError as error:
            raise ListError(f"{self.path.name}: {error}") from error
        finally:
            text.detach()  # who opened the file closes it

    def _of_row(self, number: int, row: dict[str, Any], now: datetime) -> Record:
        title = _name(row.get("title"), number)
        if None in row or None in row.values():
            return Record(number, title, problem="has another number of columns than the head")
        try:
            product = _checked(table.describe(row), now)
            return Record(number, title, product, table.file_of(row, self.backends))
        except (RecordError, CatalogError) as error:
            return Record(number, title, problem=str(error))


def _features(features: Iterator[Any], now: datetime, after: int) -> Iterator[Record]:
    for number, feature in enumerate(features, 1):
        if number > after:
            yield _of_feature(number, feature, now)


def _of_feature(number: int, feature: object, now: datetime) -> Record:
    if not isinstance(feature, dict):
        return Record(number, _name(None, number), problem="is not a feature")
    properties = feature.get("properties")
    named = properties.get("productIdentifier") if isinstance(properties, dict) else None
    title = _name(named or feature.get("id"), number)
    try:
        return Record(number, title, _checked(_describe(feature), now))
    except (RecordError, CatalogError) as error:
        return Record(number, title, problem=str(error))


def _describe(feature: dict[str, Any]) -> Description:
    if stac.is_stac(feature):
        return stac.describe(feature)
    if resto.is_resto(feature):
        return resto.describe(feature)
    raise RecordError("is neither a STAC item nor a feature of a resto search")


def _checked(description: Description, now: datetime) -> Any:
    """Return the product, after the catalogue's own check of where it lies."""
    product = product_of(description, now)
    placed(product.footprint)
    return product


def _name(value: object, number: int) -> str:
    text = printable(str(value))[:_LONGEST_NAME] if value else ""
    return text or f"record {number}"


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


@contextmanager
def _unpacked(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != ".gz":
        yield raw
        return
    with gzip.open(raw) as unpacked:
        yield unpacked  # type: ignore[misc]  # a GzipFile is a binary file


def _lines(file: IO[bytes]) -> Iterator[Any]:
    """Yield what each line holds; a line that is no JSON is a record that is refused."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise ListError(f"a line has more than {_LONGEST_LINE} bytes")
        if not line.strip():
            continue
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            yield None


def _collection(file: IO[bytes]) -> list[Any]:
    content = file.read(_LARGEST_COLLECTION + 1)
    if len(content) > _LARGEST_COLLECTION:
        raise ListError("the list is larger than 2 GiB: write a feature a line (.ndjson)")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ListError(f"the list is not JSON: {error}") from error
    if isinstance(document, dict):
        document = document.get("features", [document] if "properties" in document else None)
    if not isinstance(document, list):
        raise ListError("the list is no feature collection")
    return document
