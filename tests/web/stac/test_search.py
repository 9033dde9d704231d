"""What a STAC search finds, checked product by product."""

import json
from datetime import timedelta

import pytest
import shapely
from werkzeug.test import Client

from tests.web.catalogue_world import FIRST

SEARCH = "/stac/search"


def instant(hours: float) -> str:
    return f"{FIRST + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def titles(stored, condition) -> list[str]:
    return [product.title for product in stored if condition(product)]


def test_everything_is_found_latest_first(ids, stored):
    assert ids() == ids({}) == titles(stored, lambda _: True)


@pytest.mark.parametrize("box", [[3.0, 42.5, 3.2, 42.6], [3.0, 42.5, 0, 3.2, 42.6, 5000]])
def test_a_box_is_met_with_and_without_heights(ids, stored, box):
    region = shapely.box(3.0, 42.5, 3.2, 42.6)
    expected = titles(stored, lambda product: product.footprint.intersects(region))

    assert 0 < len(expected) < 60
    assert ids({"bbox": box}) == ids(bbox=",".join(map(str, box))) == expected


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(3.1, 43),
        shapely.LineString([(0, 43), (2, 43)]),
        shapely.Polygon([(3, 42), (4, 42), (3.5, 44)]),
        shapely.MultiPoint([(1, 43), (8, 43)]),
        shapely.GeometryCollection([shapely.Point(1, 43), shapely.box(8, 43, 9, 44)]),
    ],
)
def test_any_geometry_is_met(ids, stored, shape):
    document = shapely.geometry.mapping(shape)
    expected = titles(stored, lambda product: product.footprint.intersects(shape))

    assert ids({"intersects": document}) == ids(intersects=json.dumps(document)) == expected


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        (f"{instant(7)}", 7, 7),
        (f"{instant(7)}/{instant(20)}", 7, 20),
        (f"{instant(7)}/..", 7, 99),
        (f"../{instant(20)}", -1, 20),
        (f"/{instant(20)}", -1, 20),
        ("2021-08-10T02:39:53+02:00/2021-08-10T13:39:53.000000000Z", 7, 20),
    ],
)
def test_times_are_bounds_of_the_start_that_belong_to_it(ids, stored, text, first, last):
    low, high = (FIRST + timedelta(hours=hours) for hours in (first, last))
    expected = titles(stored, lambda product: low <= product.start <= high)

    assert ids(datetime=text) == ids({"datetime": text}) == expected


def test_collections_and_identifiers_limit_each_other(ids, stored):
    radar = titles(stored, lambda product: product.collection == "S1")
    by_title, by_uid = stored[0], stored[1]
    names = [by_title.title, by_uid.uid]

    assert ids(collections="S1") == ids({"collections": ["S1"]}) == radar
    assert ids(ids=",".join(names)) == ids({"ids": names}) == [by_title.title, by_uid.title]
    assert ids(ids=",".join(names), collections="S1") == [by_uid.title]
    assert ids({"ids": [by_title.title], "bbox": [100, 0, 101, 1]}) == []


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("datetime", lambda product: product.start),
        ("id", lambda product: product.title),
        ("properties.created", lambda product: product.published),
    ],
)
def test_items_come_in_the_order_asked_for(ids, stored, field, key):
    rising = [product.title for product in sorted(stored, key=key)]

    assert ids(sortby=field) == ids({"sortby": [{"field": field}]}) == rising
    assert ids(sortby=f"-{field}") == rising[::-1]
    assert ids({"sortby": [{"field": field, "direction": "desc"}]}) == rising[::-1]


@pytest.mark.parametrize("order", ["datetime", "-datetime"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_follow_each_other_forwards_and_backwards(client: Client, stored, method, order):
    def follow(link):
        if method == "GET":
            return client.get(link["href"]).json
        assert link["merge"]
        return client.post(link["href"], json={**document, **link["body"]}).json

    def turn(page, relation):
        return next((one for one in page["links"] if one["rel"] == relation), None)

    direction = "desc" if order.startswith("-") else "asc"
    document = {"limit": 13, "sortby": [{"field": "datetime", "direction": direction}]}
    if method == "GET":
        page = client.get(SEARCH, query_string={"limit": 13, "sortby": order}).json
    else:
        page = client.post(SEARCH, json=document).json
    pages = [page]
    while link := turn(pages[-1], "next"):
        pages.append(follow(link))

    expected = [product.title for product in stored][:: 1 if direction == "desc" else -1]
    assert [item["id"] for page in pages for item in page["features"]] == expected
    assert turn(pages[0], "prev") is None
    back = [pages[-1]]
    while link := turn(back[-1], "prev"):
        back.append(follow(link))
    assert [page["features"] for page in back[::-1]] == [page["features"] for page in pages]
    assert {page["numberMatched"] for page in (*pages, *back)} == {60}


def test_a_collection_gives_its_items_by_the_same_parameters(client: Client, stored):
    answer = client.get(
        "/stac/collections/S2ST/items",
        query_string={"limit": 3, "bbox": "1,42,30,44", "filter": "eo:cloud_cover > 20"},
    )
    expected = titles(stored, lambda product: (product.cloud_cover or 0) > 20)

    assert [item["id"] for item in answer.json["features"]] == expected[:3]
    assert answer.json["numberMatched"] == len(expected)
    assert answer.json["context"] == {"returned": 3, "limit": 3, "matched": len(expected)}
    assert answer.json["peps:matched_is_exact"] is True
    (following,) = (one["href"] for one in answer.json["links"] if one["rel"] == "next")
    assert [one["id"] for one in client.get(following).json["features"]] == expected[3:6]


def test_an_item_has_an_address_by_title_and_by_uid(client: Client, stored):
    product = stored[0]
    path = f"/stac/collections/{product.collection}/items"
    item = client.get(f"{path}/{product.title}").json

    assert item["id"] == product.title
    assert client.get(f"{path}/{product.uid}").json == item
    assert client.get(f"/stac/collections/S3/items/{product.title}").status_code == 404
    assert client.get(f"{path}/unknown").status_code == 404


def test_a_limit_above_the_largest_counts_as_the_largest(client: Client):
    assert client.get(SEARCH, query_string={"limit": 1_000_000}).json["context"]["limit"] == 500


def test_fields_keep_what_is_named_and_what_identifies(client: Client):
    def members(**parameters):
        (item,) = client.get(SEARCH, query_string={"limit": 1, **parameters}).json["features"]
        return item

    identity = {"type", "stac_version", "id", "collection"}
    assert members(fields="bbox").keys() == {*identity, "bbox"}
    assert members(fields="properties.platform")["properties"] == {"platform": "sentinel-2a"}
    assert members(fields="-assets,-links").keys() >= {*identity, "geometry", "properties"}
    assert not {"assets", "links"} & members(fields="-assets,-links").keys()
    assert "platform" not in members(fields="-properties.platform")["properties"]
    assert members(fields="")["properties"].keys() == {"datetime"}
    nested = members(fields="-properties,properties.platform")
    assert nested["properties"] == {"platform": "sentinel-2a"}
    assert members(fields="-id").keys() >= identity


def test_links_and_self_take_the_address_of_the_request(client: Client):
    page = client.get(SEARCH, base_url="http://peps.example.org:8080").json
    hrefs = [link["href"] for link in page["links"]] + [
        link["href"] for item in page["features"] for link in item["links"]
    ]

    assert all(href.startswith("http://peps.example.org:8080/") for href in hrefs)
