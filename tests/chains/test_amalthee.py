"""What an AMALTHEE order means, and which ones are refused, whatever a client sends."""

import base64
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog_db.catalogue.product import Product
from catalog_db.catalogue.query import TextFilter
from peps_wps.chains.amalthee.planner import Amalthee, Order
from peps_wps.chains.amalthee.request import read_address, search_of
from peps_wps.chains.contract import Plan, PlanContext
from peps_wps.config import Config
from peps_wps.errors import InvalidInputError, OrderRefusedError
from peps_wps.resto.query import RestoSearch
from tests.plain_product import plain_product

ADDRESS = "https://peps.cnes.fr/resto/api/collections/S2ST/search.json?tileid=31TCJ&q=~~~>>>&maxRecords=50"


def encoded(address: str = ADDRESS) -> str:
    return base64.b64encode(address.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(encoded(), id="plain"),
        pytest.param(base64.urlsafe_b64encode(ADDRESS.encode()).decode(), id="safe in addresses"),
        pytest.param(encoded().rstrip("="), id="not padded"),
        pytest.param(encoded().replace("+", " "), id="read as a form"),
        pytest.param(base64.encodebytes(ADDRESS.encode()).decode(), id="in lines"),
    ],
)
def test_an_address_is_read_from_every_spelling_of_base64(text):
    assert "+" in encoded()
    assert read_address(text) == ADDRESS


@given(st.text(max_size=40).map(str.strip))
def test_any_text_comes_back_as_it_was_encoded(text):
    assert read_address(encoded(text)) == text.strip()


@given(st.text(max_size=60))
@example("\N{LATIN SMALL LETTER E WITH ACUTE}===")
@example("_-_-")
def test_what_is_not_base64_is_refused_and_nothing_else_happens(text):
    with contextlib.suppress(InvalidInputError):
        read_address(text)


@given(st.one_of(st.text(max_size=80), st.text(max_size=40).map("http://[::1/{}".format)))
@example("http://[/resto/api/collections/search.json")
@example("https://peps/resto/api/collections/S1/search.json?startDate=%FF")
def test_what_is_no_address_of_a_search_is_refused_and_nothing_else_happens(address):
    with pytest.raises(InvalidInputError, match="cannot be used"):
        search_of(address)


def test_only_collection_and_parameters_of_an_address_count():
    here = search_of("https://peps.cnes.fr/resto/api/collections/S1/search.json?productType=SLC")
    there = search_of(
        "http://localhost:81/a/b/collections/S1/search.atom/?productType=SLC&_pretty=1"
    )

    assert here == there
    assert here.query.collections == ("S1",)
    assert here.query.texts == {"product_type": TextFilter("SLC")}
    assert search_of("http://x/collections/search.json").query.collections == ()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://x/resto/api/collections/S4/search.json", "there is no collection S4"),
        ("https://x/resto/api/collections/S1/search.json?colour=red", "unknown parameter colour"),
        ("https://x/resto/api/collections/S1/search.json?box=1,2", "Invalid geo:box"),
        ("https://x/resto/api/collections/S1/describe.xml", "no address of a search"),
        ("ftp://x/resto/api/collections/S1/search.json", "no address of a search"),
        ("/resto/api/collections/S1/search.json", "no address of a search"),
    ],
)
def test_a_search_that_would_stage_something_else_is_refused(address, reason):
    with pytest.raises(InvalidInputError, match=reason):
        Amalthee().parse({"opensearch_request": [encoded(address)]})


class Shelf:
    """A catalogue whose every search finds all."""

    def __init__(self, number: int) -> None:
        self.products = {f"PRODUCT_{n}": plain_product(f"PRODUCT_{n}") for n in range(number)}

    def product(self, identifier: str) -> Product | None:
        return self.products.get(identifier)

    def search(self, asked: RestoSearch, most: int) -> Sequence[Product]:
        return list(self.products.values())[: most + 1]


def planned(folder: Path, number: int, **order: object) -> Plan:
    config = Config.load(var=folder, environ={})
    settings = replace(config.staging, max_products=3)
    context = PlanContext(Shelf(number), replace(config, staging=settings))
    asked = {"search": ADDRESS, "products": (), "pin_hours": None} | order
    return Amalthee().plan(Order(**asked), context)


def test_what_a_search_finds_and_what_is_named_is_staged_once(tmp_path):
    stage = planned(tmp_path, 3, products=("PRODUCT_2",)).stage

    assert stage is not None
    assert stage.products == tuple(plain_product(f"PRODUCT_{n}").uid for n in range(3))
    assert stage.pin_lifetime_s == 48 * 3600


@pytest.mark.parametrize(
    ("number", "order", "locator", "reason"),
    [
        (0, {}, "opensearch_request", "finds no product"),
        (4, {}, "opensearch_request", "more than 3 products, at most 3"),
        (3, {"products": ("NOWHERE",)}, "products", "no product is called NOWHERE"),
        (3, {"pin_hours": 0.0}, "pin_hours", "pin_hours is 0, expected above 0"),
        (3, {"pin_hours": 1e9}, "pin_hours", r"pin_hours is 1e\+09, expected above 0 and at most"),
    ],
)
def test_an_order_that_cannot_work_is_refused_at_once(tmp_path, number, order, locator, reason):
    with pytest.raises(OrderRefusedError, match=reason) as refused:
        planned(tmp_path, number, **order)
    assert refused.value.locator == locator


def test_an_order_for_nothing_is_refused():
    with pytest.raises(InvalidInputError, match="neither"):
        Amalthee().parse({})


def test_an_order_survives_its_row():
    planner = Amalthee()
    order = planner.parse({"opensearch_request": [encoded()], "pin_hours": ["2"]})

    assert planner.order_from_json(planner.order_to_json(order)) == order
