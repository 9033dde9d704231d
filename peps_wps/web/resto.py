"""The resto search API of PEPS: ``search.json`` of one collection or all, and single features."""

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from werkzeug import Request, Response
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from catalog_db import SearchResult, products, search
from catalog_db.errors import UnknownProductError
from peps_wps.web.resto_feature import feature
from peps_wps.web.resto_query import PARENT_IDENTIFIERS, RestoSearch, parse_search
from peps_wps.web.services import Services
from peps_wps.wps.links import Links

Json = dict[str, Any]

_ROOT = "/resto/api/collections"
_GEOJSON = "application/json"
# Products whose file the archive does not know: to be asked for, like one on tape.
_UNPLACED = "tape"


def rules() -> list[Rule]:
    """Return the routes of the search and of single products."""
    return [
        Rule(f"{_ROOT}/search.json", endpoint=search_json, methods=["GET"]),
        Rule(f"{_ROOT}/<collection>/search.json", endpoint=search_json, methods=["GET"]),
        Rule("/resto/collections/<collection>/<uid>.json", endpoint=feature_json, methods=["GET"]),
    ]


def search_json(request: Request, services: Services, collection: str | None = None) -> Response:
    """Answer a search with a GeoJSON feature collection.

    Parameters
    ----------
    request
        GET with the parameters of `peps_wps.web.resto_query`.
    services
        Configuration, catalogue, archive.
    collection
        One of ``S1``, ``S2``, ``S2ST``, ``S3``; None for all.
    """
    started = time.perf_counter()
    if collection is not None and collection not in PARENT_IDENTIFIERS:
        raise NotFound(f"there is no collection {collection}, expected S1, S2, S2ST or S3")
    # A repeated parameter counts with its last value, as PHP has it.
    parameters = {name: values[-1] for name, values in request.args.lists()}
    asked = parse_search(collection, parameters)
    with services.engine.connect() as connection:
        found = search(connection, asked.query)
    modes = services.archive.mode([product.uid for product in found.items])
    links = Links.of(services.config, request)
    document = {
        "type": "FeatureCollection",
        "properties": {
            **_summary(asked, found),
            "id": _search_id(collection, asked.filters),
            "query": {
                "searchFilters": dict(asked.filters),
                "analysis": {"query": parameters.get("q", "")},
                "processingTime": round(time.perf_counter() - started, 6),
            },
            "links": _page_links(links.base + request.path, parameters, asked, found),
        },
        "features": [
            feature(product, modes.get(product.uid, _UNPLACED), links.base)
            for product in found.items
        ],
    }
    return _answer(document, request)


def feature_json(request: Request, services: Services, collection: str, uid: str) -> Response:
    """Answer with one product as a GeoJSON feature."""
    with services.engine.connect() as connection:
        product = products.get(connection, uid)
    if product is None or product.withdrawn or product.collection != collection:
        raise UnknownProductError(uid)
    mode = services.archive.mode([product.uid]).get(product.uid, _UNPLACED)
    return _answer(feature(product, mode, Links.of(services.config, request).base), request)


def _answer(document: Json, request: Request) -> Response:
    """Return a document as JSON, indented for a person who asks with ``_pretty``."""
    is_pretty = request.args.get("_pretty", "") not in ("", "0", "false")
    body = json.dumps(document, ensure_ascii=False, indent=2 if is_pretty else None)
    return Response(body, content_type=_GEOJSON)


def _summary(asked: RestoSearch, found: SearchResult) -> Json:
    return {
        "title": "",
        "totalResults": found.total,
        "exactCount": found.total_is_exact,
        "startIndex": asked.query.offset + 1,
        "itemsPerPage": len(found.items),
        "totalItemsPerPage": str(asked.query.limit),
    }


def _search_id(collection: str | None, filters: Mapping[str, str]) -> str:
    """Return the same identifier for the same search."""
    name = json.dumps([collection, dict(filters)], sort_keys=True)
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def _page_links(
    address: str, parameters: Mapping[str, str], asked: RestoSearch, found: SearchResult
) -> list[Json]:
    """Return where this page, its neighbours and both ends are."""
    limit, offset = asked.query.limit, asked.query.offset
    last = max(found.total - 1, 0) // limit * limit
    offsets = {"self": offset, "search": offset, "first": 0, "last": last}
    if offset > 0:
        offsets["previous"] = max(offset - limit, 0)
    if offset + limit < found.total:
        offsets["next"] = offset + limit
    return [
        {
            "rel": relation,
            "type": _GEOJSON,
            "title": relation,
            "href": _page_address(address, parameters, asked, start),
        }
        for relation, start in offsets.items()
    ]


def _page_address(
    address: str, parameters: Mapping[str, str], asked: RestoSearch, offset: int
) -> str:
    """Return the address of the page that starts after `offset` products."""
    limit = asked.query.limit
    others = {name: text for name, text in parameters.items() if name not in ("page", "index")}
    place = {"index": offset + 1} if offset % limit else {"page": offset // limit + 1}
    return f"{address}?{urlencode({**others, 'maxRecords': limit, **place})}"
