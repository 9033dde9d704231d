"""Small scenes that several tests of the simulator look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from simulator.acquisition import Order
from simulator.instrument import IW, Processor
from simulator.s1_grd import Options, write_pass
from simulator.terrain import ROLLING_HILLS, Terrain


@dataclass(frozen=True)
class Product:
    """A product on disk and the relief it shows."""

    path: Path
    terrain: Terrain


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    place = np.radians((1.4, 43.6))
    terrain = Terrain.random(ROLLING_HILLS, *place, np.random.default_rng(1))
    order = Order(
        IW, Processor.of("3.31"), terrain.longitude, terrain.latitude, lines=900, samples=1500
    )
    (path,) = write_pass(tmp_path_factory.mktemp("product"), order, terrain, Options())
    return Product(path, terrain)
