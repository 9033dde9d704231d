"""Which orders of S1_TIME_SERIES are refused before a recall, and which tasks others are."""

from datetime import timedelta

import pytest
import shapely

from peps_wps.chains.time_series_s1.order import Order
from peps_wps.errors import InvalidInputError, OrderRefusedError
from tests.chains.time_series_s1.simulated_stack import LATITUDE, LONGITUDE, SimulatedStack

pytestmark = pytest.mark.xdist_group("time_series")

DAY = timedelta(days=1)
AREA = shapely.to_wkt(shapely.Point(LONGITUDE, LATITUDE).buffer(0.005, quad_segs=2))
SOUGHT = {"relative_orbit": "44", "geometry": AREA, "start": "2023-03-01", "end": "2023-04-30"}


def refusal(stack: SimulatedStack, **inputs: str) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        stack.plan(**inputs)
    return caught.value


@pytest.fixture
def sought(stack: SimulatedStack) -> dict[str, str]:
    return {**SOUGHT, "relative_orbit": str(stack.products[0].relative_orbit)}


def test_pairs_come_before_their_network_and_maps_before_the_series(stack: SimulatedStack) -> None:
    tasks = {task.name: task for task in stack.service("planned").plan(neighbours="1").tasks}
    pairs = ["2023-03-19 2023-03-31", "2023-03-31 2023-04-12", "2023-04-12 2023-04-24"]

    assert list(tasks) == [*pairs, "network", *(f"{pair} map" for pair in pairs), "series"]
    assert tasks["network"].after == tuple(pairs)
    assert tasks[f"{pairs[1]} map"].after == ("network",)
    assert tasks["series"].after == ("network", *(f"{pair} map" for pair in pairs))
    # Only what reads pixels needs products: nothing is recalled twice.
    assert [len(task.products) for task in tasks.values()] == [2, 2, 2, 0, 0, 0, 0, 0]


def test_the_catalogue_is_searched_for_a_track_over_an_area(
    stack: SimulatedStack, sought: dict[str, str]
) -> None:
    tasks = stack.service("planned").plan(**{**sought, "end": "2023-04-12"}).tasks
    assert [task.name for task in tasks if task.products] == [
        "2023-03-19 2023-03-31",
        "2023-03-19 2023-04-12",
        "2023-03-31 2023-04-12",
    ]


@pytest.mark.parametrize(
    ("inputs", "locator", "said"),
    [
        ({"products": "S1A_IW_SLC__1SDV_X"}, "products", "is not in the catalogue"),
        ({"polarization": "VH"}, "polarization", "polarization VH is not in S1A_IW_SLC"),
        ({"max_days": "5"}, "max_days", "no two dates are nearer than 12 days"),
        ({"reference_point": "2.5,48.8"}, "reference_point", "lies outside what all products"),
        ({"geometry": "POLYGON ((9 9, 9 10, 10 10, 9 9))"}, "geometry", "lies outside"),
        ({"steps": "2024-01-01"}, "steps", "has not dates before and after it"),
        ({"seasonal": "true"}, "dem_error", "4 dates are fewer than the 5 terms"),
        ({"relative_orbit": "44"}, "relative_orbit", "beside products"),
    ],
)
def test_what_cannot_be_is_refused(
    stack: SimulatedStack, inputs: dict[str, str], locator: str, said: str
) -> None:
    given = {"products": stack.titles, **inputs}
    error = refusal(stack, **given)
    assert error.locator == locator
    assert said in str(error)


def test_two_dates_are_no_series(stack: SimulatedStack) -> None:
    error = refusal(stack, products=" ".join(stack.titles.split()[:2]))
    assert error.locator == "products"
    assert "needs 3 dates or more, found 2: 2023-03-19, 2023-03-31" in str(error)


def test_another_orbit_is_refused(stack: SimulatedStack) -> None:
    error = refusal(stack.changed(2, relative_orbit=7))
    assert error.locator == "products"
    assert "relative orbit 44 and 7: a series is of one track" in str(error)


def test_a_product_that_is_no_slc_is_refused(stack: SimulatedStack) -> None:
    error = refusal(stack.changed(1, product_type="GRD"))
    assert "of type GRD" in str(error)
    assert error.locator == "products"


def test_products_without_a_common_polarization_are_refused(stack: SimulatedStack) -> None:
    error = refusal(stack.changed(3, polarization="HH"))
    assert error.locator == "polarization"
    assert "no polarization is common" in str(error)


def test_products_of_a_search_without_the_polarization_are_left_out(
    stack: SimulatedStack, sought: dict[str, str]
) -> None:
    changed = stack.changed(3, polarization="HH")
    body = changed.plan(**sought).tasks[-1].body
    assert [one["titles"][0] for one in body["acquisitions"]] == stack.titles.split()[:3]
    assert body["left_out"] == [
        {"product": stack.products[3].title, "reason": "it has no polarization VV"}
    ]


def test_of_two_products_of_a_day_the_one_that_shows_more_is_used(stack: SimulatedStack) -> None:
    small = stack.products[1].footprint.centroid.buffer(0.01)
    start = stack.products[0].start + timedelta(seconds=10)
    body = stack.changed(1, footprint=small, start=start).plan().tasks[-1].body
    assert [one["titles"][0] for one in body["acquisitions"]] == [
        stack.products[k].title for k in (0, 2, 3)
    ]
    assert "shows more of the area" in body["left_out"][0]["reason"]


def test_dates_that_no_pairs_connect_need_a_model(stack: SimulatedStack) -> None:
    late = stack.changed(2, start=stack.products[2].start + 60 * DAY)
    late = late.changed(3, start=stack.products[3].start + 60 * DAY)
    error = refusal(late, max_days="20")
    assert error.locator == "model"
    assert "no pairs connect the dates 2023-03-31 and 2023-06-11" in str(error)

    names = [task.name for task in late.plan(max_days="20", model="linear").tasks]
    assert names[-1] == "series"


def test_an_area_without_a_dem_is_refused(stack: SimulatedStack) -> None:
    empty = stack.folder / "no dem"
    empty.mkdir(exist_ok=True)
    error = refusal(stack.service("no-dem", PEPS_DEM_PATH=str(empty)))
    assert isinstance(error, OrderRefusedError)
    assert "no DEM" in str(error)


@pytest.mark.parametrize(
    ("inputs", "locator"),
    [
        ({}, "products"),
        ({"relative_orbit": "0", "geometry": AREA}, "relative_orbit"),
        ({"relative_orbit": "44", "start": "2023-01-01", "end": "2023-02-01"}, "geometry"),
        ({**SOUGHT, "start": "2023-05-01"}, "end"),
        ({**SOUGHT, "end": "spring"}, "end"),
        ({"products": "A", "looks": "20"}, "looks"),
        ({"products": "A", "resolution": "2"}, "resolution"),
        ({"products": "A", "reference_point": "48.8"}, "reference_point"),
        ({"products": "A", "reference_point": "POINT (200 0)"}, "reference_point"),
        ({"products": "A", "reference_point": "POINT EMPTY"}, "reference_point"),
        ({"products": "A", "steps": "yesterday"}, "steps"),
        ({"products": "A", "atmosphere": "rain"}, "atmosphere"),
        ({"products": "A", "neighbours": "0"}, "neighbours"),
        ({"products": "A", "max_baseline_m": "-1"}, "max_baseline_m"),
        ({"products": "A", "unwrap": "none"}, "unwrap"),
    ],
)
def test_each_wrong_value_is_named(inputs: dict[str, str], locator: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Order.parse({name: [value] for name, value in inputs.items()})
    assert caught.value.locator == locator


def test_a_point_is_read_in_all_its_forms() -> None:
    for text in ("2.35,48.85", "2.35 48.85", "POINT (2.35 48.85)", "point(2.35 48.85)"):
        order = Order.parse({"products": ["A"], "reference_point": [text]})
        assert order.reference_point == (2.35, 48.85)
