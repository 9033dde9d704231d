"""The OpenAPI 3.0 description of the STAC API, and the same for a person to read."""

from collections.abc import Mapping
from html import escape
from typing import Any

from peps_wps.web.stac.requests import MOST_ITEMS, SORTABLE, USUAL_ITEMS

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_OBJECT: Json = {"type": "object"}
_LIMIT: Json = {
    "type": "integer",
    "minimum": 1,
    "maximum": MOST_ITEMS,
    "default": USUAL_ITEMS,
    "description": "More than the maximum counts as the maximum.",
}
_BBOX: Json = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 6,
    "description": "west, south, east, north; or with heights, which do not count",
}
# Name -> schema of a parameter of GET, and whether a list is written with commas.
_PARAMETERS: Mapping[str, Json] = {
    "collections": _TEXTS,
    "ids": {**_TEXTS, "description": "Titles of products, or resto identifiers."},
    "bbox": _BBOX,
    "intersects": {**_TEXT, "description": "GeoJSON geometry; not together with bbox."},
    "datetime": {**_TEXT, "description": "RFC 3339 instant or interval; an open end is '..'."},
    "limit": _LIMIT,
    "token": {**_TEXT, "description": "Of a next or prev link."},
    "sortby": {
        **_TEXT,
        "description": f"One of {', '.join(SORTABLE)}; '-' before it for descending.",
    },
    "fields": {**_TEXT, "description": "Members to include, or '-' and members to leave out."},
    "query": {**_TEXT, "description": "JSON of the query extension."},
    "filter": {**_TEXT, "description": "CQL2."},
    "filter-lang": {"type": "string", "enum": ["cql2-text", "cql2-json"]},
    "filter-crs": _TEXT,
}
_ITEMS_ONLY = ("collections", "ids", "intersects")
_BODY: Json = {
    "type": "object",
    "properties": {
        **_PARAMETERS,
        "intersects": {**_OBJECT, "description": "GeoJSON geometry; not together with bbox."},
        "sortby": {
            "type": "array",
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["field"],
                "properties": {
                    "field": _TEXT,
                    "direction": {"type": "string", "enum": ["asc", "desc"]},
                },
            },
        },
        "fields": {"type": "object", "properties": {"include": _TEXTS, "exclude": _TEXTS}},
        "query": _OBJECT,
        "filter": {"description": "CQL2 JSON, or text with filter-lang cql2-text."},
    },
    "additionalProperties": False,
}


def openapi(root: str, title: str) -> Json:
    """Return the description.

    Parameters
    ----------
    root
        Address of the landing page.
    title
        Of the service.
    """
    collection, item = _in_path("collectionId"), _in_path("itemId")
    searched = _answered("A page of items", "application/geo+json")
    some = [name for name in _PARAMETERS if name not in _ITEMS_ONLY]
    return {
        "openapi": "3.0.3",
        "info": {"title": f"{title}: STAC API", "version": "1.0.0"},
        "servers": [{"url": root}],
        "paths": {
            "/": _get("Landing page", _answered("The catalogue")),
            "/api": _get("This description", _answered("OpenAPI 3.0", _OPENAPI)),
            "/conformance": _get("Conformance classes", _answered("Their addresses")),
            "/queryables": _get("What a filter may ask of", _answered("JSON schema", _SCHEMA)),
            "/collections": _get("Collections", _answered("All collections")),
            "/collections/{collectionId}": _get(
                "Collection", _answered("A collection"), [collection]
            ),
            "/collections/{collectionId}/queryables": _get(
                "What a filter may ask of", _answered("JSON schema", _SCHEMA), [collection]
            ),
            "/collections/{collectionId}/items": _get(
                "Items of a collection", searched, [collection, *map(_in_query, some)]
            ),
            "/collections/{collectionId}/items/{itemId}": _get(
                "Item", _answered("An item", "application/geo+json"), [collection, item]
            ),
            "/search": {
                **_get("Search", searched, [_in_query(name) for name in _PARAMETERS]),
                "post": {
                    "summary": "Search",
                    "requestBody": {"content": {"application/json": {"schema": _BODY}}},
                    "responses": searched,
                },
            },
        },
    }


def service_page(description: Json) -> str:
    """Return the description as a page."""
    rows = [
        f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(operation['summary'])}</td>"
        f"<td>{escape(', '.join(one['name'] for one in operation.get('parameters', [])))}</td></tr>"
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]
    title = escape(description["info"]["title"])
    root = escape(description["servers"][0]["url"])
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<h1>{title}</h1>\n<p>Below <code>{root}</code>; "
        f'<a href="{root}/api">OpenAPI description</a>.</p>\n<table>\n'
        "<tr><th>method<th>path<th>what<th>parameters</tr>\n"
        + "\n".join(rows)
        + "\n</table>\n</html>\n"
    )


def _get(summary: str, responses: Json, parameters: list[Json] | None = None) -> Json:
    operation: Json = {"summary": summary, "responses": responses}
    if parameters:
        operation["parameters"] = parameters
    return {"get": operation}


def _answered(description: str, media_type: str = "application/json") -> Json:
    problem = {"schema": _OBJECT}
    return {
        "200": {"description": description, "content": {media_type: {"schema": _OBJECT}}},
        "default": {
            "description": "A problem (RFC 7807)",
            "content": {"application/problem+json": problem, "application/json": problem},
        },
    }


def _in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


def _in_query(name: str) -> Json:
    schema = dict(_PARAMETERS[name])
    parameter: Json = {"name": name, "in": "query", "required": False}
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": False}
    return {**parameter, "schema": schema}


_OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_SCHEMA = "application/schema+json"
