"""The demonstration data set east of Toulouse.

A Sentinel-1 product with its relief and its truth, two single look products of which an
interferogram can be made, and a Sentinel-2 product of the same place, but of another ground.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from simulator.acquisition import Order, plan
from simulator.dem import write_dem
from simulator.instrument import IW, Processor
from simulator.optical.displacement import Displacement, Fault, Shift, together
from simulator.optical.product import Acquisition, write_product
from simulator.s1_grd import Options, footprint_bounds, write_pass
from simulator.terrain import ROLLING_HILLS, Terrain
from simulator.tops import product as tops_product
from simulator.tops.plan import Order as TopsOrder
from simulator.tops.plan import Pass
from simulator.tops.scene import Bowl, Scene

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
# Until the satellites see the place from the same orbits again.
RADAR_CYCLE, OPTICAL_CYCLE = timedelta(days=12), timedelta(days=10)
# Pixels that ground on both sides of a fault through the middle slides by in a cycle, and that a
# later optical image lies south and east of its place.
SLIP, OFFSET = 0.8, Shift(dy=0.31, dx=-0.24)

# Two passes, twelve days apart: in between the ground has sunk by three fringes at one place and
# risen by one at another, and the beam has pointed six thousandths of a line late.
SETTLEMENT = Bowl(east=-600.0, north=1_500.0, radius=1_000.0, height=-0.11)
UPLIFT = Bowl(east=700.0, north=-5_000.0, radius=800.0, height=0.035)
PASSES = (
    Pass(),
    Pass(
        days=12, across=85.0, radial=20.0, late=2.3e-3, misregistration=0.006, coherence=0.8,
        uplift=1.0,
    ),
)  # fmt: skip
NOISE = 0.0015  # backscatter, linear power


@dataclass(frozen=True)
class Demonstration:
    """Where it lies: the radar product, its truth and relief, the pair, the optical product."""

    product: Path
    truth: Path
    dem: Path
    pair: tuple[Path, Path]
    optical: Path


def terrain() -> Terrain:
    """Relief of the demonstration."""
    rng = np.random.default_rng(SEED)
    return Terrain.random(ROLLING_HILLS, LONGITUDE, LATITUDE, rng, base=480.0, scale=0.7)


def order() -> Order:
    """Return the acquisition of the demonstration."""
    return Order(IW, Processor.of("3.31"), LONGITUDE, LATITUDE, lines=LINES, samples=SAMPLES)


def pair_order() -> TopsOrder:
    """Return the passes of the pair: short bursts of two swaths, in the middle of the relief."""
    scene = Scene(terrain(), bowls=(SETTLEMENT, UPLIFT), noise=NOISE, is_flat=False, seed=SEED)
    return TopsOrder(
        scene,
        PASSES,
        swaths=("IW1", "IW2"),
        bursts=2,
        lines=900,
        samples=1_000,
        start=datetime(2021, 8, 9, 17, 39, 57, tzinfo=UTC),
        seed=SEED,
    )


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
    reference, secondary = tops_product.write_passes(
        folder, pair_order(), tops_product.Options(dem=False)
    )
    optical = write_product(folder, OPTICAL)
    return Demonstration(
        product, folder / f"{title}.truth.json", folder / "dem", (reference, secondary), optical
    )


def motion(cycles: int) -> Displacement:
    """Return what has moved in the optical image since the date of the demonstration."""
    fault = Fault(row=1_023.0, column=1_023.0, strike=0.6, slip=SLIP * cycles, decay=120.0)
    return together(fault, OFFSET)


def write_later(folder: Path, cycles: int) -> tuple[Path, Path]:
    """Write the radar and the optical product of another date, of the same ground.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    cycles
        Of each satellite, after the date of the demonstration.

    Returns
    -------
    The radar product, with other speckle, and the optical one, which shows `motion(cycles)`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    radar = replace(order(), start=order().start + cycles * RADAR_CYCLE)
    options = Options(seed=SEED, speckle_seed=SEED + cycles)
    (product,) = write_pass(folder, radar, terrain(), options)
    sensing = OPTICAL.sensing + cycles * OPTICAL_CYCLE
    optical = replace(OPTICAL, sensing=sensing, displacement=motion(cycles), clouds=0.0)
    return product, write_product(folder, optical)
