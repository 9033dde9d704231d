"""Series less the delay in the troposphere, against air that is known at each date."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio

from peps_wps.config.processing_sections import Atmosphere
from peps_wps.errors import OrderRefusedError
from tests.chains.time_series_s1.simulated_stack import LATITUDE, LONGITUDE, Run, SimulatedStack
from tests.chains.time_series_s1.test_results import at_reference
from tests.standard_air import Nodes, StandardAir, write_air, write_geoid

pytestmark = pytest.mark.xdist_group("time_series")

GEOID = 48.0  # m
HUMIDITIES = 0.013, 0.006, 0.009, 0.004


@pytest.fixture(scope="module")
def aired(stack: SimulatedStack, tmp_path_factory) -> SimulatedStack:
    """The stack with the pairs of others, and with air of its dates."""
    folder = tmp_path_factory.mktemp("air")
    for product, humidity in zip(stack.products, HUMIDITIES, strict=True):
        hour = product.start.replace(minute=0, second=0, microsecond=0)
        nodes = Nodes(np.ceil(LATITUDE) + 0.5, np.floor(LONGITUDE) - 0.5)
        write_air(folder, hour, StandardAir(LATITUDE, humidity), nodes)
    shared = stack.service("shared")
    dem = replace(shared.config.dem, geoid_path=write_geoid(folder, GEOID))
    return replace(shared, config=replace(shared.config, atmosphere=Atmosphere(folder), dem=dem))


@pytest.fixture(scope="module")
def runs(aired: SimulatedStack) -> tuple[Run, Run]:
    """Without and with what the air adds taken off; both lean on nothing but the pairs."""
    first, second = (aired.order(atmosphere=one, dem_error="false") for one in ("none", "era5"))
    return first, second


def inner(run: Run, kind: str) -> np.ndarray:
    """A map that the last task wrote."""
    (path,) = run.finished["series"].folder.glob(f"*_{kind}.tif")
    with rasterio.open(path) as dataset:
        return dataset.read(1).astype(np.float64)


def test_displacement_of_each_date_is_less_what_the_air_changed(runs):
    without, less = runs
    heights, parts = (inner(less, kind) for kind in ("dem", "parts"))
    slant = 1.0 / np.cos(np.radians(less.values("incidence")))
    nodes = np.linspace(np.nanmin(heights), np.nanmax(heights), 8)
    first, *later = (
        np.interp(heights, nodes, [air.delay(node - GEOID) for node in nodes]) * slant
        for air in (StandardAir(LATITUDE, humidity) for humidity in HUMIDITIES)
    )

    added = less.values("displacement") - without.values("displacement")
    # Where pairs are missing the model of time ties dates, with the air in it or without.
    is_whole = np.isfinite(added[-1]) & (parts == 1)

    for date, delay in enumerate(later, 1):
        longer = delay - first
        longer -= at_reference(less, longer)
        off = (added[date] - longer)[is_whole]
        assert off.size > 1000
        # Splines against sums 0.1 mm of 2.4 m, and nearly the same at the reference.
        assert np.abs(off).max() < 2e-5
        assert np.abs(longer[is_whole]).max() > 2e-3


def test_the_result_says_where_its_air_is_from(runs):
    without, less = runs

    assert without.report["atmosphere"] == "none"
    assert "delay from ERA5_" in less.report["atmosphere"]
    assert less.report["atmosphere"].count(".grb") == len(HUMIDITIES)


def test_a_date_without_air_is_refused(stack, tmp_path):
    config = replace(stack.config, atmosphere=Atmosphere(tmp_path))

    with pytest.raises(OrderRefusedError, match="no ERA5 file for") as refused:
        replace(stack, config=config).plan(atmosphere="era5")

    assert refused.value.locator == "atmosphere"
