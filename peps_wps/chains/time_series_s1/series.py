"""The pairs of a stack put together: their reference, their dates, and what inverts them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from pyproj import Transformer

from algorithms.block import Block
from algorithms.time_series.network import network
from algorithms.time_series.reference import ReferenceBlock
from peps_wps.chains.contract import TaskInputs
from peps_wps.chains.interferometry.air import read_air
from peps_wps.chains.interferometry.geometry_layers import height_layer, incidence_layer
from peps_wps.chains.interferometry.mapping import AnyArray, Layer, Seen, write_layers
from peps_wps.chains.time_series_s1.air import PairAir
from peps_wps.chains.time_series_s1.corrections import (
    Correction,
    fitted_correction,
    no_correction,
    offset_of,
    reference_of,
)
from peps_wps.chains.time_series_s1.holdings import (
    COHERENCE,
    PHASE,
    PairRecord,
    kept_pair,
    layer_path,
    map_of,
    record_of,
)
from peps_wps.chains.time_series_s1.inversion import Geometry, MappedPair, StackSolver
from peps_wps.chains.time_series_s1.maps import map_work
from peps_wps.chains.time_series_s1.misregistration import Joined, check_connected
from peps_wps.chains.time_series_s1.order import ATMOSPHERES, ERA5
from peps_wps.chains.time_series_s1.tasks import NETWORK_NAME, Acquisition, Pair, StackWork
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from peps_wps.errors import ChainError

_RADIUS = 2  # pixels each way of the reference
SLANT_RANGE = "slant_range"


@dataclass(frozen=True)
class UsedPair:
    """A pair of a series.

    Parameters
    ----------
    pair, record
        What it is, and what is known of it.
    dates
        Indexes of its acquisitions in those of the series.
    lines
        Shift that was taken out of it.
    mean_coherence
        0 to 1.
    """

    pair: Pair
    record: PairRecord
    dates: tuple[int, int]
    lines: float
    mean_coherence: float


@dataclass(frozen=True)
class StackSeries:
    """A series that is ready to be inverted.

    Parameters
    ----------
    work
        The order's stack.
    acquisitions
        Those that pairs connect, in the order of time.
    pairs
        Those used.
    dropped
        Names of the others, with the reasons.
    joined
        Shifts of the dates.
    reference
        Where displacement is zero.
    solver
        Inverts blocks.
    """

    work: StackWork
    acquisitions: tuple[Acquisition, ...]
    pairs: tuple[UsedPair, ...]
    dropped: dict[str, str]
    joined: Joined
    reference: ReferenceBlock
    solver: StackSolver

    @property
    def datum(self) -> str:
        """What the heights were measured from."""
        return self.pairs[0].record.bursts[0].datum

    @property
    def atmosphere(self) -> str:
        """What is taken off the pairs for the air and the orbits."""
        if self.solver.air is not None:
            return self.solver.air.air.note
        return self.work.stack.order.atmosphere

    @property
    def stem(self) -> str:
        """Of the files."""
        first, last = self.acquisitions[0], self.acquisitions[-1]
        return f"s1_{self.work.stack.track}_{first.day}_{last.day}_series"

    @property
    def reference_place(self) -> tuple[float, float]:
        """Longitude and latitude of the reference, degrees."""
        grid = self.work.stack.grid
        easting, northing = grid.transform @ (
            self.reference.column + 0.5,
            self.reference.row + 0.5,
        )
        to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
        longitude, latitude = to_degrees.transform(easting, northing)
        return float(longitude), float(latitude)


def series_of(
    work: StackWork, inputs: TaskInputs, progress: Callable[[float], None]
) -> StackSeries:
    """Put the maps of all pairs together; those of the geometry go into the scratch folder.

    Raises
    ------
    ChainError
        When a pair's maps are gone, or pairs with a phase at the reference do not connect three
        dates.
    """
    lake = Lake(inputs.config.datalake.path)
    joined = Joined.of(inputs.earlier, NETWORK_NAME)
    dropped = dict(joined.dropped)
    found = _found(work, lake, joined)
    phases = {index: layer_path(lake, one.pair, PHASE) for index, one in found.items()}
    coherences = [layer_path(lake, one.pair, COHERENCE) for one in found.values()]
    reference = _reference(work, coherences, list(phases.values()))
    told = {index: offset_of(path, reference) for index, path in phases.items()}
    offsets = {index: offset for index, offset in told.items() if offset is not None}
    for index in sorted(told.keys() - offsets.keys()):
        dropped[found[index].pair.name] = "it has no phase at the reference"
    check_connected(work, list(offsets), next(iter(dropped.values()), ""))
    used = sorted({date for index in offsets for date in index})
    acquisitions = tuple(work.acquisitions[date] for date in used)
    mapped = tuple(
        _mapped(lake, found[index], (used.index(index[0]), used.index(index[1])), offset)
        for index, offset in offsets.items()
    )
    geometry = _geometry(work, next(iter(found.values())), lake, inputs, progress)
    solver = StackSolver(
        tuple(one.start for one in acquisitions),
        mapped,
        geometry,
        _correction(work, mapped, geometry, acquisitions),
        work.stack.order,
        _air(work, mapped, geometry, acquisitions, reference, inputs.config),
    )
    pairs = tuple(
        replace(found[index], dates=one.dates) for index, one in zip(offsets, mapped, strict=True)
    )
    return StackSeries(work, acquisitions, pairs, dropped, joined, reference, solver)


def _mapped(lake: Lake, one: UsedPair, dates: tuple[int, int], offset: float) -> MappedPair:
    """Return the maps of a pair with what they are told against."""
    return MappedPair(
        layer_path(lake, one.pair, PHASE),
        layer_path(lake, one.pair, COHERENCE),
        dates,
        offset,
        one.record.perpendicular_baseline,
    )


def _found(work: StackWork, lake: Lake, joined: Joined) -> dict[tuple[int, int], UsedPair]:
    """Return the pairs that have maps, by indexes of their acquisitions."""
    found = {}
    for index in work.pairs:
        pair = work.pair(index)
        if pair.name in joined.dropped:
            continue
        record, lines = record_of(lake, pair), joined.lines(pair)
        product = map_of(lake, pair, lines)
        if record is None or product is None:
            raise ChainError(f"the maps of pair {pair.name} are not there any more: order again")
        coherence = float(product.item["properties"]["peps:mean_coherence"])
        found[index] = UsedPair(pair, record, index, lines, coherence)
    return found


def _reference(work: StackWork, coherences: list[Path], phases: list[Path]) -> ReferenceBlock:
    """Return the pixels of the place asked for, or the most coherent ones."""
    stack = work.stack
    if stack.order.reference_point is None:
        return reference_of(coherences, phases)
    to_map = Transformer.from_crs(4326, stack.grid.epsg, always_xy=True)
    column, row = ~stack.grid.transform @ to_map.transform(*stack.order.reference_point)
    rows, columns = stack.grid.shape
    if not (0 <= row < rows and 0 <= column < columns):
        raise ChainError("the reference point lies outside the map")
    return ReferenceBlock(int(row), int(column), _RADIUS)


def _geometry(
    work: StackWork,
    seen_by: UsedPair,
    lake: Lake,
    inputs: TaskInputs,
    progress: Callable[[float], None],
) -> Geometry:
    """Write maps of incidence, range and height, as the first pair sees them."""
    stack = work.stack
    kept = kept_pair(lake, seen_by.pair, seen_by.record)
    files = write_layers(
        map_work(stack, kept, seen_by.record, None, inputs.config),
        [incidence_layer(), _range_layer(), height_layer()],
        inputs.scratch,
        stack.track,
        tags={},
        threads=inputs.config.processing.threads,
        progress=progress,
    )
    product = map_of(lake, seen_by.pair, seen_by.lines)
    if not files or product is None:
        raise ChainError("the map shows nothing of the bursts")
    return Geometry(
        kept.grid.frame.wavelength,
        float(product.item["properties"]["peps:looks"]),
        files["incidence"],
        files[SLANT_RANGE],
        files["dem"],
    )


def _range_layer() -> Layer:
    def slant_range(seen: Seen) -> AnyArray:
        return seen.grid.frame.range_of(seen.view.sample).astype(np.float32)

    return Layer(SLANT_RANGE, "Slant range", slant_range, unit="m")


def _correction(
    work: StackWork,
    mapped: tuple[MappedPair, ...],
    geometry: Geometry,
    acquisitions: tuple[Acquisition, ...],
) -> Correction:
    """Return what is taken off the pairs for the air and the orbits, as the order says."""
    none, elevation, planes, both, era5 = ATMOSPHERES
    wanted = work.stack.order.atmosphere
    if wanted in (none, era5):
        return no_correction(work.stack.grid.shape, len(mapped))
    net = network([one.start for one in acquisitions], np.array([one.dates for one in mapped]))
    return fitted_correction(
        [one.phase for one in mapped],
        geometry.elevation,
        net,
        planes=wanted in (planes, both),
        by_elevation=wanted in (elevation, both),
    )


def _air(
    work: StackWork,
    mapped: tuple[MappedPair, ...],
    geometry: Geometry,
    acquisitions: tuple[Acquisition, ...],
    reference: ReferenceBlock,
    config: Config,
) -> PairAir | None:
    """Return what the air of ERA5 adds to the pairs, if that is asked for."""
    stack = work.stack
    if stack.order.atmosphere != ERA5:
        return None
    bounds = shapely.from_wkt(stack.area).bounds
    air = read_air(config, [one.start for one in acquisitions], bounds)
    rows, columns = reference.window(stack.grid.shape)
    block = Block(rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start)
    pairs = np.array([one.dates for one in mapped])
    place = block, *geometry.heights_and_angles(block)
    return PairAir.told_against(air, stack.grid, pairs, geometry.wavelength, place)
