"""Item search and the items of a collection: pages of items, and how to go on."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from werkzeug import Request, Response
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from catalog_db import SearchResult, search
from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from catalog_db.errors import UnknownProductError
from peps_wps.links import Links
from peps_wps.resto.query import PARENT_IDENTIFIERS
from peps_wps.services import Services
from peps_wps.web.json_answer import json_answer
from peps_wps.web.stac.item import GEOJSON, items
from peps_wps.web.stac.requests import (
    ItemSearch,
    backward_token,
    body_of,
    document_of,
    forward_token,
    search_of,
)

Json = dict[str, Any]

# Products whose file the archive does not know: to be asked for, like one on tape.
_UNPLACED = "tape"
_JSON = "application/json"


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    endpoints: dict[str, tuple[Callable[..., Response], list[str]]] = {
        "/stac/search": (search_items, ["GET", "POST"]),
        "/stac/collections/<collection>/items": (collection_items, ["GET"]),
        "/stac/collections/<collection>/items/<identifier>": (one_item, ["GET"]),
    }
    return [
        Rule(path, endpoint=endpoint, methods=methods, strict_slashes=False)
        for path, (endpoint, methods) in endpoints.items()
    ]


def search_items(request: Request, services: Services) -> Response:
    """Answer an item search, GET or POST."""
    if request.method == "POST":
        return _page(request, services, search_of(body_of(request)))
    return _page(request, services, search_of(document_of(request.args)))


def collection_items(request: Request, services: Services, collection: str) -> Response:
    """Answer with the items of a collection (OGC API - Features, 7.15)."""
    check_collection(collection)
    return _page(request, services, search_of(document_of(request.args), collection))


def one_item(request: Request, services: Services, collection: str, identifier: str) -> Response:
    """Answer with one item, by the title of the product or its resto identifier."""
    check_collection(collection)
    uid = products.product_uid(collection, identifier.removesuffix(".SAFE"))
    with services.engine.connect() as connection:
        product = products.get(connection, uid) or products.get(connection, identifier)
    if product is None or product.withdrawn or product.collection != collection:
        raise UnknownProductError(identifier[:80])
    (item,) = items([product], _modes(services, [product]), Links.of(services.config, request).base)
    return json_answer(item, GEOJSON)


def check_collection(collection: str) -> None:
    """Refuse a collection that is none.

    Raises
    ------
    NotFound
        With the collections that there are.
    """
    if collection not in PARENT_IDENTIFIERS:
        known = ", ".join(PARENT_IDENTIFIERS)
        raise NotFound(f"there is no collection {collection[:40]}, expected one of {known}")


def _page(request: Request, services: Services, asked: ItemSearch) -> Response:
    """Answer with a page of items."""
    with services.engine.connect() as connection, services.search_meter.timed(asked.query):
        found = search(connection, asked.query)
    page = found.items[::-1] if asked.is_backward else found.items
    base = Links.of(services.config, request).base
    features = list(items(page, _modes(services, page), base))
    if asked.selection is not None:
        features = [asked.selection.of(feature) for feature in features]
    counts = {"returned": len(features), "limit": asked.query.limit, "matched": found.total}
    document = {
        "type": "FeatureCollection",
        "features": features,
        "links": _links(request, asked, found, base),
        "numberMatched": found.total,
        "numberReturned": len(features),
        "context": counts,
        # Not in the specification: whether the number matched was counted or estimated.
        "peps:matched_is_exact": found.total_is_exact,
    }
    return json_answer(document, GEOJSON)


def _modes(services: Services, page: Sequence[Product]) -> list[str]:
    """Return where the file of each product is."""
    modes = services.archive.mode([product.uid for product in page])
    return [modes.get(product.uid, _UNPLACED) for product in page]


def _links(request: Request, asked: ItemSearch, found: SearchResult, base: str) -> list[Json]:
    address = base + request.path
    query = request.query_string.decode("latin-1")
    links: list[Json] = [
        {"rel": "root", "type": _JSON, "href": f"{base}/stac"},
        {"rel": "self", "type": GEOJSON, "href": f"{address}?{query}" if query else address},
    ]
    after, before = found.cursor, found.cursor_before
    if asked.is_backward:
        after, before = before, after
    if after is not None:
        links.append(_turn(request, address, "next", forward_token(after)))
    if before is not None:
        links.append(_turn(request, address, "prev", backward_token(before)))
    return links


def _turn(request: Request, address: str, relation: str, token: str) -> Json:
    """Return the link to another page, to be followed as this one was asked."""
    link: Json = {"rel": relation, "type": GEOJSON, "method": request.method, "href": address}
    if request.method == "POST":
        return {**link, "body": {"token": token}, "merge": True}
    parameters = {**request.args.to_dict(), "token": token}
    return {**link, "method": "GET", "href": f"{address}?{urlencode(parameters)}"}
