"""The simulated product that all tests of optical chains read."""

from datetime import UTC, datetime

import pytest

from simulator.optical.product import Acquisition, write_product
from tests.chains.optical.simulated_scene import Bench, bench_of

SENSING = datetime(2024, 6, 12, 10, 50, 31, tzinfo=UTC)


@pytest.fixture(scope="session")
def bench(tmp_path_factory) -> Bench:
    folder = tmp_path_factory.mktemp("optical")
    acquisition = Acquisition("31TCJ", 32631, 330_000, 4_840_020, 600, SENSING, clouds=0.05)
    return bench_of([write_product(folder, acquisition)], folder)
