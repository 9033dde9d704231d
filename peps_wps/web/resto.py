"""The resto search API of PEPS: searches of one collection or all, and single features."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from werkzeug import Request, Response
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from catalog_db import SearchResult, search, times
from catalog_db.catalogue import products
from catalog_db.errors import UnknownProductError
from peps_wps.links import Links
from peps_wps.resto.places import about_place
from peps_wps.resto.query import PARENT_IDENTIFIERS, RestoSearch, parse_search
from peps_wps.services import Services
from peps_wps.web.json_answer import json_answer
from peps_wps.web.resto_atom import atom_feed, description
from peps_wps.web.resto_feature import features

Json = dict[str, Any]
Endpoint = Callable[..., Response]

_JSON = "application/json"
_ATOM = "application/atom+xml"
_OPENSEARCH = "application/opensearchdescription+xml"
_FORMATS = (("search.json", _JSON), ("search.atom", _ATOM))


@dataclass(frozen=True)
class _Page:
    """A page of a search, and what is needed to write it down."""

    asked: RestoSearch
    found: SearchResult
    identifier: str
    links: Mapping[str, str]
    base: str


def rules() -> list[Rule]:
    """Return the routes of searches, descriptions and single products."""
    endpoints: dict[str, Endpoint] = {
        "search.json": search_json,
        "search.atom": search_atom,
        "describe.xml": describe,
    }
    root = "/resto/api/collections"
    return [
        *(
            Rule(f"{folder}/{name}", endpoint=endpoint, methods=["GET"])
            for folder in (root, f"{root}/<collection>")
            for name, endpoint in endpoints.items()
        ),
        Rule("/resto/collections/<collection>/<uid>.json", endpoint=feature_json, methods=["GET"]),
    ]


def search_json(request: Request, services: Services, collection: str | None = None) -> Response:
    """Answer a search with a GeoJSON feature collection.

    Parameters
    ----------
    request
        GET with the parameters of `peps_wps.resto.query`.
    services
        Configuration, catalogue, archive.
    collection
        One of ``S1``, ``S2``, ``S2ST``, ``S3``; None for all.
    """
    started = time.perf_counter()
    page = _search(request, services, collection)
    modes = services.archive.mode([product.uid for product in page.found.items])
    query = {
        "searchFilters": dict(page.asked.filters),
        "analysis": {"query": page.asked.filters.get("searchTerms", "")},
        "processingTime": round(time.perf_counter() - started, 6),
    }
    document = {
        "type": "FeatureCollection",
        "properties": {**_summary(page), "query": query, "links": _json_links(page)},
        "features": list(features(page.found.items, modes, page.base)),
    }
    return _json_answer(document, request)


def search_atom(request: Request, services: Services, collection: str | None = None) -> Response:
    """Answer a search with an Atom feed; parameters as of `search_json`."""
    page = _search(request, services, collection)
    feed = atom_feed(
        page.found,
        identifier=page.identifier,
        first_index=page.asked.query.offset + 1,
        links=page.links,
        base=page.base,
        answered=times.now(),
    )
    return Response(feed, content_type=_ATOM)


def describe(request: Request, services: Services, collection: str | None = None) -> Response:
    """Answer with the OpenSearch description: which parameters a search takes."""
    _check(collection)
    base = Links.of(services.config, request).base + request.path.removesuffix("/describe.xml")
    return Response(description(collection, base, _FORMATS), content_type=_OPENSEARCH)


def feature_json(request: Request, services: Services, collection: str, uid: str) -> Response:
    """Answer with one product as a GeoJSON feature."""
    with services.engine.connect() as connection:
        product = products.get(connection, uid)
    if product is None or product.withdrawn or product.collection != collection:
        raise UnknownProductError(uid)
    modes = services.archive.mode([product.uid])
    base = Links.of(services.config, request).base
    (document,) = features([product], modes, base)
    return _json_answer(document, request)


def _check(collection: str | None) -> None:
    if collection is not None and collection not in PARENT_IDENTIFIERS:
        known = ", ".join(PARENT_IDENTIFIERS)
        raise NotFound(f"there is no collection {collection}, expected one of {known}")


def _search(request: Request, services: Services, collection: str | None) -> _Page:
    """Do what the parameters of a request ask."""
    _check(collection)
    # A repeated parameter counts with its last value, as PHP has it.
    parameters = {name: values[-1] for name, values in request.args.lists()}
    asked = parse_search(collection, parameters)
    if asked.place is not None:
        asked = replace(asked, query=about_place(services.engine, asked.query, asked.place))
    with services.engine.connect() as connection, services.search_meter.timed(asked.query):
        found = search(connection, asked.query)
    base = Links.of(services.config, request).base
    address = base + request.path
    pages = {
        relation: _page_address(address, parameters, asked.query.limit, offset)
        for relation, offset in _neighbours(asked, found).items()
    }
    return _Page(
        asked=asked,
        found=found,
        # The same search has the same identifier.
        identifier=str(
            uuid.uuid5(
                uuid.NAMESPACE_URL, json.dumps([collection, dict(asked.filters)], sort_keys=True)
            )
        ),
        links={**pages, "search": f"{address.rpartition('/')[0]}/describe.xml"},
        base=base,
    )


def _neighbours(asked: RestoSearch, found: SearchResult) -> dict[str, int]:
    """Return how many products come before this page, its neighbours and both ends."""
    limit, offset = asked.query.limit, asked.query.offset
    offsets = {"self": offset, "first": 0}
    if found.total_is_exact:
        offsets["last"] = max(found.total - 1, 0) // limit * limit
    if offset > 0:
        offsets["previous"] = max(offset - limit, 0)
    if found.cursor is not None:
        offsets["next"] = offset + len(found.items)
    return offsets


def _page_address(address: str, parameters: Mapping[str, str], limit: int, offset: int) -> str:
    """Return the address of the page that starts after `offset` products."""
    others = {name: text for name, text in parameters.items() if name not in ("page", "index")}
    place = {"index": offset + 1} if offset % limit else {"page": offset // limit + 1}
    return f"{address}?{urlencode({**others, 'maxRecords': limit, **place})}"


def _summary(page: _Page) -> Json:
    return {
        "title": "",
        "id": page.identifier,
        "totalResults": page.found.total,
        "exactCount": page.found.total_is_exact,
        "startIndex": page.asked.query.offset + 1,
        "itemsPerPage": len(page.found.items),
        "totalItemsPerPage": str(page.asked.query.limit),
    }


def _json_links(page: _Page) -> list[Json]:
    return [
        {
            "rel": relation,
            "type": _OPENSEARCH if relation == "search" else _JSON,
            "title": relation,
            "href": href,
        }
        for relation, href in page.links.items()
    ]


def _json_answer(document: Json, request: Request) -> Response:
    """Return a document as JSON, indented for a person who asks with ``_pretty``."""
    is_pretty = request.args.get("_pretty", "") not in ("", "0", "false")
    return json_answer(document, is_pretty=is_pretty)
