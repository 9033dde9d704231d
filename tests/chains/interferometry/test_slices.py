"""Passes that the ground segment cut into slices give what whole products give."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio

from catalog_db.catalogue.products import Product
from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from peps_wps.chains.interferometry.bursts import Wanted, pair_of
from peps_wps.chains.interferometry.passes import passes_of, without_repeats
from peps_wps.errors import ChainError, OrderRefusedError
from peps_wps.readers.sentinel1_slices import open_slices
from tests.chains.interferometry.simulated_pair import SimulatedPair, simulate_pair

SMALL = {"bursts": 3, "lines": 150, "samples": 300, "overlap": 50}
# The middle burst is in both.
SLICES = (range(2), range(1, 3))
CHEAP = {"looks": ["8x2"], "unwrap": ["none"], "masks": ["false"], "filter": ["none"]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPair:
    return simulate_pair(tmp_path_factory.mktemp("whole"), **SMALL)


@pytest.fixture(scope="module")
def sliced(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPair:
    """The same pair, two products a pass."""
    return simulate_pair(tmp_path_factory.mktemp("sliced"), slices=SLICES, **SMALL)


def titles_of(pair: SimulatedPair) -> list[str]:
    return [product.title for product in pair.products]


def test_an_interferogram_over_two_slices_is_that_of_whole_products(
    whole: SimulatedPair, sliced: SimulatedPair, tmp_path: Path
) -> None:
    first, second, third, fourth = titles_of(sliced)
    # By commas, and as values of their own, in any order.
    named = {"reference": [f"{first},{second}"], "secondary": [fourth, third]}
    found = sliced.make(InterferogramS1(), tmp_path / "sliced", {**named, **CHEAP})
    expected = whole.make(InterferogramS1(), tmp_path / "whole", {**whole.titles(), **CHEAP})

    for layer in ("wrapped", "coherence"):
        with (
            rasterio.open(found.layer(layer)) as one,
            rasterio.open(expected.layer(layer)) as other,
        ):
            assert one.transform == other.transform
            values = one.read(1)
            # Grids of geolocation are not quite the same: some heights outside the bursts are.
            np.testing.assert_allclose(values, other.read(1), atol=2e-5)
    assert np.isfinite(values).any()
    report = found.outputs.report
    assert report["reference"]["product"] == f"{first} and {second}"
    assert report["bursts"] == expected.outputs.report["bursts"]


def test_slices_of_two_passes_are_no_reference(sliced: SimulatedPair) -> None:
    first, second, third, fourth = titles_of(sliced)
    wrong = {"reference": [first, third], "secondary": [fourth]}
    with pytest.raises(OrderRefusedError, match="of different passes") as caught:
        sliced.plan(InterferogramS1(), wrong)
    assert caught.value.locator == "reference"
    same = {"reference": [first], "secondary": [second]}
    with pytest.raises(OrderRefusedError, match="of the same date"):
        sliced.plan(InterferogramS1(), same)


def test_a_pass_shows_what_all_its_slices_show(sliced: SimulatedPair) -> None:
    one, other = passes_of(reversed(sliced.products))
    assert one.slices == sliced.products[:2]
    assert other.titles == tuple(titles_of(sliced)[2:])
    for product in one.slices:
        assert one.whole.footprint.buffer(1e-9).covers(product.footprint)
    assert (one.whole.start, one.whole.end) == (one.slices[0].start, one.slices[1].end)


def test_products_of_both_directions_of_an_orbit_are_two_passes(sliced: SimulatedPair) -> None:
    first, second, *_ = sliced.products
    turned = replace(second, orbit_direction="descending")
    assert first.orbit_direction == "ascending"
    assert [one.slices for one in passes_of([turned, first])] == [(first,), (turned,)]


def beyond_the_node(product: Product) -> Product:
    """The product as if the pass had crossed the ascending node before it."""
    orbit, track = (product.orbit_number or 0) + 1, (product.relative_orbit or 0) % 175 + 1
    return replace(product, orbit_number=orbit, relative_orbit=track)


def test_a_pass_goes_on_across_the_ascending_node(sliced: SimulatedPair) -> None:
    first, second, third, fourth = sliced.products
    beyond = beyond_the_node(second)
    # The next pass of the half of the Earth where numbers change.
    turn = timedelta(minutes=98)
    later = replace(beyond, title="later", start=beyond.start + turn, end=beyond.end + turn)

    one, after, other = passes_of([later, beyond, fourth, third, first])

    assert [found.slices for found in (one, after, other)] == [
        (first, beyond),
        (later,),
        (third, fourth),
    ]
    assert one.tracks == {first.relative_orbit, beyond.relative_orbit}
    assert one.whole.relative_orbit == first.relative_orbit


def test_passes_across_the_node_make_a_pair(sliced: SimulatedPair) -> None:
    first, second, third, fourth = sliced.products
    products = first, beyond_the_node(second), third, beyond_the_node(fourth)
    crossing = replace(sliced, products=products)
    named = {"reference": titles_of(sliced)[:2], "secondary": titles_of(sliced)[2:]}
    _, tasks = crossing.plan(InterferogramS1(), named)
    assert tasks[0].products == tuple(one.uid for one in products)
    # A slice of the other number is of the same track, one of another track is not.
    alone = {"reference": titles_of(sliced)[:2], "secondary": titles_of(sliced)[3:]}
    assert crossing.plan(InterferogramS1(), alone)[1]
    apart = replace(crossing, products=(first, second, *products[2:]))
    with pytest.raises(OrderRefusedError, match="relative orbit of"):
        apart.plan(InterferogramS1(), alone)


def test_both_ends_of_an_orbit_are_two_passes(sliced: SimulatedPair) -> None:
    first, second, *_ = sliced.products
    later = timedelta(minutes=60)
    end = replace(second, start=second.start + later, end=second.end + later)
    assert [one.slices for one in passes_of([end, first])] == [(first,), (end,)]


def test_slices_minutes_apart_are_no_interferogram(whole: SimulatedPair) -> None:
    reference, secondary = (open_slices([path], "VV") for path in whole.paths)
    ((name, swath),) = reference.swaths.items()
    *others, last = swath.bursts
    later = replace(last, azimuth_time=last.azimuth_time + 300.0)
    apart = replace(reference, swaths={name: replace(swath, bursts=(*others, later))})
    with pytest.raises(ChainError, match=r"30\d s apart, at most 120 expected"):
        pair_of(apart, secondary, Wanted())


def test_of_a_slice_that_was_processed_again_the_newer_stays(sliced: SimulatedPair) -> None:
    first, second, *_ = sliced.products
    later = first.published + timedelta(days=300)
    again = replace(first, title=f"{first.title[:-4]}FFFF", published=later)

    (found,) = passes_of([first, second, again])
    kept, repeats = without_repeats(found)

    assert set(kept.titles) == {again.title, second.title}
    assert [(old.title, new.title) for old, new in repeats] == [(first.title, again.title)]
