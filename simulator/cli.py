"""`peps simulate`: options of the command line and what they do."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pyproj import Transformer

from algorithms import mgrs
from simulator import demonstration
from simulator.acquisition import Order, plan
from simulator.dem import Datum, write_dem
from simulator.geometry import frame_of
from simulator.instrument import MODES, SATELLITES, Processor
from simulator.manifest import POLARIZATION_CODES
from simulator.real_metadata import default_terrain, read_annotation, write_from_metadata
from simulator.s1_grd import Options, footprint_bounds, write_pass
from simulator.terrain import ROLLING_HILLS, STEEP_RIDGES, Terrain, waves_of
from simulator.tops.cli import add_pair_arguments, write_pair

_WRONG_ARGUMENTS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `peps simulate` to a parser."""
    parser.add_argument("output", type=Path, help="folder to write products, truth and DEM to")
    parser.add_argument(
        "--demonstration", action="store_true", help="write the demonstration data set, no other"
    )
    parser.add_argument(
        "--later", type=int, metavar="CYCLES",
        help="with --demonstration: its radar and its optical product of a later date instead",
    )  # fmt: skip
    parser.add_argument(
        "--from-metadata", type=Path, help="SAFE folder or zip of a real product to fill"
    )
    place = parser.add_argument_group("place and time")
    place.add_argument("--tile", help="MGRS tile to centre on, such as 31TCJ")
    place.add_argument("--longitude", type=_longitude, default=1.33, help="of the centre, degrees")
    place.add_argument("--latitude", type=_latitude, default=43.60, help="of the centre, degrees")
    place.add_argument("--start", type=_utc, help="time of the first line, ISO 8601, UTC")
    place.add_argument("--satellite", choices=sorted(SATELLITES), default="S1A")
    place.add_argument(
        "--pass", dest="direction", choices=("ascending", "descending"), default="ascending"
    )
    product = parser.add_argument_group("product")
    product.add_argument("--mode", choices=sorted(MODES), default="IW")
    product.add_argument("--ipf", help="processor version: 2.36, 2.70, 3.31 (default), ...")
    product.add_argument("--polarizations", nargs="+", help="default: VV VH; VV of a pair")
    product.add_argument("--lines", type=_number, help="default: a whole product")
    product.add_argument("--samples", type=_number, help="default: a whole product")
    product.add_argument(
        "--range-position", type=float, default=0.5, help="of a crop: 0 near, 1 far range"
    )
    product.add_argument("--frames", type=_number, default=1, help="consecutive products")
    product.add_argument(
        "--zip", choices=("stored", "deflated"), default="folder", help="default: a SAFE folder"
    )
    _add_truth_arguments(parser)
    add_pair_arguments(parser)


def _add_truth_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is simulated, and of what products say of it."""
    truth = parser.add_argument_group("truth")
    truth.add_argument("--seed", type=int, default=1)
    truth.add_argument("--steep", action="store_true", help="steep relief of uniform gamma0")
    truth.add_argument("--relief", type=float, default=1.0, help="factor on the heights")
    truth.add_argument("--no-speckle", action="store_true")
    truth.add_argument("--no-bistatic", action="store_true")
    truth.add_argument("--range-rule", choices=("linear", "nearest"), default="linear")
    truth.add_argument(
        "--degrade-orbit", nargs=2, type=float, default=(0.0, 0.0), metavar=("ALONG", "ACROSS"),
        help="shift of the annotation's state vectors, metres; a good orbit file is written",
    )  # fmt: skip
    truth.add_argument("--geoid", type=Path, help="EGM96 grid: write an orthometric DEM")


def run(arguments: argparse.Namespace) -> int:
    """Write what the options ask for, and the paths to standard output; return the exit code."""
    try:
        written = _write(arguments)
    except (ValueError, FileNotFoundError) as error:
        sys.stderr.write(f"peps simulate: {error}\n")
        return _WRONG_ARGUMENTS
    sys.stdout.writelines(f"{product}\n" for product in written)
    return 0


def _write(arguments: argparse.Namespace) -> list[Path]:
    """Write what the options ask for; return the products."""
    folder: Path = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.demonstration and arguments.later:
        return [*demonstration.write_later(folder, arguments.later)]
    if arguments.demonstration:
        made = demonstration.write(folder)
        return [made.product, *made.pair, made.optical]
    if arguments.from_metadata:
        return [_fill_metadata(folder, arguments)]
    if arguments.pair:
        return write_pair(folder, arguments, _terrain(arguments))
    return _acquire(folder, arguments)


def _within(text: str, lowest: float, highest: float) -> float:
    """Return a number of the command line."""
    value = float(text)
    if not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(f"{text}: expected {lowest:g} to {highest:g}")
    return value


def _longitude(text: str) -> float:
    return _within(text, -180, 180)


def _latitude(text: str) -> float:
    return _within(text, -90, 90)


def _number(text: str) -> int:
    """Return how many, one at least."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1 or more")
    return value


def _utc(text: str) -> datetime:
    """Time of the command line, UTC unless it says otherwise."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: expected as 2021-08-09T17:39:53") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _options(arguments: argparse.Namespace) -> Options:
    """How to write the products."""
    polarizations = tuple(arguments.polarizations or ("VV", "VH"))
    if polarizations not in POLARIZATION_CODES:
        known = ", ".join("+".join(names) for names in POLARIZATION_CODES)
        raise ValueError(f"polarizations {'+'.join(polarizations)}: expected one of {known}")
    return Options(
        polarizations,
        arguments.seed,
        not arguments.no_speckle,
        degrade_orbit_m=tuple(arguments.degrade_orbit),
        packing=arguments.zip,
        ray_cast=arguments.steep,
    )


def _acquire(folder: Path, arguments: argparse.Namespace) -> list[Path]:
    """Write products of a simulated pass and their DEM."""
    terrain = _terrain(arguments)
    chosen = {"start": arguments.start} if arguments.start else {}
    order = Order(
        MODES[arguments.mode],
        Processor.of(arguments.ipf or "3.31"),
        terrain.longitude,
        terrain.latitude,
        satellite=arguments.satellite,
        ascending=arguments.direction == "ascending",
        lines=arguments.lines,
        samples=arguments.samples,
        range_position=arguments.range_position,
        frames=arguments.frames,
        bistatic=not arguments.no_bistatic,
        range_rule=arguments.range_rule,
        **chosen,
    )
    options = _options(arguments)
    _write_dem(folder, terrain, footprint_bounds(plan(order, terrain).frames, terrain), arguments)
    return write_pass(folder, order, terrain, options)


def _terrain(arguments: argparse.Namespace) -> Terrain:
    """Return the relief that the options ask for; its lowest height is 50 m."""
    longitude, latitude = _centre(arguments)
    rng = np.random.default_rng(arguments.seed)
    spectrum = STEEP_RIDGES if arguments.steep else ROLLING_HILLS
    waves = waves_of(spectrum, rng, scale=arguments.relief)
    base = 50.0 + float(np.abs(waves[:, 0]).sum())
    return Terrain(longitude, latitude, base, waves)


def _fill_metadata(folder: Path, arguments: argparse.Namespace) -> Path:
    """Write a product with real metadata and its DEM."""
    annotation = read_annotation(arguments.from_metadata)
    terrain = default_terrain(annotation, arguments.seed)
    bounds = footprint_bounds([frame_of(annotation)], terrain)
    _write_dem(folder, terrain, bounds, arguments)
    return write_from_metadata(
        folder,
        arguments.from_metadata,
        terrain=terrain,
        options=_options(arguments),
        bistatic=not arguments.no_bistatic,
        range_rule=arguments.range_rule,
    )


def _write_dem(
    folder: Path,
    terrain: Terrain,
    bounds: tuple[float, float, float, float],
    arguments: argparse.Namespace,
) -> None:
    """Write the relief, above the geoid when a grid of it is given."""
    datum: Datum = "EGM96" if arguments.geoid else "ellipsoid"
    write_dem(folder / "dem", terrain, bounds, datum=datum, geoid=arguments.geoid)


def _centre(arguments: argparse.Namespace) -> tuple[float, float]:
    """Longitude and latitude of the middle of the scene, radians."""
    if not arguments.tile:
        return float(np.radians(arguments.longitude)), float(np.radians(arguments.latitude))
    tile = mgrs.tile(arguments.tile)
    rows, columns = tile.shape
    easting, northing = tile.transform @ (columns / 2, rows / 2)
    to_geographic = Transformer.from_crs(tile.epsg, 4326, always_xy=True)
    longitude, latitude = to_geographic.transform(easting, northing)
    return float(np.radians(longitude)), float(np.radians(latitude))
