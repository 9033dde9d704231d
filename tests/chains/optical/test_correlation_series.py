"""S2_CORRELATION of several dates puts back what moved at each, and how fast."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio

from peps_wps.chains.correlation_s2.chain import CorrelationS2
from peps_wps.errors import ChainError, OrderRefusedError
from simulator.optical.displacement import Shift
from simulator.optical.product import Acquisition, write_product
from tests.chains.optical.simulated_scene import bench_of

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = CorrelationS2()
SIZE, LEFT, TOP = 180, 330_000, 4_840_020
FIRST = datetime(2024, 6, 12, 10, 50, 31, tzinfo=UTC)
DAYS = (0, 20, 45, 60)
# Pixels of 10 m a day, south and east.
SPEED = (0.012, -0.02)


@pytest.fixture(scope="module")
def dates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    first = Acquisition("31TCJ", 32631, LEFT, TOP, SIZE, FIRST)
    seen = [
        replace(
            first,
            sensing=FIRST + timedelta(days=days),
            displacement=Shift(SPEED[0] * days, SPEED[1] * days),
        )
        for days in DAYS
    ]
    unlike = replace(first, sensing=FIRST + timedelta(days=80), seed=9)
    return bench_of([write_product(folder, one) for one in (*seen, unlike)], folder)


def ordered(bench, reference, secondaries):
    titles = [product.title for product in bench.shelf.products]
    return {
        "products": (),
        "reference": titles[reference],
        "secondaries": [titles[k] for k in secondaries],
        "step": "8",
        "window": "25",
        "corrections": "none",
    }


@pytest.fixture(scope="module")
def done(dates):
    return dates.run(CHAIN, **ordered(dates, 1, (0, 2, 3)))


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def only(done, ending):
    (path,) = (done.folder / "unpacked").glob(f"*{ending}")
    return path


def test_every_date_lies_where_it_moved_since_the_reference(done):
    for days in DAYS:
        date = FIRST + timedelta(days=days)
        for letter, speed in (("ew", SPEED[1]), ("ns", -SPEED[0])):
            found = read(only(done, f"_{letter}_{date:%Y%m%dt%H%M%S}.tif"))
            expected = 10 * speed * (days - DAYS[1])
            # Each date is in three pairs whose nodes err by some 0.02 of 10 m.
            assert np.nanmedian(np.abs(found - expected)) < 0.3
            assert np.isfinite(found[3:-3, 3:-3]).mean() > 0.9


def test_the_outputs_are_those_of_the_last_date(done):
    date = FIRST + timedelta(days=DAYS[-1])
    np.testing.assert_array_equal(
        read(done.outputs["ew"]), read(only(done, f"_ew_{date:%Y%m%dt%H%M%S}.tif"))
    )


def test_velocities_and_their_errors(done):
    for letter, speed in (("ew", SPEED[1]), ("ns", -SPEED[0])):
        velocity = read(done.outputs[f"velocity_{letter}"])
        sigma = read(only(done, f"_sigma_{letter}.tif"))
        error = velocity - 3652.5 * speed
        assert np.nanmedian(np.abs(error)) < 2.0  # metres a year, of 73 and 44
        # Four dates leave two degrees of freedom: an estimate of the error within a factor.
        ratio = np.nanmedian(np.abs(error)) / np.nanmedian(sigma)
        assert 0.2 < ratio < 3.0


def test_statistics_and_report_tell_pairs_and_dates(done):
    told = json.loads(done.outputs["statistics"].read_text())
    assert [one["days"] for one in told["dates"]] == pytest.approx([-20, 0, 25, 40])
    assert len(told["pairs"]) == 6
    assert told["pairs_without_field"] == {}
    assert told["answered_percent"] > 50
    assert told["velocity_ew"]["median"] == pytest.approx(-73, abs=2)


def test_the_item_has_every_layer(done):
    item = json.loads(done.outputs["item"].read_text())
    assert len(item["properties"]["peps:input_products"]) == 4
    assert {"velocity_ew", "sigma_ns", "residual", "parts", "network", "thumbnail"} <= set(
        item["assets"]
    )
    for asset in item["assets"].values():
        assert (done.folder / "unpacked" / asset["href"]).stat().st_size == asset["file:size"]


def test_pairs_of_neighbours_only(dates):
    tasks = dates.plan(CHAIN, **ordered(dates, 0, (3, 1, 2)), neighbours="1")[1].tasks
    starts = [task.body["starts"] for task in tasks]
    expected = [(FIRST + timedelta(days=days)).isoformat() for days in DAYS]
    assert starts == [list(pair) for pair in itertools.pairwise(expected)]


def test_a_date_unlike_all_others_fails_with_its_reason(dates):
    with pytest.raises(ChainError, match="no pair of 2024-08-31 gave a field: the images do not"):
        dates.run(CHAIN, **ordered(dates, 0, (1, 4)))


def test_another_tile_is_refused(dates):
    products = list(dates.shelf.products)
    products[2] = replace(products[2], mgrs_tile="31TDJ")
    other = replace(dates, shelf=replace(dates.shelf, products=products))
    with pytest.raises(OrderRefusedError, match="a series is of one tile"):
        other.plan(CHAIN, **ordered(other, 0, (1, 2)))


def test_two_products_of_one_time_are_refused(dates):
    products = list(dates.shelf.products)
    products[2] = replace(products[2], start=products[1].start)
    other = replace(dates, shelf=replace(dates.shelf, products=products))
    with pytest.raises(OrderRefusedError, match="of the same time"):
        other.plan(CHAIN, **ordered(other, 0, (1, 2)))


def test_the_reference_among_the_secondaries_is_refused(dates):
    with pytest.raises(OrderRefusedError, match="is the reference"):
        dates.plan(CHAIN, **ordered(dates, 0, (0, 1)))
