"""The demonstration data set east of Toulouse.

A Sentinel-1 product with its relief and its truth, and a Sentinel-2 product of the same place, but
of another ground.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from simulator.acquisition import Order, plan
from simulator.dem import write_dem
from simulator.instrument import IW, Processor
from simulator.optical.product import Acquisition, write_product
from simulator.s1_grd import Options, footprint_bounds, write_pass
from simulator.terrain import ROLLING_HILLS, Terrain

# The overlap of tiles 31TCJ and 31TDJ lies in the middle: more than a tenth of each is seen.
LONGITUDE, LATITUDE = np.radians(1.823), np.radians(43.60)
LINES, SAMPLES = 4_500, 5_200
SEED = 31
# A fifth of tile 31TCJ a side, on its pixels of 60 m; the morning of the day of the radar.
OPTICAL = Acquisition(
    "31TCJ",
    epsg=32631,
    left=388_800,
    top=4_838_820,
    size=2_046,
    sensing=datetime(2021, 8, 9, 10, 56, 21, tzinfo=UTC),
    seed=SEED,
    clouds=0.04,
)


@dataclass(frozen=True)
class Demonstration:
    """Where it lies: the radar product, its truth and relief, and the optical product."""

    product: Path
    truth: Path
    dem: Path
    optical: Path


def terrain() -> Terrain:
    """Relief of the demonstration."""
    rng = np.random.default_rng(SEED)
    return Terrain.random(ROLLING_HILLS, LONGITUDE, LATITUDE, rng, base=480.0, scale=0.7)


def order() -> Order:
    """Return the acquisition of the demonstration."""
    return Order(IW, Processor.of("3.31"), LONGITUDE, LATITUDE, lines=LINES, samples=SAMPLES)


def write(folder: Path) -> Demonstration:
    """Write the demonstration data set.

    Parameters
    ----------
    folder
        Where to write; made when missing. Heights in its `dem` folder are ellipsoidal.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bounds = footprint_bounds(plan(order(), terrain()).frames, terrain())
    write_dem(folder / "dem", terrain(), bounds)
    (product,) = write_pass(folder, order(), terrain(), Options(seed=SEED))
    title = product.name.removesuffix(".SAFE")
    optical = write_product(folder, OPTICAL)
    return Demonstration(product, folder / f"{title}.truth.json", folder / "dem", optical)
