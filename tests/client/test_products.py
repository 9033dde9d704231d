"""Searches of a server: all pages, however it links them, and every filter as it is sent."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from peps_wps.client import Count, Filters, Options, Peps, RefusedError, UnreachableError
from peps_wps.client import products as client_products
from peps_wps.client.filters import wkt_of
from peps_wps.client.products import product_of
from peps_wps.client.products import search as search_products
from peps_wps.client.transfer import retry_after_s
from peps_wps.resto.parameters import NUMBERS, TEXTS, TIMES
from peps_wps.resto.query import parse_search
from tests.client.faulty_service import Quiet


class Catalogue:
    """A resto server of so many products, with or without links to further pages."""

    def __init__(self) -> None:
        self.size = 0
        self.has_links = True
        self.faults: list[int] = []  # statuses of the requests to come, 0 for none
        self.asked: list[dict[str, str]] = []

    def __call__(self, environ, start_response):
        request = Request(environ)
        self.asked.append(dict(parse_qsl(request.query_string.decode())))
        status = self.faults.pop(0) if self.faults else 0
        answer = Response(status=status) if status else self._page(request)
        return answer(environ, start_response)

    def _page(self, request: Request) -> Response:
        number, size = int(request.args["page"]), int(request.args["maxRecords"])
        numbers = range(self.size)[(number - 1) * size : number * size]
        query = request.query_string.decode().replace(f"page={number}", f"page={number + 1}")
        links = [{"rel": "self", "href": request.url}]
        if number * size < self.size:
            links.append({"rel": "next", "href": f"{request.path}?{query}"})
        properties = {"totalResults": self.size, "exactCount": False}
        if self.has_links:
            properties["links"] = links
        features = [feature(f"P{one}") for one in numbers]
        return Response(json.dumps({"properties": properties, "features": features}))


def feature(name: str, **properties: object) -> dict[str, object]:
    return {"id": name, "properties": {"title": name, "collection": "S1", **properties}}


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def peps(catalogue: Catalogue) -> Iterator[Peps]:
    httpd = make_server("127.0.0.1", 0, catalogue, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    yield Peps(f"http://127.0.0.1:{httpd.server_port}")
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("size", [0, 1, 10, 25])
def test_every_product_is_found_once_with_links_or_without(catalogue, peps, size, has_links):
    catalogue.size, catalogue.has_links = size, has_links
    found = search_products(peps.server, Filters(), page_size=10)

    assert [product.title for product in found] == [f"P{number}" for number in range(size)]


def test_pages_are_asked_for_as_they_are_needed(catalogue, peps):
    catalogue.size = 10_000
    found = search_products(peps.server, Filters(), page_size=10)
    assert catalogue.asked == []
    next(found)
    assert len(catalogue.asked) == 1
    assert len(list(peps.search(limit=7))) == 7
    assert catalogue.asked[-1]["maxRecords"] == "7"


def test_a_short_fault_does_not_end_a_long_search(catalogue, peps, monkeypatch):
    monkeypatch.setattr(client_products, "PAUSES_S", (0.0, 0.0))
    catalogue.size, catalogue.faults = 30, [0, 502, 503, 0]
    assert len(list(search_products(peps.server, Filters(), page_size=10))) == 30
    catalogue.faults = [502]
    with pytest.raises(UnreachableError):
        list(peps.search())


def test_an_estimate_is_told_as_one(catalogue, peps):
    catalogue.size = 12
    assert peps.count(others={"page": "1"}) == Count(12, is_exact=False)


def test_every_filter_means_to_the_server_what_it_is_called():
    sent = Filters(
        collection="S1",
        title="S1A%",
        platform="S1A",
        product_type="GRD",
        sensor_mode="IW",
        instrument="SAR",
        processing_level="LEVEL1",
        polarization="VV VH",
        swath="IW",
        orbit_direction="ascending",
        tile="31TCJ",
        orbit=39156,
        relative_orbit="{51,59}",
        cycle=238,
        mission_take=302867,
        cloud_cover=20,
        snow_cover="]10,30]",
        start=date(2021, 8, 1),
        end=datetime(2021, 9, 1, 12, tzinfo=UTC),
        published_from="2021-08-02",
        published_to="2021-08-03",
        updated="2021-08-04T10:00:00Z",
        box=(1, 43, 2.5, 44),
    ).parameters()
    query = parse_search("S1", sent).query

    known = set(TEXTS) | set(NUMBERS) | set(TIMES)
    assert set(sent) - {"box"} == known
    assert query.region is not None
    assert query.region.bounds == (1, 43, 2.5, 44)
    assert query.texts["polarization"].value == "VV VH"
    assert query.texts["title"].is_prefix
    assert sent["cloudCover"] == "[0,20]"
    assert query.start_to == datetime(2021, 9, 1, 12, tzinfo=UTC)


def test_a_point_may_have_a_radius():
    assert Filters(point=(1.5, -43.0), radius_m=500).parameters() == {
        "lon": "1.5",
        "lat": "-43",
        "radius": "500",
    }
    assert Filters(point=(1, 2)).parameters() == {"lon": "1", "lat": "2"}


def test_geojson_becomes_one_geometry():
    point = {"type": "Point", "coordinates": [1, 43, 100]}
    two = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": point},
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": [2, 43]}},
        ],
    }
    assert wkt_of(point) == "POINT (1 43)"
    assert wkt_of(two).startswith("MULTIPOINT")
    for wrong in ({"type": "Nonsense"}, {"features": []}, {"features": [1]}, {}):
        with pytest.raises(ValueError, match="GeoJSON"):
            wkt_of(wrong)


def test_a_geometry_that_no_address_can_hold_is_told():
    with pytest.raises(ValueError, match="simplify"):
        Filters(geometry="POINT (1 43)" + " " * 8000).parameters()


def test_a_product_of_peps_itself_is_read():
    shown = feature(
        "S2A_X",
        storage={"mode": "tape"},
        startDate="2020-08-15T00:52:51.024Z",
        resourceSize="781865648",
        services={"download": {"url": "/resto/collections/S1/x/download", "checksum": "AB" * 16}},
    )
    product = product_of(shown, "https://peps.example.org/resto/api/search.json")

    assert product.download_url == "https://peps.example.org/resto/collections/S1/x/download"
    assert (product.mode, product.size_bytes) == ("tape", 781865648)
    assert (product.checksum_algorithm, product.checksum) == ("MD5", "ab" * 16)
    assert product.start == datetime(2020, 8, 15, 0, 52, 51, 24000, tzinfo=UTC)


@pytest.mark.parametrize("shown", [{}, {"id": 1, "properties": None}, {"properties": {}}])
def test_what_is_no_product_is_told(shown):
    with pytest.raises(UnreachableError, match="does not answer with products"):
        product_of(shown, "http://h/")


def test_an_error_in_the_place_of_an_answer_is_told(peps, monkeypatch):
    error = {"ErrorMessage": "Invalid geo:box", "ErrorCode": 400}
    monkeypatch.setattr(Catalogue, "_page", lambda *_: Response(json.dumps(error)))
    with pytest.raises(RefusedError, match="Invalid geo:box"):
        list(peps.search())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), ("", None), ("soon", None), ("Mon, 09 Aug 2021 17:40:00 GMT", 60.0)],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    now = datetime(2021, 8, 9, 17, 39, tzinfo=UTC)
    assert retry_after_s({"Retry-After": text}, now) == seconds


def test_options_that_would_wait_for_ever_are_refused():
    with pytest.raises(ValueError, match="parallel is 0"):
        Options(parallel=0)
