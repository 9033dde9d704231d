"""The old hub software, as its clients ask it: OpenSearch (Solr) in JSON, and OData version 2."""

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import shapely
from werkzeug.exceptions import NotFound, Unauthorized
from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from tests.mirror.hub_products import HubProduct

if TYPE_CHECKING:
    from tests.mirror.fake_hub import FakeHub

RULES = (
    Rule("/dhus/search", endpoint="search"),
    Rule("/dhus/odata/v1/Products('<product_id>')", endpoint="describe"),
    Rule("/dhus/odata/v1/Products('<product_id>')/Online/$value", endpoint="is_online"),
    Rule("/dhus/odata/v1/Products('<product_id>')/$value", endpoint="send_file"),
)
_WORD = re.compile(r'(\w+):("[^"]*"|\[[^\]]*\]|\S+)')


def search(hub: "FakeHub", request: Request) -> Response:
    _check(request)
    found = [one for one in hub.products.values() if _matches(one, request.args["q"])]
    found.sort(key=lambda one: (one.published, one.id), reverse=True)
    start, rows = (request.args.get(name, 0, int) for name in ("start", "rows"))
    feed: dict[str, Any] = {"opensearch:totalResults": str(len(found))}
    entries = [_entry(request, one) for one in found[start : start + rows]]
    if entries:
        # A single entry is no list, as the hub had it.
        feed["entry"] = entries[0] if len(entries) == 1 else entries
    return _document({"feed": feed})


def describe(hub: "FakeHub", request: Request, product_id: str) -> Response:
    _check(request)
    product = _product(hub, product_id)
    ring = shapely.get_coordinates(shapely.from_wkt(product.footprint))
    coordinates = " ".join(f"{latitude},{longitude}" for longitude, latitude in ring)
    gml = (
        '<gml:Polygon xmlns:gml="http://www.opengis.net/gml"><gml:outerBoundaryIs>'
        f"<gml:LinearRing><gml:coordinates>{coordinates}</gml:coordinates></gml:LinearRing>"
        "</gml:outerBoundaryIs></gml:Polygon>"
    )
    root = f"{request.host_url}dhus/odata/v1/Products('{product.id}')"
    return _document(
        {
            "d": {
                "__metadata": {"media_src": f"{root}/$value"},
                "Id": product.id,
                "Name": product.title,
                "ContentLength": str(len(product.content)),
                "Checksum": {"Algorithm": "MD5", "Value": product.checksum.upper()},
                "ContentDate": {"Start": _date(product.start), "End": _date(product.end)},
                "ContentGeometry": gml,
                "Online": True,
                "CreationDate": _date(product.published),
                "IngestionDate": _date(product.published),
                "Attributes": {"__deferred": {"uri": f"{root}/Attributes"}},
            }
        }
    )


def is_online(hub: "FakeHub", request: Request, product_id: str) -> Response:
    _check(request)
    _product(hub, product_id)
    return Response("true", mimetype="text/plain")


def send_file(hub: "FakeHub", request: Request, product_id: str) -> Response:
    _check(request)
    return hub.send(request, _product(hub, product_id))


def _check(request: Request) -> None:
    from tests.mirror.fake_hub import PASSWORD, USER

    given = request.authorization
    if given is None or (given.username, given.password) != (USER, PASSWORD):
        raise Unauthorized


def _product(hub: "FakeHub", product_id: str) -> HubProduct:
    if product_id not in hub.products:
        raise NotFound
    return hub.products[product_id]


def _matches(product: HubProduct, query: str) -> bool:
    words = {key.lower(): value.strip('"') for key, value in _WORD.findall(query)}
    texts = {
        "identifier": product.title,
        "filename": product.name,
        "platformname": product.collection.title(),
        "producttype": product.attributes.get("productType"),
    }
    times = {"beginposition": product.start, "ingestiondate": product.published}
    for key, value in words.items():
        if key in times:
            begin, end = (_instant(text) for text in value.strip("[]").split(" TO "))
            holds = (begin is None or begin <= times[key]) and (end is None or times[key] <= end)
        elif key == "footprint":
            area = shapely.from_wkt(value.removeprefix("Intersects(").removesuffix(")"))
            holds = bool(area.intersects(shapely.from_wkt(product.footprint)))
        else:
            holds = texts.get(key) == value
        if not holds:
            return False
    return True


def _instant(text: str) -> datetime | None:
    text = text.strip('"')
    if text == "NOW":
        return datetime.now(UTC)
    return None if text == "*" else datetime.fromisoformat(text)


def _entry(request: Request, product: HubProduct) -> dict[str, Any]:
    root = f"{request.host_url}dhus/odata/v1/Products('{product.id}')"
    return {
        "id": product.id,
        "title": product.title,
        "link": [{"href": f"{root}/$value"}],
        "str": [
            {"name": "identifier", "content": product.title},
            {"name": "footprint", "content": product.footprint},
            {"name": "size", "content": f"{len(product.content) / 2**20:.2f} MB"},
        ],
        "date": [
            {"name": "ingestiondate", "content": _written(product.published)},
            {"name": "beginposition", "content": _written(product.start)},
        ],
    }


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _date(instant: datetime) -> str:
    return f"/Date({int(instant.timestamp() * 1000)})/"


def _document(value: object) -> Response:
    return Response(json.dumps(value), mimetype="application/json")
