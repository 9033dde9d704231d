"""A series that the tests of S1_TILING share; what is made of all of it is made once."""

from collections.abc import Iterator

import pytest

from tests.chains.tiling_s1.simulated_series import Run, SimulatedSeries, simulate_series
from tests.chains.tiling_s1.small_tile import small_tiles


@pytest.fixture(autouse=True)
def _small_tile() -> Iterator[None]:
    with small_tiles():
        yield


@pytest.fixture(scope="session")
def series(tmp_path_factory) -> SimulatedSeries:
    """Four dates of both polarisations."""
    return simulate_series(tmp_path_factory.mktemp("series"))


@pytest.fixture
def full(series: SimulatedSeries) -> Run:
    """The service that was ordered all four dates at once, as an order that says nothing has it."""
    return series.once("full", lambda run: run.order(archive="true"))
