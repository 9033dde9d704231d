"""The catalogue of a server, by resto: products as they are found, however many there are."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from peps_wps.client.errors import RefusedError, UnreachableError
from peps_wps.client.filters import Filters
from peps_wps.client.server import Server

MOST_RECORDS = 500

# Between tries of a page that is not the first.
PAUSES_S = (1.0, 5.0, 20.0)

# By the number of hexadecimal digits, where the server does not say.
_ALGORITHMS = {8: "ADLER32", 32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}


@dataclass(frozen=True)
class Product:
    """A product as a server shows it.

    Parameters
    ----------
    id, title
        Identifier on its server; name everywhere.
    mode
        Where it is: ``disk``, ``staging``, ``tape`` or ``unknown``.
    size_bytes, checksum, checksum_algorithm
        Of its file, None where the server does not say. Checksums are hexadecimal, lower case.
    download_url
        Where its file is.
    properties, geometry
        All that the server says of it.
    """

    id: str
    title: str
    collection: str
    mode: str
    download_url: str
    start: datetime | None = None
    end: datetime | None = None
    size_bytes: int | None = None
    checksum: str | None = None
    checksum_algorithm: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    geometry: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    @property
    def feature(self) -> dict[str, Any]:
        """The product as a GeoJSON feature, as its server writes it."""
        return {
            "type": "Feature",
            "id": self.id,
            "geometry": self.geometry,
            "properties": self.properties,
        }


@dataclass(frozen=True)
class Count:
    """How many products there are, and whether they were counted or estimated."""

    products: int
    is_exact: bool


def search(
    server: Server, filters: Filters, *, limit: int | None = None, page_size: int = MOST_RECORDS
) -> Iterator[Product]:
    """Yield products, latest start first; one page of them is held at a time.

    Parameters
    ----------
    server
        Where.
    filters
        What they must be.
    limit
        So many at most.
    page_size
        So many are asked for at once.

    Raises
    ------
    RefusedError
        When the server refuses the search, with its reason.
    """
    size = page_size if limit is None else min(limit, page_size)
    return islice(_search(server, filters, size), limit)


def count(server: Server, filters: Filters) -> Count:
    """Return how many products a search finds."""
    page = _page(server, _address(server, filters), {**filters.parameters(), "maxRecords": "1"})
    facts = page.get("properties", {})
    total = facts.get("totalResults")
    if not isinstance(total, int):
        raise UnreachableError(f"{server.url} does not count what it finds")
    return Count(total, is_exact=bool(facts.get("exactCount", True)))


def find(server: Server, name: str) -> Product:
    """Return the product of a title or identifier.

    Raises
    ------
    RefusedError
        When the server has none of that name.
    """
    wanted = name.removesuffix(".SAFE").removesuffix(".zip")
    for product in search(server, Filters(identifier=wanted), limit=1):
        return product
    raise RefusedError("404", "", f"no product is called {name}")


def product_of(feature: Mapping[str, Any], address: str) -> Product:
    """Return the product that a GeoJSON feature of resto shows.

    Parameters
    ----------
    feature
        As a search answers it.
    address
        Where it was found: relative addresses start there.

    Raises
    ------
    UnreachableError
        When it is no such feature.
    """
    try:
        shown = feature["properties"]
        title = str(shown.get("productIdentifier") or shown["title"])
        download = (shown.get("services") or {}).get("download") or {}
        collection = str(shown["collection"])
        base = urljoin(address, f"/resto/collections/{collection}/{feature['id']}/download")
        checksum = download.get("checksum") or shown.get("resourceChecksum")
        return Product(
            id=str(feature["id"]),
            title=title,
            collection=collection,
            mode=str((shown.get("storage") or {}).get("mode") or "unknown"),
            download_url=urljoin(address, download.get("url") or base),
            start=_instant(shown.get("startDate")),
            end=_instant(shown.get("completionDate")),
            size_bytes=_whole_number(download.get("size") or shown.get("resourceSize")),
            checksum=checksum.lower() if isinstance(checksum, str) else None,
            checksum_algorithm=_algorithm(shown.get("resourceChecksumAlgorithm"), checksum),
            properties=shown,
            geometry=feature.get("geometry"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreachableError(f"{address} does not answer with products") from error


def _search(server: Server, filters: Filters, size: int) -> Iterator[Product]:
    """Yield the products of every page: by its link to the next one, else by number."""
    address, query = _address(server, filters), {**filters.parameters(), "maxRecords": str(size)}
    number, following = 1, None
    while True:
        asked = {} if following else {**query, "page": str(number)}
        place = following or address
        page = _page(server, place, asked) if number == 1 else _later_page(server, place, asked)
        found = page["features"]
        for feature in found:
            yield product_of(feature, place)
        links = page.get("properties", {}).get("links")
        following = _next(links, place)
        # A server that writes links writes one wherever more follows; the others fill their pages.
        if following is None and (links or len(found) < size):
            return
        number += 1


def _later_page(server: Server, address: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page; who has read others already is not stopped by a short fault."""
    for pause_s in PAUSES_S:
        try:
            return _page(server, address, query)
        except UnreachableError:
            time.sleep(pause_s)
    return _page(server, address, query)


def _page(server: Server, address: str, query: Mapping[str, str]) -> dict[str, Any]:
    with server.send("GET", address, params=query) as answer:
        try:
            page = answer.json()
        except ValueError as error:
            raise UnreachableError(f"{address} does not answer with products") from error
    if isinstance(page, dict) and "ErrorCode" in page:
        raise RefusedError(str(page["ErrorCode"]), "", str(page.get("ErrorMessage", "")))
    if not (isinstance(page, dict) and isinstance(page.get("features"), list)):
        raise UnreachableError(f"{address} does not answer with products")
    return page


def _next(links: Any, address: str) -> str | None:
    for link in links or ():
        if link.get("rel") == "next" and link.get("href"):
            return urljoin(address, str(link["href"]))
    return None


def _address(server: Server, filters: Filters) -> str:
    collection = f"/{filters.collection}" if filters.collection else ""
    return f"{server.root}/resto/api/collections{collection}/search.json"


def _instant(text: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _whole_number(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if number > 0 else None


def _algorithm(named: Any, checksum: Any) -> str | None:
    if not isinstance(checksum, str):
        return None
    return str(named).upper() if named else _ALGORITHMS.get(len(checksum))
