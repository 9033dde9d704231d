"""S2_CORRELATION puts back what moved between two simulated products, or says why it cannot."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer

from algorithms.block import Block
from algorithms.correlation import Flag
from peps_wps.chains.correlation_s2.chain import CorrelationS2
from peps_wps.errors import ChainError, InvalidInputError, OrderRefusedError
from simulator.optical.displacement import Fault, Shift, together
from simulator.optical.product import Acquisition, write_product
from tests.chains.optical.simulated_scene import bench_of
from tests.web.stac.extension_rules import validate

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = CorrelationS2()
SIZE, LEFT, TOP = 360, 330_000, 4_840_020
FIRST = datetime(2024, 6, 12, 10, 50, 31, tzinfo=UTC)
FAULT = Fault(SIZE / 2, SIZE / 2, 1.3, 1.6)
MOVED = together(FAULT, Shift(0.35, -0.2))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("correlation")
    acquisition = Acquisition("31TCJ", 32631, LEFT, TOP, SIZE, FIRST)
    later = replace(acquisition, sensing=FIRST + timedelta(days=10), displacement=MOVED)
    beside = replace(acquisition, sensing=FIRST + timedelta(days=20), left=LEFT + 1200)
    other = replace(acquisition, sensing=FIRST + timedelta(days=30), seed=9)
    cloudy = replace(later, sensing=FIRST + timedelta(days=40), clouds=0.4)
    hidden = replace(later, sensing=FIRST + timedelta(days=50), clouds=0.97)
    seen = (acquisition, later, beside, other, cloudy, hidden)
    paths = [write_product(folder, one) for one in seen]
    return bench_of(paths, folder)


def titles(pair, secondary=1):
    first, second = pair.shelf.products[0].title, pair.shelf.products[secondary].title
    return {"products": (), "reference": first, "secondary": second}


@pytest.fixture(scope="module")
def done(pair):
    return pair.run(CHAIN, **titles(pair), step="8", corrections="none")


def read(done, kind):
    with rasterio.open(done.outputs[kind]) as dataset:
        return dataset.read(1), dataset.transform


def true_field(transform, shape):
    row, column = np.indices(shape) + 0.5
    easting, northing = transform @ (column, row)
    return MOVED((TOP - northing) / 10 - 0.5, (easting - LEFT) / 10 - 0.5)


def test_east_and_north_are_what_moved(done):
    east, transform = read(done, "ew")
    north, _ = read(done, "ns")
    dy, dx = true_field(transform, east.shape)
    row, column = np.indices(east.shape) * 8.0 + 4.0
    away = np.abs(FAULT.distance(row, column)) > 18
    answered = np.isfinite(east) & away
    assert answered[4:-4, 4:-4].sum() > 0.95 * away[4:-4, 4:-4].sum()
    # Pixels of 10 m: the noise of a node is 0.02 of them, of one with little texture 0.05.
    for error in (east - 10 * dx, north + 10 * dy):
        assert np.median(np.abs(error)[answered]) < 0.15
        assert np.percentile(np.abs(error)[answered], 99) < 0.8
        assert np.abs(error)[answered].max() < 1.5


def test_nodes_lie_on_the_tile(done):
    _, transform = read(done, "flags")
    # The first node is centred on pixel 4, whose middle lies 45 m from the corner.
    assert tuple(transform)[:6] == (80, 0, LEFT + 5, 0, -80, TOP - 5)


def test_what_has_no_answer_has_a_flag(done):
    flags, _ = read(done, "flags")
    east, _ = read(done, "ew")
    np.testing.assert_array_equal(np.isfinite(east), flags == 0)
    assert (flags[0] & Flag.BORDER).all()


def test_statistics_are_those_of_the_field(done):
    found = json.loads(done.outputs["statistics"].read_text())
    flags, _ = read(done, "flags")
    east, _ = read(done, "ew")
    assert found["days"] == pytest.approx(10)
    assert found["nodes"] == flags.size
    assert found["answered_percent"] == pytest.approx(100 * np.mean(flags == 0), abs=1e-3)
    assert found["ew_m"]["median"] == pytest.approx(np.nanmedian(east), abs=1e-3)
    assert found["corrections"] == {}


def test_the_item_names_both_products(pair, done):
    item = json.loads(done.outputs["item"].read_text())
    validate(item)
    assert item["properties"]["peps:input_products"] == [p.title for p in pair.shelf.products[:2]]
    assert set(item["assets"]) >= {"ew", "ns", "quality", "flags", "thumbnail", "statistics"}
    for asset in item["assets"].values():
        assert (done.folder / "unpacked" / asset["href"]).stat().st_size == asset["file:size"]


def test_deforming_windows_give_the_same_still_sides(pair, done):
    deformed = pair.run(CHAIN, **titles(pair), step="8", corrections="none", model="affine")
    east, rigid = read(deformed, "ew")[0], read(done, "ew")[0]
    row, column = np.indices(east.shape) * 8.0 + 4.0
    away = np.abs(FAULT.distance(row, column)) > 24
    both = np.isfinite(east) & np.isfinite(rigid) & away
    assert both.sum() > 0.7 * away.sum()
    assert np.median(np.abs(east - rigid)[both]) < 0.1


def test_the_picture_shows_the_field(done):
    with rasterio.open(done.outputs["quicklook"]) as dataset:
        image = dataset.read()
    assert image.shape[0] == 4
    assert max(image.shape[1:]) >= 1000
    assert (image[:3] < 60).all(axis=0).any()  # arrows


def test_a_plane_of_still_ground_is_taken_off(pair):
    moved = pair.run(CHAIN, **titles(pair), corrections="plane", step="16")
    told = json.loads(moved.outputs["statistics"].read_text())
    east, _ = read(moved, "ew")
    assert abs(np.nanmedian(east)) < 8.0  # of the fault's 8 m on either side
    assert set(told["corrections"]) == {"plane"}
    assert "jitter" not in told["corrections"]


def test_corrections_that_cannot_be_known_are_told(pair):
    moved = pair.run(CHAIN, **titles(pair), step="16")
    told = json.loads(moved.outputs["statistics"].read_text())["corrections"]
    assert "no seam" in told["jitter"]
    assert set(told) == {"plane", "steps", "jitter"}


def area(left, top, right, bottom):
    to_degrees = Transformer.from_crs(32631, 4326, always_xy=True)
    box = shapely.segmentize(shapely.box(left, bottom, right, top), 200.0)
    return shapely.transform(box, lambda xy: np.column_stack(to_degrees.transform(*xy.T))).wkt


def test_an_area_has_the_nodes_of_the_whole(pair, done):
    part = pair.run(
        CHAIN,
        **titles(pair),
        step="8",
        corrections="none",
        geometry=area(LEFT + 1000, TOP - 1000, LEFT + 2000, TOP - 2000),
    )
    whole, transform = read(done, "ew")
    cut, corner = read(part, "ew")
    column, row = (round(v) for v in ~transform @ (corner.c, corner.f))
    same = whole[row : row + cut.shape[0], column : column + cut.shape[1]]
    assert cut.shape in {(12, 12), (13, 13)}
    assert np.isfinite(cut).mean() > 0.9
    # The area's window is filtered by itself: float32 sums in other strips.
    np.testing.assert_allclose(cut, same, atol=0.02)


def test_an_overlapping_tile_is_compared_on_common_ground(pair):
    shelf = pair.shelf
    beside = replace(shelf.products[2], mgrs_tile="31TDJ")
    products = [*shelf.products[:2], beside]
    other = replace(pair, shelf=replace(shelf, products=products))
    task = other.plan(CHAIN, **titles(other, 2))[1].tasks[0]
    assert task.body["tiles"] == ["31TCJ", "31TDJ"]
    done = pair.run(CHAIN, **titles(pair, 2), corrections="none")
    east, transform = read(done, "ew")
    assert transform.c == LEFT + 1200 + 5
    assert np.nanmax(np.abs(east)) < 1.5
    assert np.nanmedian(np.abs(east)) < 0.15


def test_stable_ground_is_still_and_velocity_is_displacement_by_time(pair):
    side = area(LEFT, TOP - 700, LEFT + 900, TOP - 2900)  # one side of the fault
    done = pair.run(
        CHAIN,
        **titles(pair),
        step="8",
        corrections="none",
        stable_ground=side,
        velocity="m/day",
        vector_median="true",
    )
    east, transform = read(done, "ew")
    velocity, _ = read(done, "velocity_ew")
    np.testing.assert_allclose(velocity, east / 10, rtol=1e-6)  # ten days
    told = json.loads(done.outputs["statistics"].read_text())["corrections"]["offset"]
    _, dx = true_field(transform, east.shape)
    column, row = ~transform @ (LEFT + 400, TOP - 1800)
    expected = 10 * (dx - dx[round(row), round(column)])
    assert np.nanmedian(np.abs(east - expected)) < 0.3
    assert told["ew"]["middle_m"] == pytest.approx(10 * dx[round(row), round(column)], abs=0.5)


def test_stable_ground_without_answers_fails_with_its_reason(pair):
    corner = area(LEFT, TOP, LEFT + 90, TOP - 90)
    with pytest.raises(ChainError, match="stable ground: 0 nodes are answered"):
        pair.run(CHAIN, **titles(pair), stable_ground=corner)


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        ({"band": "B77"}, "no band of Sentinel-2"),
        ({"window": "30"}, "odd number"),
        ({"window": "999"}, "from 7 to 255"),
        ({"window": "1e3"}, "from 7 to 255"),
        ({"step": "0"}, "from 1 to 1000"),
        ({"max_displacement_m": "-4"}, "from 0 to 5000"),
        ({"max_displacement_m": "nan"}, "from 0 to 5000"),
        ({"geometry": "POLYGON((1 2"}, "WKT or GeoJSON"),
        ({"model": "projective"}, "one of auto, translation, affine"),
        ({"corrections": "all"}, "none alone, or some of"),
        ({"corrections": ["none", "plane"]}, "none alone, or some of"),
        ({"reference": ""}, "reference is missing"),
        ({"secondary": ""}, "secondary is missing"),
        ({"stable_ground": "POINT(1 2)"}, "stable_ground is POINT"),
        ({"velocity": "km/h"}, "one of none, m/year, m/day"),
        ({"neighbours": "0"}, "from 1 to 99"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_inputs_without_meaning_are_refused(pair, inputs, match):
    with pytest.raises(InvalidInputError, match=match):
        pair.plan(CHAIN, **{**titles(pair), **inputs})


def refused(pair, match, secondary=1, **changed):
    products = list(pair.shelf.products)
    products[secondary] = replace(products[secondary], **changed)
    other = replace(pair, shelf=replace(pair.shelf, products=products))
    with pytest.raises(OrderRefusedError, match=match):
        other.plan(CHAIN, **titles(other, secondary))


def test_the_same_product_twice_is_refused(pair):
    refused(pair, "secondary is the reference", secondary=0)


def test_an_unknown_product_is_refused(pair):
    with pytest.raises(OrderRefusedError, match="not in the catalogue"):
        pair.plan(CHAIN, **{**titles(pair), "secondary": "S2A_NONE"})


def test_another_mission_is_refused(pair):
    refused(pair, "expected Sentinel-2", product_type="IW_GRDH_1S", processing_level="LEVEL1")


def test_a_band_that_level_2a_lacks_is_refused(pair):
    products = [replace(p, processing_level="LEVEL2A") for p in pair.shelf.products]
    other = replace(pair, shelf=replace(pair.shelf, products=products))
    with pytest.raises(OrderRefusedError, match="no band B10"):
        other.plan(CHAIN, **titles(other), band="B10")


def test_tiles_of_other_zones_are_refused(pair):
    refused(pair, "expected one UTM zone", mgrs_tile="32TLP")


def test_tiles_that_do_not_overlap_are_refused(pair):
    refused(pair, "overlap by less than", mgrs_tile="31TFJ")


def test_products_without_common_ground_are_refused(pair):
    refused(pair, "shows no ground", footprint=shapely.box(3.5, 43.0, 3.6, 43.1))


def test_an_area_elsewhere_is_refused(pair):
    with pytest.raises(OrderRefusedError, match="lies outside"):
        pair.plan(CHAIN, **titles(pair), geometry="POLYGON((9 9, 10 9, 10 10, 9 10, 9 9))")


def test_an_area_smaller_than_a_window_is_refused(pair):
    small = area(LEFT + 600, TOP - 600, LEFT + 900, TOP - 2600)
    with pytest.raises(OrderRefusedError, match="less than a window of 31 pixels of 10 m"):
        pair.plan(CHAIN, **titles(pair), geometry=small, step="1")


def test_a_window_larger_than_the_image_fails_with_its_reason(pair):
    with pytest.raises(ChainError, match="less than a window of 255"):
        pair.run(CHAIN, **titles(pair, 2), window="255")


def test_unlike_images_fail_with_their_reason(pair):
    with pytest.raises(ChainError, match="do not resemble each other"):
        pair.run(CHAIN, **titles(pair, 3))


def test_what_clouds_hide_is_told(pair):
    done = pair.run(CHAIN, **titles(pair, 4), mask_clouds="true", corrections="none")
    flags, transform = read(done, "flags")
    assert ((flags & Flag.CLOUD) != 0).mean() > 0.2
    east, _ = read(done, "ew")
    _, dx = true_field(transform, east.shape)
    assert np.nanmedian(np.abs(east - 10 * dx)) < 0.2


def test_a_clouded_product_fails_with_its_reason(pair):
    with pytest.raises(ChainError, match=r"clouds hide \d+ percent"):
        pair.run(CHAIN, **titles(pair, 5), mask_clouds="true")


def test_a_window_of_an_image_is_part_of_the_whole(pair):
    image = pair.scene.image("B04")
    whole = image.read_all(threads=2)
    window = Block(37, 101, 200, 60)
    np.testing.assert_array_equal(image.read_window(window), whole[37:237, 101:161])
