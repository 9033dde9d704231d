"""Consecutive slices of a pass read as the product that they were cut from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import SlcProduct, open_slc
from peps_wps.readers.sentinel1_slices import join_slices, open_slices
from simulator.terrain import Terrain
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Scene

FLAT = Scene(Terrain(np.radians(1.5), np.radians(43.5), 200.0, np.empty((0, 4))))
ORDER = Order(FLAT, (Pass(), Pass(days=12)), swaths=("IW1", "IW2"), bursts=3, lines=90, samples=80)
# The middle burst is in both.
SLICES = (range(2), range(1, 3))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SlcProduct:
    folder = tmp_path_factory.mktemp("whole")
    return open_slc(Safe.open(write_passes(folder, ORDER, Options(threads=1))[0]))


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two of each of two passes."""
    folder = tmp_path_factory.mktemp("slices")
    return write_passes(folder, ORDER, Options(threads=1, slices=SLICES))


def test_slices_hold_what_the_whole_product_holds(whole: SlcProduct, slices: list[Path]) -> None:
    joined = open_slices([slices[1], slices[0]], "VV")

    assert list(joined.bursts) == list(whole.bursts)
    for key, burst in joined.bursts.items():
        swath, number = key
        assert burst.azimuth_time == whole.bursts[key].azimuth_time
        np.testing.assert_array_equal(
            joined.swaths[swath].read(number), whole.swaths[swath].read(number)
        )
    assert (joined.manifest.start, joined.manifest.stop) == (
        whole.manifest.start,
        whole.manifest.stop,
    )


def test_titles_are_told_in_the_order_of_time(slices: list[Path]) -> None:
    titles = tuple(path.name.removesuffix(".SAFE") for path in slices[:2])
    joined = open_slices([slices[1], slices[0]], "VV")
    assert joined.titles == titles
    assert joined.title == " and ".join(titles)


def test_vectors_of_all_annotations_make_one_orbit(slices: list[Path]) -> None:
    joined = open_slices(slices[:2], "VV")
    times = [burst.orbit.time for burst in joined.bursts.values()]
    single = open_slices(slices[:1], "VV")
    assert all(np.array_equal(times[0], other) for other in times)
    assert (np.diff(times[0]) > 1.0).all()
    assert times[0].size >= next(iter(single.bursts.values())).orbit.time.size


def test_one_product_is_read_as_it_is(slices: list[Path]) -> None:
    single, same = open_slices(slices[:1], "VV"), open_slc(Safe.open(slices[0]))
    assert single.titles == (same.title,)
    assert list(single.bursts) == list(same.bursts)


def test_orbits_are_counted_on_across_the_node(slices: list[Path]) -> None:
    opened = [open_slc(Safe.open(path)) for path in slices[:2]]
    orbits = opened[0].manifest.orbit_number + np.array([0, 1, 2])
    one, beyond, other = (
        replace(product, manifest=replace(product.manifest, orbit_number=int(orbit)))
        for product, orbit in zip((opened[0], opened[1], opened[1]), orbits, strict=True)
    )
    assert list(join_slices([one, beyond]).bursts) == list(join_slices(opened).bursts)
    for wrong in ([one, other], [beyond, replace(opened[1], manifest=one.manifest)]):
        with pytest.raises(SafeError, match="are not slices of one pass"):
            join_slices(wrong)


def test_slices_of_two_passes_are_refused(slices: list[Path]) -> None:
    with pytest.raises(SafeError, match="are not slices of one pass"):
        open_slices([slices[0], slices[3]], "VV")
