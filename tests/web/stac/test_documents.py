"""STAC documents against the schemas of the core and the extensions."""

import json

import orjson
import pystac
import pytest
import shapely
from pystac.extensions.eo import EOExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.grid import GridExtension
from pystac.extensions.mgrs import MgrsExtension
from pystac.extensions.sar import SarExtension
from pystac.extensions.sat import SatExtension
from pystac.extensions.view import ViewExtension
from werkzeug.test import Client

from catalog_db.catalogue import products
from peps_wps.web.stac.item import bbox, items
from tests.catalog_db.test_products import grd
from tests.web.stac import extension_rules
from tests.web.stac.extension_rules import validate


def item_of(product) -> dict[str, object]:
    (item,) = items([product], ["tape"], "https://peps.example.org")
    return json.loads(orjson.dumps(item))


def test_every_item_is_valid(client: Client):
    for item in client.get("/stac/search?limit=500").json["features"]:
        validate(item)


@pytest.mark.parametrize(
    "path", ["/stac", "/stac/", "/stac/collections/S1", "/stac/collections/S2ST"]
)
def test_catalogue_and_collections_are_valid(client: Client, path):
    validate(client.get(path).json)


def test_collections_say_what_they_hold(client: Client):
    found = {one["id"]: one for one in client.get("/stac/collections").json["collections"]}

    assert list(found) == ["S1", "S2", "S2ST", "S3"]
    assert found["S1"]["summaries"]["platform"] == ["sentinel-1a", "sentinel-1b"]
    assert found["S1"]["extent"]["temporal"]["interval"] == [["2021-08-09T00:00:00Z", None]]
    assert found["S3"]["extent"]["temporal"]["interval"] == [[None, None]]
    assert found["S1"] == client.get("/stac/collections/S1").json
    for one in found.values():
        validate(one)


@pytest.mark.parametrize(
    "changes",
    [
        {"sensor_mode": None},
        {"polarization": None},
        {"polarization": "XX"},
        {"orbit_number": None, "relative_orbit": None, "orbit_direction": None},
        {"collection": "S3", "platform": "S3A"},
        {"checksum": None},
        {"checksum": "ab" * 16},
        {"checksum": "ab" * 32},
        {"processing_level": "LEVEL9"},
        {"platform": "S1Z"},
        {"size_bytes": 0},
        {"properties": {"quicklook": "https://peps.example.org/a.png", "sunElevation": "high"}},
    ],
)
def test_items_of_products_that_lack_something_are_valid(changes):
    validate(item_of(grd(**changes)))


def test_a_radar_item_reads_back_through_pystac(stored, client: Client):
    product = next(one for one in stored if one.polarization == "VV VH")
    item = pystac.Item.from_dict(client.get(f"/stac/collections/S1/items/{product.title}").json)

    assert item.datetime == product.start
    assert SarExtension.ext(item).polarizations == ["VV", "VH"]
    assert SarExtension.ext(item).instrument_mode == "IW"
    assert SatExtension.ext(item).relative_orbit == product.relative_orbit
    assert SatExtension.ext(item).orbit_state == product.orbit_direction
    file = FileExtension.ext(item.assets["product"])
    assert file.size == product.size_bytes
    # Multihash: SHA-256 is 0x12, of 0x20 bytes.
    assert file.checksum == "1220" + product.checksum
    assert item.assets["product"].href.endswith(f"/resto/collections/S1/{product.uid}/download")


def test_an_optical_item_reads_back_through_pystac(stored, client: Client):
    product = next(one for one in stored if one.collection == "S2ST")
    item = pystac.Item.from_dict(client.get(f"/stac/collections/S2ST/items/{product.title}").json)

    assert EOExtension.ext(item).cloud_cover == product.cloud_cover
    assert GridExtension.ext(item).code == "MGRS-31TCJ"
    assert MgrsExtension.ext(item).grid_square == "CJ"
    assert ViewExtension.ext(item).sun_elevation == 55.5
    # Multihash: MD5 is the varint 0xd5 0x01, of 0x10 bytes.
    assert FileExtension.ext(item.assets["product"]).checksum == "d50110" + product.checksum
    assert item.assets["thumbnail"].href == product.properties["quicklook"]


def test_the_place_of_the_file_is_told(world, client: Client):
    uid = world.add("S1A_ON_DISK", b"PK disk", tier="disk")
    item = client.get(f"/stac/collections/S1/items/{uid}").json

    assert item["properties"]["order:status"] == "succeeded"
    assert item["assets"]["product"]["storage:refs"] == ["disk"]
    validate(item)
    with world.engine.begin() as connection:
        products.withdraw(connection, uid)
    assert client.get(f"/stac/collections/S1/items/{uid}").status_code == 404


@pytest.mark.parametrize(
    ("footprint", "expected"),
    [
        (shapely.box(1, 2, 3, 4), [1, 2, 3, 4]),
        (
            shapely.MultiPolygon([shapely.box(179, -1, 180, 1), shapely.box(-180, -1, -178, 1)]),
            [179, -1, -178, 1],
        ),
        (shapely.box(-180, 80, 180, 90), [-180, 80, 180, 90]),
    ],
)
def test_a_box_over_the_antimeridian_ends_west_of_where_it_begins(footprint, expected):
    assert bbox(footprint) == expected


def test_the_rules_find_what_is_wrong():
    right = item_of(grd())
    wrong = [
        {"sat:relative_orbit": 0},
        {"sar:polarizations": []},
        {"sat:unheard_of": 1},
        {"order:status": "lost"},
        {"datetime": "yesterday"},
    ]
    for changes in wrong:
        item = {**right, "properties": {**right["properties"], **changes}}
        with pytest.raises(pystac.errors.STACValidationError):
            extension_rules.validate(item)


def test_the_description_names_every_address(client: Client):
    answer = client.get("/stac/api")

    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    description = json.loads(answer.data)
    for path in description["paths"]:
        real = path.replace("{collectionId}", "S1").replace("{itemId}", "unknown")
        found = client.get("/stac" + real)
        assert found.status_code == (404 if "{itemId}" in path else 200), path
    assert client.get("/stac/api.html").mimetype == "text/html"


def test_queryables_are_those_that_filters_take(client: Client):
    answer = client.get("/stac/queryables")

    assert answer.mimetype == "application/schema+json"
    schema = json.loads(answer.data)
    assert schema["$id"] == "http://localhost/stac/queryables"
    for name, described in schema["properties"].items():
        if name == "geometry":
            continue
        value = "1" if described["type"] in ("number", "integer") else "'MGRS-31TCJ'"
        value = "TIMESTAMP('2021-01-01T00:00:00Z')" if "format" in described else value
        found = client.get("/stac/search", query_string={"filter": f"{name} = {value}"})
        assert found.status_code == 200, name
