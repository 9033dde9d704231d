"""The landing page, the collections, what the API conforms to and what may be asked of items."""

from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response
from werkzeug.routing import Rule

from catalog_db.catalogue.extents import CollectionExtent, collection_extents
from peps_wps.links import Links
from peps_wps.services import Services
from peps_wps.web.json_answer import json_answer
from peps_wps.web.stac.item import GEOJSON, STAC_VERSION
from peps_wps.web.stac.openapi import openapi, service_page
from peps_wps.web.stac.search import check_collection
from peps_wps.web.stac.vocabulary import MISSIONS, PLATFORMS, QUERYABLES

Json = dict[str, Any]

JSON = "application/json"
_SCHEMA = "application/schema+json"
_OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_HTML = "text/html"
_QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_LICENCE = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"

CONFORMANCE = (
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#fields",
    "https://api.stacspec.org/v1.0.0/item-search#query",
    "https://api.stacspec.org/v1.0.0/item-search#sort",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#fields",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#query",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#sort",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
)
# Title and description of each collection.
_COLLECTIONS = {
    "S1": ("Sentinel-1", "Radar images in C band: SLC, GRD, OCN and RAW of all modes."),
    "S2": ("Sentinel-2, until 5 December 2016", "Optical images, products of many tiles."),
    "S2ST": ("Sentinel-2, since 6 December 2016", "Optical images, one tile a product."),
    "S3": ("Sentinel-3", "Oceans and land."),
}


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    endpoints: dict[str, Callable[..., Response]] = {
        "/stac": landing,
        "/stac/conformance": conformance,
        "/stac/api": api,
        "/stac/api.html": api_page,
        "/stac/queryables": queryables,
        "/stac/collections": collections,
        "/stac/collections/<collection>": one_collection,
        "/stac/collections/<collection>/queryables": queryables,
    }
    return [
        Rule(path, endpoint=endpoint, methods=["GET"], strict_slashes=False)
        for path, endpoint in endpoints.items()
    ]


def landing(request: Request, services: Services) -> Response:
    """Answer with the catalogue: where everything is, and what it conforms to."""
    root = Links.of(services.config, request).base + "/stac"
    search = f"{root}/search"
    document = {
        "type": "Catalog",
        "id": "peps",
        "stac_version": STAC_VERSION,
        "title": services.config.portal.title,
        "description": services.config.metadata.identification_abstract,
        "conformsTo": CONFORMANCE,
        "links": [
            _link("self", root),
            _link("root", root),
            _link("data", f"{root}/collections"),
            _link("conformance", f"{root}/conformance"),
            _link("service-desc", f"{root}/api", _OPENAPI),
            _link("service-doc", f"{root}/api.html", _HTML),
            {**_link("search", search, GEOJSON), "method": "GET"},
            {**_link("search", search, GEOJSON), "method": "POST"},
            _link(_QUERYABLES_REL, f"{root}/queryables", _SCHEMA),
            *(
                {**_link("child", f"{root}/collections/{name}"), "title": title}
                for name, (title, _) in _COLLECTIONS.items()
            ),
        ],
    }
    return json_answer(document, JSON)


def conformance(_request: Request, _services: Services) -> Response:
    """Answer with what the API conforms to."""
    return json_answer({"conformsTo": CONFORMANCE}, JSON)


def api(request: Request, services: Services) -> Response:
    """Answer with the OpenAPI description."""
    root = Links.of(services.config, request).base + "/stac"
    return json_answer(openapi(root, services.config.portal.title), _OPENAPI)


def api_page(request: Request, services: Services) -> Response:
    """Answer with the description for a person."""
    root = Links.of(services.config, request).base + "/stac"
    page = service_page(openapi(root, services.config.portal.title))
    return Response(page, content_type="text/html; charset=utf-8")


def queryables(request: Request, services: Services, collection: str | None = None) -> Response:
    """Answer with the properties that a filter may ask of, as a JSON schema."""
    if collection is not None:
        check_collection(collection)
    address = Links.of(services.config, request).base + request.path.rstrip("/")
    document = {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": address,
        "type": "object",
        "title": "What a filter may ask of items",
        "properties": {
            "geometry": {"$ref": "https://geojson.org/schema/Geometry.json"},
            **{name: known.schema() for name, known in QUERYABLES.items()},
        },
        "additionalProperties": False,
    }
    return json_answer(document, _SCHEMA)


def collections(request: Request, services: Services) -> Response:
    """Answer with all collections."""
    root = Links.of(services.config, request).base + "/stac"
    found = _extents(services)
    document = {
        "collections": [_collection(name, found.get(name), root) for name in _COLLECTIONS],
        "links": [_link("self", f"{root}/collections"), _link("root", root)],
    }
    return json_answer(document, JSON)


def one_collection(request: Request, services: Services, collection: str) -> Response:
    """Answer with one collection."""
    check_collection(collection)
    root = Links.of(services.config, request).base + "/stac"
    return json_answer(_collection(collection, _extents(services).get(collection), root), JSON)


def _extents(services: Services) -> dict[str, CollectionExtent]:
    with services.engine.connect() as connection:
        return collection_extents(connection)


def _collection(name: str, extent: CollectionExtent | None, root: str) -> Json:
    title, description = _COLLECTIONS[name]
    address = f"{root}/collections/{name}"
    first = None if extent is None else f"{extent.first_day.isoformat()}T00:00:00Z"
    document: Json = {
        "type": "Collection",
        "id": name,
        "stac_version": STAC_VERSION,
        "title": title,
        "description": description,
        "keywords": ["Copernicus", MISSIONS[name]],
        "license": "other",
        "providers": [
            {
                "name": "ESA",
                "roles": ["producer", "licensor"],
                "url": "https://sentinels.copernicus.eu",
            },
            {"name": "PEPS", "roles": ["host"], "url": root.removesuffix("/stac")},
        ],
        "extent": {
            "spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]]},
            "temporal": {"interval": [[first, None]]},
        },
        "links": [
            _link("self", address),
            _link("root", root),
            _link("parent", root),
            _link("items", f"{address}/items", GEOJSON),
            _link(_QUERYABLES_REL, f"{address}/queryables", _SCHEMA),
            _link("license", _LICENCE, _HTML),
        ],
    }
    if extent is not None:
        document["summaries"] = {
            "constellation": [MISSIONS[name]],
            "platform": [PLATFORMS.get(one, one.lower()) for one in extent.platforms],
            "product:type": list(extent.product_types),
        }
    return document


def _link(relation: str, href: str, media_type: str = JSON) -> Json:
    return {"rel": relation, "type": media_type, "href": href}
