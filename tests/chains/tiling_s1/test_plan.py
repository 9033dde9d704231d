"""Which tasks an order of S1_TILING comes to, and what it is refused for."""

import dataclasses
from datetime import timedelta

import pytest
import shapely
import shapely.affinity

from peps_wps.errors import InvalidInputError, OrderRefusedError
from tests.chains.tiling_s1.simulated_series import Run, SimulatedSeries

pytestmark = pytest.mark.xdist_group("tiling")


@pytest.fixture
def run(series: SimulatedSeries, request: pytest.FixtureRequest) -> Run:
    return series.service(f"plan-{request.node.name}"[:60].replace("[", "-").replace("]", ""))


def changed(run: Run, number: int, **values: object) -> Run:
    """The service with another entry of the catalogue."""
    products = list(run.archive.products)
    products[number] = dataclasses.replace(products[number], **values)
    run.archive = dataclasses.replace(run.archive, products=tuple(products))
    return run


def test_a_date_is_a_task_and_its_series_waits_for_all_of_them(run: Run) -> None:
    *dates, series = run.plan()
    assert [task.products for task in dates] == [(p.uid,) for p in run.archive.products]
    assert (series.products, series.after) == ((), tuple(task.name for task in dates))


def test_what_is_there_with_the_same_parameters_is_not_recalled(full: Run) -> None:
    assert [task.products for task in full.plan()] == [()]
    # A filter decides nothing of the dates themselves where none is wanted.
    assert [task.products for task in full.plan(filter="none")] == [()]
    assert len(full.plan(calibration="sigma0")) == 5


def test_orbits_are_series_of_their_own(run: Run) -> None:
    changed(run, 1, relative_orbit=110)
    changed(run, 2, relative_orbit=110)
    names = [task.name for task in run.plan() if not task.products]
    assert names == ["31TCJ ASC_059_vvvh series", "31TCJ ASC_110_vvvh series"]
    assert len(run.plan(relative_orbit="110")) == 3


def test_frames_of_a_pass_are_one_date_and_a_gap_leaves_the_smaller_part_out(run: Run) -> None:
    first = run.archive.products[0]
    part = shapely.affinity.translate(first.footprint, 0.03, 0)
    beyond = shapely.affinity.translate(first.footprint, 0.06, 0)
    span = timedelta(seconds=1)
    frames = [
        # Behind the equator, where orbits begin.
        dataclasses.replace(
            first, title="NEXT", start=first.end, end=first.end + span,
            orbit_number=first.orbit_number + 1, relative_orbit=first.relative_orbit + 1,
        ),
        dataclasses.replace(
            first, title="FAR", start=first.end + 9 * span, end=first.end + 10 * span
        ),
    ]  # fmt: skip
    frames[0] = dataclasses.replace(frames[0], footprint=part)
    frames[1] = dataclasses.replace(frames[1], footprint=beyond)
    run.archive = dataclasses.replace(run.archive, products=(*run.archive.products, *frames))
    tasks = run.plan()
    assert tasks[0].products == (first.uid, frames[0].uid)
    (left_out,) = tasks[-1].body["left_out"]
    assert left_out["products"] == ["FAR"]


def test_of_two_passes_of_one_day_that_which_covers_more_is_used(run: Run) -> None:
    first = run.archive.products[0]
    half = shapely.affinity.scale(first.footprint, 0.5, 0.5)
    other = dataclasses.replace(first, title="OTHER", footprint=half, mission_take_id=1)
    run.archive = dataclasses.replace(run.archive, products=(other, *run.archive.products))
    tasks = run.plan(min_coverage="0")
    assert tasks[0].products == (first.uid,)
    (left_out,) = tasks[-1].body["left_out"]
    assert left_out["reason"] == f"{first.title} of the same orbit and day covers more of the tile"


def test_of_an_acquisition_processed_twice_the_later_is_used(run: Run) -> None:
    first = run.archive.products[0]
    again = dataclasses.replace(first, title="AGAIN", published=first.published + timedelta(1))
    run.archive = dataclasses.replace(run.archive, products=(*run.archive.products, again))
    assert run.plan()[0].products == (again.uid,)


@pytest.mark.parametrize(
    ("inputs", "locator", "sentence"),
    [
        ({"tiles": "99XYZ"}, "tiles", "tiles is 99XYZ, expected an MGRS tile"),
        ({"tiles": ""}, "tiles", "tiles is missing"),
        ({"start": ""}, "start", "start is missing"),
        ({"start": "soon"}, "start", "start is soon, expected a date"),
        ({"start": "0001-01-01T00:00:00+05:00"}, "start", "expected a date"),
        ({"end": "9999-12-31T23:00:00-05:00"}, "end", "expected a date"),
        ({"start": "2021-09-01", "end": "2021-08-01"}, "end", "before start"),
        ({"window": "4"}, "window", "expected an odd number"),
        ({"filter": "median"}, "filter", "expected one of quegan"),
        ({"relative_orbit": "176"}, "relative_orbit", "from 1 to 175"),
        ({"platform": "S2A"}, "platform", "a satellite such as S1A"),
        ({"composites": "none rgb"}, "composites", "none alone"),
        ({"min_images": "0"}, "min_images", "from 1 to 1000"),
    ],
)
def test_wrong_values_are_refused_by_name(
    run: Run, inputs: dict, locator: str, sentence: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        run.plan(**inputs)
    assert refusal.value.locator == locator
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("inputs", "locator", "sentence"),
    [
        ({"start": "2022-01-01", "end": "2022-02-01"}, "start", "no GRD product of tile 31TCJ"),
        ({"relative_orbit": "7"}, "start", "relative orbit 7"),
        ({"orbit_direction": "descending"}, "start", "descending from"),
        ({"platform": "S1B"}, "start", "S1B from"),
        ({"min_images": "5"}, "min_images", "4 images of relative orbit 59, below min_images"),
        ({"end": "2021-08-10"}, "min_images", "1 images of relative orbit 59"),
        ({"min_coverage": "99"}, "min_coverage", "percent of tile 31TCJ, below min_coverage"),
        ({"polarizations": "HH"}, "polarizations", "polarizations are VV VH, without HH"),
    ],
)
def test_orders_that_cannot_work_are_refused_with_what_was_found(
    run: Run, inputs: dict, locator: str, sentence: str
) -> None:
    with pytest.raises(OrderRefusedError) as refusal:
        run.plan(**inputs)
    assert refusal.value.locator == locator
    assert sentence in str(refusal.value)


def test_mixed_polarizations_are_refused_unless_the_series_has_its_own(run: Run) -> None:
    changed(run, 1, polarization="VV")
    with pytest.raises(OrderRefusedError, match="some have VV, VV VH") as refusal:
        run.plan()
    assert refusal.value.locator == "polarizations"
    assert len(run.plan(polarizations="VV")) == 5
    tasks = run.plan(polarizations="VV VH")
    assert len(tasks) == 4
    assert tasks[-1].body["left_out"][0]["reason"] == "its polarizations are VV, without VH"


def test_an_area_without_heights_is_refused(run: Run, tmp_path) -> None:
    empty = dataclasses.replace(run.config.dem, path=tmp_path)
    run.config = dataclasses.replace(run.config, dem=empty)
    with pytest.raises(OrderRefusedError) as refusal:
        run.plan()
    assert refusal.value.locator == "tiles"


def test_the_standard_of_the_operator_has_the_canonical_folder(series: SimulatedSeries) -> None:
    run = series.service("standard", PEPS_DATALAKE_STANDARD="calibration=sigma0 window=7")
    folders = {
        task.body["series"]["collection"]
        for inputs in ({"calibration": "sigma0", "window": "7"}, {})
        for task in run.plan(**inputs)
    }
    assert "S1-L1-ORTHO" in folders
    assert len(folders) == 2
