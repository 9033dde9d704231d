"""`peps simulate --pair`: options of interferometric pairs, and what they do."""

import argparse
from pathlib import Path

from simulator.manifest import POLARIZATION_CODES
from simulator.terrain import Terrain
from simulator.tops.instrument import MODES
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Bowl, Scene

_NOISE = 0.0015  # backscatter, linear power
_BOWL_M = 1_000.0  # standard deviation of the displacement


def add_pair_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of pairs to the parser of `peps simulate`."""
    pair = parser.add_argument_group("interferometric pair")
    pair.add_argument("--pair", action="store_true", help="SLC products of two passes")
    pair.add_argument("--swaths", nargs="+", default=["IW2"], help="IW1 to IW3, or EW1 to EW5")
    pair.add_argument("--bursts", type=int, default=2, help="of each swath")
    pair.add_argument("--baseline", type=float, default=85.0, help="across the track, metres")
    pair.add_argument("--days", type=int, default=12, help="between the passes")
    pair.add_argument("--coherence", type=float, default=0.8, help="of dry land")
    pair.add_argument(
        "--misregistration", type=float, default=0.0, help="of the second pass, lines"
    )
    pair.add_argument("--uplift", type=float, default=-0.1, help="of the middle, metres")
    pair.add_argument("--flat", action="store_true", help="uniform backscatter, no landscape")
    pair.add_argument(
        "--orbit-files", choices=("POEORB", "RESORB"), help="write them, of this kind"
    )
    pair.add_argument(
        "--only-noise", action="store_true", help="nothing but noise: whole products in seconds"
    )


def write_pair(folder: Path, arguments: argparse.Namespace, terrain: Terrain) -> list[Path]:
    """Write the products, truth and DEM of two passes over the origin of a terrain."""
    polarizations = tuple(arguments.polarizations or ["VV"])
    if polarizations not in POLARIZATION_CODES or arguments.mode not in MODES:
        raise ValueError(
            f"no pair of mode {arguments.mode} and polarisations {'+'.join(polarizations)}"
        )
    order = _order(arguments, polarizations, _scene(arguments, terrain))
    options = Options(
        packing=arguments.zip,
        orbit_files=arguments.orbit_files,
        is_noise=arguments.only_noise,
    )
    return write_passes(folder, order, options)


def _scene(arguments: argparse.Namespace, terrain: Terrain) -> Scene:
    """Return the ground, with the bowl that rises between the passes."""
    return Scene(
        terrain,
        bowls=(Bowl(0.0, 0.0, _BOWL_M, arguments.uplift),),
        noise=0.0 if arguments.flat else _NOISE,
        is_flat=arguments.flat,
        seed=arguments.seed,
    )


def _order(arguments: argparse.Namespace, polarizations: tuple[str, ...], scene: Scene) -> Order:
    """Return the two passes and what is kept of them."""
    error = tuple(arguments.degrade_orbit)
    second = Pass(
        days=arguments.days,
        across=arguments.baseline,
        late=2.3e-3,
        misregistration=arguments.misregistration,
        coherence=arguments.coherence,
        uplift=1.0,
        orbit_error=error,
    )
    chosen = {"start": arguments.start} if arguments.start else {}
    return Order(
        scene,
        (Pass(orbit_error=error), second),
        MODES[arguments.mode],
        tuple(arguments.swaths),
        bursts=arguments.bursts,
        lines=arguments.lines,
        samples=arguments.samples,
        satellite=arguments.satellite,
        ascending=arguments.direction == "ascending",
        processor=arguments.ipf or "3.71",
        polarizations=polarizations,
        bistatic=not arguments.no_bistatic,
        seed=arguments.seed,
        **chosen,
    )
