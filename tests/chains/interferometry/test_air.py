"""Interferograms less the delay in the troposphere, against air that is known."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from affine import Affine

from algorithms.block import Block
from peps_wps.chains.contract import PlanContext, TaskInputs
from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from peps_wps.chains.interferometry.air import read_air
from peps_wps.chains.interferometry.map_grid import MapGrid
from peps_wps.config.processing_sections import Atmosphere
from peps_wps.errors import InvalidInputError, OrderRefusedError
from tests.standard_air import Nodes, StandardAir, write_air, write_geoid

GEOID = 48.0  # m
HUMIDITY = 0.013, 0.004  # a muggy day and a dry one: 10 cm of path


def hour_of(product):
    return product.start.replace(minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def configured(pair, tmp_path_factory):
    """The configuration of the pair, with air of both dates and a geoid that is flat."""
    folder = tmp_path_factory.mktemp("air")
    for product, humidity in zip(pair.products, HUMIDITY, strict=True):
        air = StandardAir(43.6, humidity)
        write_air(folder, hour_of(product), air, Nodes(44.5, 0.5))
    dem = replace(pair.config.dem, geoid_path=write_geoid(folder, GEOID))
    return replace(pair.config, dem=dem, atmosphere=Atmosphere(folder))


@pytest.fixture(scope="module")
def corrected(pair, made, configured, tmp_path_factory):
    """The layers of the pair's interferogram with `atmosphere=era5`."""
    folder = tmp_path_factory.mktemp("corrected")
    *cells, last = made.finished
    order = last.task.body["order"] | {"atmosphere": "era5", "masks": False}
    task = replace(last.task, body=last.task.body | {"order": order})
    inputs = TaskInputs({}, configured, folder, tuple(cells))
    InterferogramS1().run(task, inputs, lambda *_: None)
    return folder


def read(folder, layer):
    (path,) = folder.rglob(f"*_{layer}.tif")
    with rasterio.open(path) as dataset:
        return dataset.read(1).astype(np.float64)


def delay(humidity, heights):
    """The zenith delay at heights above the ellipsoid, by summing up."""
    air = StandardAir(43.6, humidity)
    nodes = np.linspace(np.nanmin(heights), np.nanmax(heights), 8)
    return np.interp(heights, nodes, [air.delay(node - GEOID) for node in nodes])


def test_displacements_are_less_what_the_air_changed(made, corrected):
    heights, angle = read(corrected, "dem"), np.radians(read(corrected, "incidence"))
    longer = (delay(HUMIDITY[1], heights) - delay(HUMIDITY[0], heights)) / np.cos(angle)

    added = read(corrected, "displacement") - read(made.last.folder, "displacement")

    # The difference of splines and sums is 0.1 mm; float32 of metres, and nodes of latitude.
    off = added - longer
    assert np.isfinite(off).sum() > 2000
    assert np.nanstd(longer) > 1.5e-3
    assert np.nanmax(np.abs(off - np.nanmean(off))) < 2e-4
    known = np.isfinite(added)
    np.testing.assert_allclose(read(corrected, "troposphere")[known], added[known], atol=1e-6)


def test_displacement_stays_zero_at_its_reference(made, corrected):
    """The air's part at the reference is taken off: else it would be 10 cm."""
    added = read(corrected, "displacement") - read(made.last.folder, "displacement")

    # Over relief of some hundred metres the part differs by millimetres.
    assert np.nanmin(added) < 0.0 < np.nanmax(added)


def test_phase_and_vertical_displacement_follow(corrected):
    displacement = read(corrected, "displacement")
    wavelength = 299_792_458.0 / 5.405000454334350e9

    phase = -4 * np.pi / wavelength * displacement
    vertical = displacement / np.cos(np.radians(read(corrected, "incidence")))

    np.testing.assert_allclose(read(corrected, "unwrapped"), phase, atol=2e-5)
    np.testing.assert_allclose(read(corrected, "vertical"), vertical, atol=1e-6)


def test_delays_are_right_across_the_antimeridian(pair, configured, tmp_path):
    time = hour_of(pair.products[0])
    air = StandardAir(-17.0)
    write_air(tmp_path, time, air, Nodes(north=-16.0, west=179.0))
    config = replace(configured, atmosphere=Atmosphere(tmp_path))
    target = MapGrid("", 32760, Affine(1000.0, 0, 815_000.0, 0, -1000.0, 8_118_000.0), (8, 12))
    block = Block(2, 1, 5, 11)
    height = np.full((5, 11), 100.0 + GEOID, np.float32)

    for west in (179.9, -180.1):
        (found,) = read_air(config, [time], (west, -17.1, west + 0.2, -16.9)).slant_delays(
            target, block, height, np.full((5, 11), np.pi / 3, np.float32)
        )
        np.testing.assert_allclose(found, 2 * air.delay(100.0), atol=4e-4)


@pytest.mark.parametrize(
    ("west", "message"), [(10.5, "no ERA5 file covers"), (None, r"expected one with a name")]
)
def test_an_order_without_air_is_refused(pair, west, message, tmp_path):
    if west is not None:
        write_air(tmp_path, hour_of(pair.products[0]), StandardAir(), Nodes(44.5, west))
    chain = InterferogramS1()
    order = chain.parse(pair.titles() | {"atmosphere": ["era5"]})
    config = replace(pair.config, atmosphere=Atmosphere(tmp_path))

    with pytest.raises(OrderRefusedError, match=message) as refused:
        chain.plan(order, PlanContext(pair, config))

    assert refused.value.locator == "atmosphere"


def test_air_needs_an_unwrapped_phase(pair):
    with pytest.raises(InvalidInputError, match="unwrap none"):
        InterferogramS1().parse(pair.titles() | {"atmosphere": ["era5"], "unwrap": ["none"]})
