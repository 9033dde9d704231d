"""Dates of a series: slices of a pass, and what their orbits say before anything is recalled."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from algorithms.time_series.network import delaunay_pairs
from peps_wps.chains.interferometry.passes import passes_of
from peps_wps.chains.time_series_s1.acquisitions import acquisitions
from peps_wps.chains.time_series_s1.baselines import baselines_of
from peps_wps.chains.time_series_s1.holdings import record_of
from peps_wps.chains.time_series_s1.order import Order
from peps_wps.chains.time_series_s1.tasks import Pair
from peps_wps.errors import InvalidInputError, OrderRefusedError
from peps_wps.readers.orbit_file import OrbitFile, orbit_files
from simulator.tops.product import Options, write_passes
from tests.chains.simulated_pass import product_of
from tests.chains.time_series_s1.simulated_stack import REPEAT, SHIFTS, SimulatedStack
from tests.chains.time_series_s1.test_plan import SOUGHT

pytestmark = pytest.mark.xdist_group("time_series")


@pytest.fixture(scope="module")
def sliced(stack: SimulatedStack, tmp_path_factory: pytest.TempPathFactory) -> SimulatedStack:
    """Three dates of the stack, each burst a product of its own."""
    flown = replace(stack.flown, passes=stack.flown.passes[:3])
    folder = tmp_path_factory.mktemp("sliced")
    paths = write_passes(folder, flown, Options(threads=1, slices=(range(1), range(1, 2))))
    products = [product_of(path) for path in paths]
    named = {product.uid: path for product, path in zip(products, paths, strict=True)}
    return replace(
        stack.service("sliced", PEPS_DEM_PATH=str(stack.folder / "dem")),
        paths=named,
        products=tuple(products),
        flown=flown,
    )


def test_slices_of_a_pass_are_one_date(sliced: SimulatedStack) -> None:
    run = sliced.plan(neighbours="1")
    titles = [product.title for product in sliced.products]
    dates = run.tasks[-1].body["acquisitions"]
    assert [list(one["titles"]) for one in dates] == [titles[:2], titles[2:4], titles[4:]]
    assert run.tasks[0].products == tuple(product.uid for product in sliced.products[:4])
    assert run.tasks[-1].body["left_out"] == []


def test_a_pair_of_slices_has_the_bursts_of_both(sliced: SimulatedStack) -> None:
    run = sliced.plan(neighbours="1")
    sliced.do(run.tasks[0], run)
    record = record_of(sliced.lake, Pair.from_json(run.tasks[0].body))

    assert record is not None
    assert len({one.number for one in record.bursts}) == 2
    # Only the overlap of the bursts, each of a slice of its own, tells what the date lies off.
    assert record.shift is not None
    assert record.shift.lines == pytest.approx(SHIFTS[1], abs=2e-3)


def test_a_search_joins_slices_too(sliced: SimulatedStack) -> None:
    shown = shapely.intersection_all([one.whole.footprint for one in passes_of(sliced.products)])
    inputs = {**SOUGHT, "geometry": shapely.to_wkt(shown)}
    inputs["relative_orbit"] = str(sliced.products[0].relative_orbit)
    body = sliced.plan(**inputs).tasks[-1].body
    assert [len(one["titles"]) for one in body["acquisitions"]] == [2, 2, 2]


def test_a_date_that_lacks_a_slice_does_not_cut_the_series(sliced: SimulatedStack) -> None:
    shown = shapely.intersection_all([one.whole.footprint for one in passes_of(sliced.products)])
    lacking = replace(sliced, products=(*sliced.products[:3], *sliced.products[4:]))
    track = str(sliced.products[0].relative_orbit)
    inputs = {**SOUGHT, "geometry": shapely.to_wkt(shown), "relative_orbit": track}

    with pytest.raises(InvalidInputError, match=r"found 2.*percent of what others show"):
        lacking.plan(**inputs)
    # Who names it wants it: the series is cut to what all show.
    named = lacking.plan(products=" ".join(one.title for one in lacking.products))
    assert len(named.tasks[-1].body["acquisitions"]) == 3


@pytest.fixture
def crossing(sliced: SimulatedStack) -> SimulatedStack:
    """Three dates whose second slices lie across the ascending node."""
    track = sliced.products[0].relative_orbit or 0
    south = sliced.products[0].footprint.centroid.y
    products = []
    for number, one in enumerate(sliced.products):
        # The second slice of each pass, moved to the equator, has crossed the node.
        counted = {"orbit_number": (one.orbit_number or 0) + 1, "relative_orbit": track + 1}
        moved = shapely.affinity.translate(one.footprint, yoff=-south)
        products.append(replace(one, footprint=moved, **(counted if number % 2 else {})))
    return replace(sliced, products=tuple(products))


def across_the_node(crossing: SimulatedStack, beyond: int) -> Order:
    """A search by the track before the node, or by the next one beyond it."""
    track = (crossing.products[0].relative_orbit or 0) + beyond
    shown = shapely.union_all([one.footprint for one in crossing.products]).envelope
    inputs = {**SOUGHT, "geometry": shapely.to_wkt(shown), "relative_orbit": str(track)}
    return Order.parse({name: [value] for name, value in inputs.items()})


def test_a_search_near_the_node_finds_slices_on_both_sides(crossing: SimulatedStack) -> None:
    for beyond in (0, 1):
        found = acquisitions(across_the_node(crossing, beyond), crossing)
        assert [len(one.slices) for one in found.passes] == [2, 2, 2]
    products = crossing.products
    beside = Order.parse({"products": [products[0].title, products[3].title]})
    with pytest.raises(OrderRefusedError, match="a series is of one track"):
        acquisitions(beside, crossing)


@pytest.mark.parametrize(("lacking", "asked"), [(0, 0), (3, 1)])
def test_a_date_on_one_side_of_the_node_is_of_the_track(
    crossing: SimulatedStack, lacking: int, asked: int
) -> None:
    whole = shapely.union_all([one.footprint for one in crossing.products]).envelope
    products = [replace(one, footprint=whole) for one in crossing.products]
    del products[lacking]
    lacks = replace(crossing, products=tuple(products))
    found = acquisitions(across_the_node(crossing, asked), lacks)
    assert sorted(len(one.slices) for one in found.passes) == [1, 2, 2]
    assert found.left_out == []


def test_the_folder_of_a_series_stays_when_a_date_lacks_a_slice(
    crossing: SimulatedStack, sliced: SimulatedStack
) -> None:
    track = crossing.products[0].relative_orbit or 0
    ground = sliced.products[1].footprint
    products = tuple(replace(one, footprint=ground) for one in crossing.products)
    for kept in (products, products[1:], products[:5]):
        stack = replace(crossing, products=kept, made={})
        body = stack.plan(neighbours="1").tasks[-1].body
        assert body["stack"]["relative_orbit"] == track


def on_disk(stack: SimulatedStack, name: str, kept: int) -> SimulatedStack:
    """The stack with the first products in the pool, and without orbit files."""
    service = stack.service(name)
    pool = service.config.storage.path
    pool.mkdir(parents=True, exist_ok=True)
    products = []
    for number, product in enumerate(stack.products):
        path = stack.paths[product.uid]
        if number < kept and not (pool / path.name).exists():
            shutil.copytree(path, pool / path.name, ignore=shutil.ignore_patterns("*.tiff"))
        products.append(replace(product, file_path=path.name))
    return replace(service, products=tuple(products))


def test_baselines_are_known_of_products_on_disk(stack: SimulatedStack) -> None:
    pairs = stack.once("full").report["pairs"]
    expected = {tuple(date[:10] for date in pair["dates"]): pair for pair in pairs}
    found = on_disk(stack, "three-on-disk", 3)
    area = found.products[0].footprint
    across = baselines_of(passes_of(found.products), "VV", area, found.config)
    days = [f"{product.start:%Y-%m-%d}" for product in found.products]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        told = expected[days[i], days[j]]["perpendicular_baseline_m"]
        # Told at the middle burst, and here at the middle of the area.
        assert across.between(i, j) == pytest.approx(told, abs=0.5)
    assert all(np.isnan(across.between(3, k)) for k in range(3))  # on tape


def test_the_folder_of_orbits_is_listed_once_for_all_dates(
    stack: SimulatedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[Path] = []

    def listing(folder: Path) -> tuple[OrbitFile, ...]:
        listed.append(folder)
        return orbit_files(folder)

    for reader in ("chains.time_series_s1.baselines", "readers.orbit_file"):
        monkeypatch.setattr(f"peps_wps.{reader}.orbit_files", listing)
    area = stack.products[0].footprint
    across = baselines_of(passes_of(stack.products), "VV", area, stack.config)
    assert len(across.frames) == 4
    assert listed == [stack.config.orbits.path]


def test_a_pair_beyond_the_limit_is_no_task_when_orbits_are_known(stack: SimulatedStack) -> None:
    found = on_disk(stack, "all-on-disk", 4)
    run = found.plan(max_baseline_m="100")
    names = [task.name for task in run.tasks if task.products]
    assert "2023-03-31 2023-04-12" not in names
    assert len(names) == 5
    ((first, second, reason),) = run.tasks[-1].body["too_long"]
    assert (first, second) == (1, 2)
    assert "perpendicular baseline of 125 m" in reason


def test_a_limit_that_parts_the_dates_is_refused_at_once(stack: SimulatedStack) -> None:
    found = on_disk(stack, "all-on-disk", 4)
    with pytest.raises(InvalidInputError, match=r"no pair is left: perpendicular") as caught:
        found.plan(max_baseline_m="1")
    assert caught.value.locator == "max_baseline_m"
    with pytest.raises(InvalidInputError, match=r"no pairs connect.*perpendicular") as caught:
        found.plan(max_baseline_m="60", neighbours="1")
    assert caught.value.locator == "model"


def test_delaunay_takes_baselines_that_are_known(stack: SimulatedStack) -> None:
    found = on_disk(stack, "all-on-disk", 4)
    area = found.products[0].footprint
    baselines = baselines_of(passes_of(found.products), "VV", area, found.config)
    across = [baselines.between(0, number) for number in range(4)]
    days = [float(REPEAT * number) for number in range(4)]
    expected = delaunay_pairs(*(np.array(one) for one in (days, across)))
    run = found.plan(network="delaunay")
    assert run.tasks[-1].body["pairs"] == expected.tolist()

    with pytest.raises(InvalidInputError, match="needs the orbit of every date") as caught:
        on_disk(stack, "three-on-disk", 3).plan(network="delaunay")
    assert caught.value.locator == "network"
