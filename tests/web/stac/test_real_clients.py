"""STAC clients of other people, unmodified, against the service as it is served."""

import json
import re
from datetime import timedelta

import pystac_client
import pytest
import shapely
from stac_api_validator.validations import QueryConfig, validate_api

from tests.web.catalogue_world import FIRST
from tests.web.stac import extension_rules

pytestmark = pytest.mark.client

# What the validator would have otherwise, and why it stays: titles of products are written in
# capitals; what names an item comes with any selection of its fields; nothing lies at 20 20.
_EXPECTED = re.compile(
    "should only contain Searchable identifiers|extra fields|bbox=20,20,21,21|summaries|title"
)
_CLASSES = [
    "core",
    "collections",
    "features",
    "item-search",
    "item-search#fields",
    "item-search#sort",
    "item-search#query",
    "filter",
]


@pytest.fixture
def client(known) -> pystac_client.Client:
    return pystac_client.Client.open(f"{known[0]}/stac")


def test_pystac_client_finds_everything_once_by_get_and_post(known, client):
    titles = [product.title for product in known[1]]
    for method in ("GET", "POST"):
        search = client.search(method=method, limit=7, max_items=1000)
        assert search.matched() == 60
        assert [item.id for item in search.items()] == titles


def test_pystac_client_filters_as_the_products_say(known, client):
    region = shapely.box(3, 42.5, 3.2, 42.6)
    when = (FIRST + timedelta(hours=10), FIRST + timedelta(hours=40))
    expected = {
        product.title
        for product in known[1]
        if product.footprint.intersects(region)
        and when[0] <= product.start <= when[1]
        and product.platform == "S1A"
        and product.relative_orbit != 60
    }
    search = client.search(
        collections=["S1"],
        intersects=region,
        datetime=when,
        filter="platform = 'sentinel-1a' AND sat:relative_orbit <> 60",
        filter_lang="cql2-text",
        method="GET",
    )

    assert expected
    assert {item.id for item in search.items()} == expected


def test_pystac_client_asks_by_query_sort_and_fields(known, client):
    expected = sorted(
        (product for product in known[1] if (product.cloud_cover or 0) > 30),
        key=lambda product: product.start,
    )
    search = client.search(
        query={"eo:cloud_cover": {"gt": 30}},
        sortby=[{"field": "properties.datetime", "direction": "asc"}],
        fields={"include": ["id", "properties.eo:cloud_cover", "links"]},
        limit=5,
    )
    found = list(search.items_as_dicts())

    assert [item["id"] for item in found] == [product.title for product in expected]
    assert [item["properties"] for item in found] == [
        {"eo:cloud_cover": product.cloud_cover} for product in expected
    ]


def test_pystac_client_walks_the_collections(client):
    assert [one.id for one in client.get_collections()] == ["S1", "S2", "S2ST", "S3"]
    item = next(client.get_collection("S2ST").get_items())
    assert client.get_collection("S2ST").get_item(item.id).id == item.id
    assert "eo:cloud_cover" in client.get_queryables()["properties"]


# Its own use of pystac: deprecated calls.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_stac_api_validator_finds_nothing_wrong(known, monkeypatch):
    extension_rules.without_network(monkeypatch)
    warnings, errors = validate_api(
        root_url=f"{known[0]}/stac",
        ccs_to_validate=_CLASSES,
        collection="S2ST",
        geometry=json.dumps(shapely.geometry.mapping(shapely.box(1, 42, 9, 44))),
        auth_bearer_token=None,
        auth_query_parameter=None,
        fields_nested_property="properties.eo:cloud_cover",
        validate_pagination=True,
        query_config=QueryConfig(
            query_comparison_field="eo:cloud_cover",
            query_eq_value="20",
            query_neq_value="20",
            query_lt_value="20",
            query_lte_value="20",
            query_gt_value="20",
            query_gte_value="20",
            query_substring_field="platform",
            query_starts_with_value="sent",
            query_ends_with_value="2a",
            query_contains_value="nel",
            query_in_field="platform",
            # It takes the text that is found for a list: of its letters.
            query_in_values="sentinel-2a,s",
        ),
        transaction_collection=None,
        headers={},
        open_assets_urls=False,
    )

    assert errors.as_list() == []
    assert [text for text in warnings.as_list() if not _EXPECTED.search(text)] == []
