"""What a STAC search asks, from the parameters of a GET or the document of a POST.

A GET is first written as the document that a POST would have sent, so both mean the same.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug import Request
from werkzeug.datastructures import MultiDict

from catalog_db.catalogue.query import SearchQuery, SortKey
from peps_wps.resto.query import PARENT_IDENTIFIERS
from peps_wps.web import json_body
from peps_wps.web.problem import ProblemError
from peps_wps.web.stac import selection
from peps_wps.web.stac.filtering import (
    CQL2_JSON,
    CQL2_TEXT,
    Filter,
    read_json,
    read_query,
    read_text,
)
from peps_wps.web.stac.instants import read_interval
from peps_wps.web.stac.narrowing import narrowed
from peps_wps.web.stac.regions import bbox_region, geojson_region
from peps_wps.web.stac.selection import Selection

Json = dict[str, Any]

MOST_ITEMS = 500
USUAL_ITEMS = 20
_MOST_IDS = 500
# A region of the most vertices that a search takes, and room to spare.
_MOST_BYTES = 500_000
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
MEMBERS = (
    "collections",
    "ids",
    "bbox",
    "intersects",
    "datetime",
    "limit",
    "token",
    "sortby",
    "fields",
    "query",
    "filter",
    "filter-lang",
    "filter-crs",
)
# STAC's name -> field of the catalogue by which pages can be put in order.
SORTABLE = {
    "datetime": "start",
    "start_datetime": "start",
    "id": "title",
    "created": "published",
    "updated": "updated",
    "end_datetime": "end",
    "eo:cloud_cover": "cloud_cover",
    "eo:snow_cover": "snow_cover",
}
_FORWARD, _BACKWARD = "next:", "prev:"


@dataclass(frozen=True)
class ItemSearch:
    """A search as a client asked for it.

    Parameters
    ----------
    query
        What the catalogue is asked; its order is turned round when the page before is wanted.
    selection
        Which members of the items are wanted; None for all.
    is_backward
        The page before a known one is wanted: it comes out of the catalogue last item first.
    """

    query: SearchQuery
    selection: Selection | None
    is_backward: bool


def forward_token(cursor: str) -> str:
    """Return the token of the page after one."""
    return _FORWARD + cursor


def backward_token(cursor: str) -> str:
    """Return the token of the page before one."""
    return _BACKWARD + cursor


def document_of(parameters: "MultiDict[str, str]") -> Json:
    """Return the document that says the same as the parameters of a GET.

    Raises
    ------
    ProblemError
        400 when a parameter is unknown, given twice or not readable.
    """
    document: Json = {}
    for name, values in parameters.lists():
        if name not in MEMBERS:
            raise _bad(name, f"there is no parameter {name[:40]}")
        if len(values) > 1:
            raise _bad(name, f"the parameter {name} is given twice")
        if "\0" in values[0]:
            raise _bad(name, f"the parameter {name} holds a null character")
        if values[0].strip() or name == "fields":
            document[name] = _member(name, values[0].strip())
    if "filter" in document and document.get("filter-lang", CQL2_TEXT) == CQL2_JSON:
        document["filter"] = _json("filter", document["filter"])
    elif "filter" in document:
        document.setdefault("filter-lang", CQL2_TEXT)
    return document


def _member(name: str, text: str) -> object:
    read = _READERS.get(name)
    return text if read is None else read(name, text)


def search_of(document: object, collection: str | None = None) -> ItemSearch:
    """Return the search that a document asks for.

    Parameters
    ----------
    document
        As of `document_of`, or the body of a POST.
    collection
        The only one to search, of a path.

    Raises
    ------
    ProblemError, QueryError
        When the document asks for something that is not understood.
    """
    if not isinstance(document, Mapping):
        raise ProblemError(400, "the body is a JSON object with the members of a search")
    for name in document:
        if name not in MEMBERS:
            raise _bad(name, f"there is no member {name[:40]}")
    given = {name: value for name, value in document.items() if value is not None}
    if "fields" in document and document["fields"] is None:
        raise _bad("fields", "fields is an object with include and exclude")
    query = SearchQuery(
        collections=_collections(given.get("collections"), collection),
        identifiers=_texts("ids", given.get("ids", [])),
        region=_region(given),
        limit=_limit(given.get("limit", USUAL_ITEMS)),
    )
    if "datetime" in given:
        first, last = read_interval("datetime", _text("datetime", given["datetime"]))
        query = replace(query, start_from=first, start_to=last)
    query = _ordered(query, given.get("sortby"))
    query = _filtered(query, given)
    query, is_backward = _at_page(query, given.get("token"))
    return ItemSearch(query, _selection(given.get("fields")), is_backward)


def body_of(request: Request) -> object:
    """Return the document of a POST, an empty one when nothing was sent.

    Raises
    ------
    ProblemError
        When the body is not JSON.
    RequestEntityTooLarge
        When it is larger than any search.
    """
    request.max_content_length = min(request.max_content_length or _MOST_BYTES, _MOST_BYTES)
    return json_body.read_json(request) if request.get_data().strip() else {}


def _collections(given: object, collection: str | None) -> tuple[str, ...]:
    names = _texts("collections", [given] if isinstance(given, str) else given or [])
    for name in names:
        if name not in PARENT_IDENTIFIERS:
            known = ", ".join(PARENT_IDENTIFIERS)
            raise _bad("collections", f"there is no collection {name[:40]}, expected of {known}")
    if collection is None:
        return names
    return (collection,) if not names or collection in names else ("",)


def _region(given: Mapping[str, Any]) -> Any:
    if "bbox" in given and "intersects" in given:
        raise _bad("intersects", "a search takes bbox or intersects, not both")
    if "bbox" in given:
        return bbox_region(_list("bbox", given["bbox"]))
    return geojson_region(given["intersects"]) if "intersects" in given else None


def _limit(given: object) -> int:
    is_whole = (
        isinstance(given, int | float) and not isinstance(given, bool) and given == int(given)
    )
    if not is_whole or given < 1:  # type: ignore[operator]
        raise _bad("limit", f"limit {str(given)[:40]} is no whole number from 1")
    return min(int(given), MOST_ITEMS)  # type: ignore[call-overload,no-any-return]


def _ordered(query: SearchQuery, given: object) -> SearchQuery:
    if given is None or given == []:
        return query
    keys = _list("sortby", given)
    if len(keys) != 1 or not isinstance(keys[0], Mapping):
        raise _bad("sortby", "sortby takes one field: items of one value follow in a fixed order")
    name = str(keys[0].get("field", "")).removeprefix("properties.")
    direction = keys[0].get("direction", "asc")
    if name not in SORTABLE:
        raise _bad("sortby", f"cannot sort by {name[:40]}, expected one of {', '.join(SORTABLE)}")
    if direction not in ("asc", "desc"):
        raise _bad("sortby", f"direction {str(direction)[:20]} is neither asc nor desc")
    return replace(query, sort=SortKey(SORTABLE[name], is_descending=direction == "desc"))


def _filtered(query: SearchQuery, given: Mapping[str, Any]) -> SearchQuery:
    """Return the query with what `query` and `filter` ask as well."""
    if "query" in given:
        query = narrowed(query, read_query(given["query"]).conditions)
    if "filter" not in given:
        return query
    if given.get("filter-crs", _CRS84) != _CRS84:
        raise _bad("filter-crs", f"filter-crs is {_CRS84}")
    asked = _filter(given["filter"], given.get("filter-lang", CQL2_JSON))
    if asked.region is not None and query.region is not None:
        raise _bad("filter", "a search takes one region: bbox, intersects or S_INTERSECTS")
    region = query.region if asked.region is None else asked.region
    return narrowed(replace(query, region=region), asked.conditions)


def _filter(given: object, language: object) -> Filter:
    if language == CQL2_TEXT:
        return read_text(_text("filter", given))
    if language == CQL2_JSON:
        return read_json(given)
    raise _bad("filter-lang", f"filter-lang is {CQL2_TEXT} or {CQL2_JSON}")


def _at_page(query: SearchQuery, token: object) -> tuple[SearchQuery, bool]:
    """Return the query of the page that a token means, and whether it goes backwards."""
    if token is None:
        return query, False
    text = _text("token", token)
    if text.startswith(_FORWARD):
        return replace(query, cursor=text.removeprefix(_FORWARD)), False
    if not text.startswith(_BACKWARD):
        raise _bad("token", f"{text[:40]} is no token of this catalogue")
    turned = replace(query.sort, is_descending=not query.sort.is_descending)
    return replace(query, cursor=text.removeprefix(_BACKWARD), sort=turned), True


def _selection(given: object) -> Selection | None:
    if given is None or isinstance(given, Selection):
        return given
    return selection.read_object(given)


def _sort_keys(_name: str, text: str) -> list[Json]:
    """Return the keys of a GET: ``-`` is descending; ``+``, a blank once decoded, is not."""
    return [
        {"field": key.lstrip("+-"), "direction": "desc" if key.startswith("-") else "asc"}
        for key in _words(_name, text)
    ]


def _words(_name: str, text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _texts(name: str, given: object) -> tuple[str, ...]:
    values = _list(name, given)
    if len(values) > _MOST_IDS or not all(isinstance(value, str) for value in values):
        raise _bad(name, f"{name} is a list of at most {_MOST_IDS} texts")
    return tuple(str(value) for value in values)


def _list(name: str, given: object) -> Sequence[Any]:
    if not isinstance(given, list):
        raise _bad(name, f"{name} is a list")
    return given


def _text(name: str, given: object) -> str:
    if not isinstance(given, str):
        raise _bad(name, f"{name} is a text")
    return given


def _number(name: str, text: str) -> int | float:
    try:
        value = json.loads(text) if len(text) <= 30 else None
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _bad(name, f"{name} holds {text[:40]}, expected a number")
    return value


def _json(name: str, text: str) -> Any:
    try:
        return json_body.parse_json(text.encode())
    except (ProblemError, UnicodeEncodeError) as error:
        raise _bad(name, f"{name} is no JSON") from error


def _bad(name: str, detail: str) -> ProblemError:
    return ProblemError(400, detail, locator=name[:40])


# How the text of a GET parameter becomes the member of a document; as it is where none is named.
_READERS: Mapping[str, Callable[[str, str], object]] = {
    "collections": _words,
    "ids": _words,
    "bbox": lambda name, text: [_number(name, one) for one in text.split(",")],
    "limit": _number,
    "intersects": _json,
    "query": _json,
    "sortby": _sort_keys,
    "fields": lambda _, text: selection.read_names(text),
}
