"""Clients of the resto search of other people, unmodified, against the service as it is served."""

from pathlib import Path

import pytest
import shapely
from eodag import EODataAccessGateway
from owslib.opensearch import OpenSearch

from catalog_db.catalogue.products import Product

pytestmark = pytest.mark.client


@pytest.fixture
def eodag(known, tmp_path: Path, monkeypatch) -> EODataAccessGateway:
    """EODAG whose provider `peps` is pointed here, as its configuration file allows."""
    monkeypatch.setenv("EODAG_CFG_DIR", str(tmp_path))
    # No file of further product types: it would be fetched.
    monkeypatch.setenv("EODAG_EXT_PRODUCT_TYPES_CFG_FILE", "")
    file = tmp_path / "eodag.yml"
    endpoint = f"{known[0]}/resto/api/collections/{{collection}}/search.json"
    file.write_text(f"peps:\n  priority: 10\n  search:\n    api_endpoint: '{endpoint}'\n")
    gateway = EODataAccessGateway(user_conf_file_path=str(file))
    gateway.set_preferred_provider("peps")
    return gateway


def of(stored: list[Product], collection: str) -> list[Product]:
    return [product for product in stored if product.collection == collection]


def test_eodag_counts_pages_and_reads_every_product(known, eodag):
    expected = of(known[1], "S1")
    first = eodag.search(provider="peps", productType="S1_SAR_GRD", items_per_page=15, count=True)
    pages = list(eodag.search_iter_page(productType="S1_SAR_GRD", items_per_page=15))
    found = [product for page in pages for product in page]

    assert first.number_matched == 40
    assert [len(page) for page in pages] == [15, 15, 10]
    assert [one.properties["title"] for one in found] == [product.title for product in expected]
    for one, product in zip(found, expected, strict=True):
        assert one.geometry.equals(product.footprint)
        assert one.properties["storageStatus"] == "OFFLINE"
        assert one.properties["orbitDirection"] == product.orbit_direction
        assert one.location == f"{known[0]}/resto/collections/S1/{product.uid}/download"


def test_eodag_asks_what_s1tiling_asks(known, eodag):
    # Its search of Sentinel-1 (CNES/S1Tiling c8a8592), page by page.
    region = shapely.box(3, 42.5, 3.2, 42.6)
    expected = [
        product.title
        for product in of(known[1], "S1")
        if product.footprint.intersects(region)
        and product.orbit_direction == "ascending"
        and product.polarization == "VV VH"
        and product.platform == "S1A"
        and product.relative_orbit == 60
    ]
    found = eodag.search(
        provider="peps",
        productType="S1_SAR_GRD",
        geom={"lonmin": 3, "latmin": 42.5, "lonmax": 3.2, "latmax": 42.6},
        start="2021-08-01",
        end="2021-09-01",
        polarizationMode="VV VH",
        sensorMode="IW",
        orbitDirection="ascending",
        relativeOrbitNumber=60,
        platformSerialIdentifier="S1A",
        items_per_page=20,
        page=1,
    )

    assert expected
    assert {one.properties["title"] for one in found} >= set(expected)
    assert {one.properties["relativeOrbitNumber"] for one in found} == {60}
    assert {one.properties["platformSerialIdentifier"] for one in found} == {"S1A"}


def test_eodag_finds_clear_optical_products_of_a_tile_and_one_by_its_name(known, eodag):
    expected = [
        product.title for product in of(known[1], "S2ST") if (product.cloud_cover or 0) <= 30
    ]
    found = eodag.search(
        provider="peps", productType="S2_MSI_L1C", cloudCover=30, tileIdentifier="31TCJ"
    )
    (one,) = eodag.search(provider="peps", id=expected[0], productType="S2_MSI_L1C")

    assert [product.properties["title"] for product in found] == expected
    assert one.properties["title"] == expected[0]
    assert one.properties["quicklook"].startswith("https://peps.example.org/")


def test_owslib_reads_the_description_and_searches_by_it(known):
    reader = OpenSearch(f"{known[0]}/resto/api/collections/S1/describe.xml")

    assert reader.description.shortname == "PEPS"
    assert set(reader.description.urls) == {"application/json", "application/atom+xml"}
    found = reader.search("application/json", maxRecords="2", platform="S1A")
    expected = [product.title for product in of(known[1], "S1") if product.platform == "S1A"]
    assert [one["properties"]["title"] for one in found["features"]] == expected[:2]
    assert found["properties"]["totalResults"] == len(expected)


def test_owslib_reads_the_feed_too(known):
    reader = OpenSearch(f"{known[0]}/resto/api/collections/S2ST/describe.xml")
    feed = reader.search("application/atom+xml", maxRecords="3", tileid="31TCJ")
    expected = [product.title for product in of(known[1], "S2ST")][:3]

    assert [entry["properties"]["title"] for entry in feed["features"]] == expected
