import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from werkzeug.test import Client

from catalog_db.catalogue import products
from peps_wps.app import Application
from peps_wps.resto.parameters import PARAMETERS
from peps_wps.services import Services
from peps_wps.web import download, resto
from tests.archive_world import ArchiveWorld
from tests.catalog_db.test_products import START, grd

SEARCH = "/resto/api/collections/S1/search.json"
TILE = "S2A_MSIL1C_20200815T005251_N0209_R002_T55PDR_20200815T023440"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path)
    yield world
    world.engine.dispose()


@pytest.fixture
def client(world: ArchiveWorld) -> Client:
    services = Services.of(world.config, world.engine)
    return Client(Application(services, [*resto.rules(), *download.rules()]))


@pytest.fixture
def slices(world: ArchiveWorld) -> list[products.Product]:
    """47 products, one an hour."""
    known = [
        grd(title=f"S1A_IW_GRDH_{number:03d}", start=START + timedelta(hours=number))
        for number in range(47)
    ]
    with world.engine.begin() as connection:
        products.insert_products(connection, known)
    return known


def links(document) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in document["properties"]["links"]}


def titles(document) -> list[str]:
    return [one["properties"]["productIdentifier"] for one in document["features"]]


def test_a_search_answers_as_peps_did(client: Client, world: ArchiveWorld):
    # Names and types after the recorded answer in CS-SI/eodag v2.12.1, peps_search.json.
    tile = grd(
        title=TILE,
        collection="S2ST",
        platform="S2A",
        product_type="S2MSI1C",
        processing_level="LEVEL1C",
        instrument="MSI",
        sensor_mode="INS-NOBS",
        mgrs_tile="55PDR",
        cloud_cover=20.5218,
        relative_orbit=2,
        orbit_number=26883,
        orbit_direction="descending",
        size_bytes=781_865_648,
        checksum="0" * 32,
        properties={"s2TakeId": "GS2A_20200815T005251_026883_N02.09"},
    )
    with world.engine.begin() as connection:
        products.insert_products(connection, [tile])

    answer = client.get(
        "/resto/api/collections/S2ST/search.json?startDate=2020-08-01&maxRecords=2"
        "&productType=S2MSI1C&cloudCover=[0,50]"
    )

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    document = answer.json
    assert document["type"] == "FeatureCollection"
    summary = document["properties"]
    assert (summary["totalResults"], summary["exactCount"]) == (1, True)
    assert (summary["startIndex"], summary["itemsPerPage"]) == (1, 1)
    assert summary["totalItemsPerPage"] == "2"
    assert summary["query"]["searchFilters"] == {
        "eo:cloudCover": "[0,50]",
        "count": "2",
        "eo:productType": "S2MSI1C",
        "time:start": "2020-08-01",
    }
    (feature,) = document["features"]
    assert feature["id"] == "01f888ef-3368-59ff-a639-52242d159d7c"
    assert shapely.geometry.shape(feature["geometry"]).equals(tile.footprint)
    found = feature["properties"]
    expected = {
        "collection": "S2ST",
        "productIdentifier": TILE,
        "title": TILE,
        "parentIdentifier": "urn:ogc:def:EOP:ESA::SENTINEL-2:",
        "organisationName": "ESA",
        "startDate": "2021-08-09T17:39:53.123456Z",
        "productType": "S2MSI1C",
        "processingLevel": "LEVEL1C",
        "platform": "S2A",
        "instrument": "MSI",
        "resolution": None,
        "sensorMode": "INS-NOBS",
        "orbitNumber": 26883,
        "relativeOrbitNumber": 2,
        "orbitDirection": "descending",
        "resourceSize": 781_865_648,
        "resourceChecksum": "0" * 32,
        "cloudCover": 20.5218,
        "snowCover": None,
        "mgrs": "55PDR",
        "s2TakeId": "GS2A_20200815T005251_026883_N02.09",
        "isNrt": 0,
        "storage": {"mode": "tape"},
    }
    assert {name: found[name] for name in expected} == expected
    assert found["services"]["download"] == {
        "url": f"http://localhost/resto/collections/S2ST/{tile.uid}/download",
        "mimeType": "application/zip",
        "size": 781_865_648,
        "checksum": "0" * 32,
    }


def test_radar_products_have_what_only_radar_has(client: Client, world: ArchiveWorld):
    product = grd(swath="IW", mission_take_id=302867, cycle_number=238)
    with world.engine.begin() as connection:
        products.insert_products(connection, [product])

    found = client.get(SEARCH).json["features"][0]["properties"]

    assert (found["swath"], found["polarisation"]) == ("IW", "VV VH")
    assert (found["missionTakeId"], found["cycleNumber"]) == (302867, 238)


def test_following_next_gives_every_product_once_latest_first(client: Client, slices):
    document = client.get(SEARCH + "?maxRecords=10&platform=S1A").json
    gathered = titles(document)
    while "next" in links(document):
        document = client.get(links(document)["next"]).json
        gathered += titles(document)

    assert gathered == [product.title for product in reversed(slices)]
    assert len(document["features"]) == 7
    assert links(document)["last"] == links(document)["self"]
    assert titles(client.get(links(document)["first"]).json) == gathered[:10]
    assert titles(client.get(links(document)["previous"]).json) == gathered[30:40]


def test_an_index_between_two_pages_keeps_its_place_in_the_links(client: Client, slices):
    expected = [product.title for product in reversed(slices)]
    document = client.get(SEARCH + "?maxRecords=10&index=6").json

    assert document["properties"]["startIndex"] == 6
    assert titles(document) == expected[5:15]
    assert titles(client.get(links(document)["next"]).json) == expected[15:25]
    assert titles(client.get(links(document)["previous"]).json) == expected[:10]


def test_the_same_search_has_the_same_identifier(client: Client, slices):
    def identifier(query: str) -> str:
        return client.get(SEARCH + query).json["properties"]["id"]

    assert identifier("?platform=S1A&box=0,40,5,45") == identifier("?box=0,40,5,45&platform=S1A")
    assert identifier("?platform=S1A") != identifier("?platform=S1B")


def test_all_collections_are_searched_together(client: Client, world: ArchiveWorld):
    with world.engine.begin() as connection:
        products.insert_products(connection, [grd(), grd(collection="S2ST", title=TILE)])

    assert client.get("/resto/api/collections/search.json").json["properties"]["totalResults"] == 2
    assert client.get(SEARCH).json["properties"]["totalResults"] == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?box=1,2,3", "Invalid geo:box"),
        ("?platform=S1A%00", "Invalid platform: it holds a null character"),
        ("?startDate=yesterday", "Invalid startDate: yesterday"),
        ("?box=0,0,1,99", "not on the Earth"),
        ("?geometry=POINT(0%2099)", "latitudes from -90 to 90"),
        ("?geometry=POLYGON%20EMPTY", "region of the search is empty"),
    ],
)
def test_a_bad_value_is_400_with_the_error_that_peps_clients_look_for(
    client: Client, query: str, message: str
):
    answer = client.get(SEARCH + query)

    assert (answer.status_code, answer.mimetype) == (400, "application/json")
    assert answer.json["ErrorCode"] == 400
    assert message in answer.json["ErrorMessage"]


def test_no_value_of_any_parameter_is_more_than_a_bad_request(client: Client, slices):
    characters = st.sampled_from("0123456789.,-+[]{}TCJ%'\"\\;:()eE \x00é😀")
    texts = st.one_of(st.text(characters, max_size=12), st.text(max_size=6))

    # One client for all examples: a search changes nothing.
    @settings(max_examples=150)
    @given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)), texts, min_size=1, max_size=4))
    def search(parameters: dict[str, str]) -> None:
        answer = client.get(SEARCH, query_string=parameters)
        assert answer.status_code in (200, 400)
        assert "ErrorCode" in answer.json or answer.json["type"] == "FeatureCollection"

    search()


def test_an_unknown_collection_is_404(client: Client):
    answer = client.get("/resto/api/collections/S7/search.json")

    assert (answer.status_code, answer.json["ErrorCode"]) == (404, 404)


def test_a_single_feature_is_the_one_of_the_search(client: Client, world: ArchiveWorld):
    uid = world.add("S1A_ON_DISK", b"PK disk", tier="disk")
    found = client.get(SEARCH).json["features"][0]
    address = urlsplit(found["properties"]["links"][0]["href"]).path

    assert client.get(address).json == found
    assert client.get(f"/resto/collections/S2/{uid}.json").status_code == 404
    with world.engine.begin() as connection:
        products.withdraw(connection, uid)
    assert client.get(address).status_code == 404


def test_what_peps_download_does_ends_with_files_of_the_announced_size(
    client: Client, world: ArchiveWorld
):
    # Its loop: search, GET what is on tape and throw the answer away, search again, download.
    world.add("S1A_ON_DISK", b"PK disk", tier="disk")
    world.add("S1A_ON_TAPE", b"PK tape and more", tier="tape")
    query = SEARCH + "?maxRecords=500&startDate=2021-08-01&box=0,42,4,45&productType=&sensorMode="

    def modes() -> dict[str, str]:
        found = client.get(query).json["features"]
        return {
            one["properties"]["productIdentifier"]: one["properties"]["storage"]["mode"]
            for one in found
        }

    assert modes() == {"S1A_ON_DISK": "disk", "S1A_ON_TAPE": "tape"}
    for one in client.get(query).json["features"]:
        if one["properties"]["storage"]["mode"] == "tape":
            address = f"/resto/collections/S1/{one['id']}/download/?issuerId=peps"
            assert client.get(address).status_code == 202
    assert modes() == {"S1A_ON_DISK": "disk", "S1A_ON_TAPE": "staging"}
    service = world.service()
    while modes()["S1A_ON_TAPE"] != "disk":
        service.run_once()
    for one in client.get(query).json["features"]:
        address = urlsplit(one["properties"]["services"]["download"]["url"]).path
        answer = client.get(address, buffered=True)
        assert len(answer.data) == one["properties"]["resourceSize"]
        assert answer.data == world.contents[one["id"]]


def test_a_feed_holds_the_same_page_as_the_json(client: Client, slices):
    page = "?maxRecords=10&page=2"
    document = client.get(SEARCH + page).json
    answer = client.get(SEARCH.replace(".json", ".atom") + page)
    feed = etree.fromstring(answer.data)
    names = {"a": "http://www.w3.org/2005/Atom", "os": "http://a9.com/-/spec/opensearch/1.1/"}

    assert answer.mimetype == "application/atom+xml"
    assert feed.findtext("os:totalResults", namespaces=names) == "47"
    assert [entry.text for entry in feed.iterfind("a:entry/a:title", names)] == titles(document)
    ids = [entry.text for entry in feed.iterfind("a:entry/a:id", names)]
    assert ids == [one["id"] for one in document["features"]]
    enclosures = feed.xpath("a:entry/a:link[@rel='enclosure']", namespaces=names)
    assert [(link.get("href"), int(link.get("length"))) for link in enclosures] == [
        (one["properties"]["services"]["download"]["url"], one["properties"]["resourceSize"])
        for one in document["features"]
    ]
    (following,) = feed.xpath("a:link[@rel='next']/@href", namespaces=names)
    assert following == links(document)["next"].replace(".json", ".atom")


def test_a_search_made_from_the_description_is_answered(client: Client, slices):
    # As an OpenSearch client does: fill what it knows, leave the rest of the template empty.
    answer = client.get(urlsplit(links(client.get(SEARCH).json)["search"]).path)
    described = etree.fromstring(answer.data)
    for url in described.iterfind("{http://a9.com/-/spec/opensearch/1.1/}Url"):
        address = url.get("template").replace("{count?}", "3").replace("{eo:platform?}", "S1A")
        page = client.get(re.sub(r"\{[A-Za-z0-9:]+\?\}", "", address))
        assert (page.status_code, page.mimetype) == (200, url.get("type"))
        assert page.data.count(b'/download"') == 3


def test_links_take_the_configured_address(world: ArchiveWorld, slices):
    server = replace(world.config.server, url="https://peps.example.org/")
    services = Services.of(replace(world.config, server=server), world.engine)
    document = Client(Application(services, resto.rules())).get(SEARCH).json

    assert links(document)["next"].startswith("https://peps.example.org/resto/api/collections/S1/")


SHOWN = {
    "plain": {},
    "fast": {"realtime": "Fast-24h", "isNrt": 1, "organisationName": "ESA"},
    "taken": {"s2TakeId": "GS2A_20200815T005251_026883_N02.09", "resolution": 10},
    "forest": {"forestCover": 60.5, "resolution": "10 m", "isNrt": 0},
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("realtime=Nominal", {"plain", "taken", "forest"}),
        ("realtime=Fast-24h", {"fast"}),
        ("realtime=F%25", {"fast"}),
        ("realtime=N%25", {"plain", "taken", "forest"}),
        ("realtime=_ast-24h%25", set()),
        ("isNrt=0", {"plain", "taken", "forest"}),
        ("isNrt=1", {"fast"}),
        ("organisationName=ESA", {"plain", "fast", "taken", "forest"}),
        ("organisationName=NASA", set()),
        ("s2TakeId=GS2A_20200815T005251_026883_N02.09", {"taken"}),
        ("s2TakeId=unknown", set()),
        ("resolution=10", {"taken"}),
        ("resolution=[5,10]", {"taken"}),
        ("resolution=[5,10[", set()),
        ("forestCover=]60,100]", {"forest"}),
        ("forestCover=[0", {"forest"}),
        ("waterCover=[0,100]", set()),
        ("lang=fr&_pretty=1&unheardOf=1", {"plain", "fast", "taken", "forest"}),
    ],
)
def test_what_products_only_show_can_be_asked_of(client, world, query, found):
    known = [
        grd(title=title, platform="S2A", orbit_number=26883, properties=properties)
        for title, properties in SHOWN.items()
    ]
    with world.engine.begin() as connection:
        products.insert_products(connection, known)

    assert set(titles(client.get(f"{SEARCH}?{query}").json)) == found


def test_keywords_lead_to_the_products_of_their_group(client: Client, slices):
    (first, *_) = client.get(SEARCH).json["features"]
    words = {word["type"]: word for word in first["properties"]["keywords"].values()}

    assert words["platform"]["name"] == "S1A"
    for word in words.values():
        address = urlsplit(word["href"])
        found = client.get(f"{address.path}?{address.query}").json
        assert found["properties"]["totalResults"] == 47
