"""One pair of a stack, from its cells to maps of unwrapped phase and coherence in the datalake."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from peps_wps.chains.contract import Json, Progress, TaskInputs, TaskResult
from peps_wps.chains.interferometry.describe import (
    SIGNS,
    PairMaking,
    layer_asset,
    lineage,
    pair_item,
    tags_of,
)
from peps_wps.chains.interferometry.map_grid import projected
from peps_wps.chains.interferometry.mapping import (
    Layer,
    MapWork,
    number_layer,
    value_layer,
    write_layers,
)
from peps_wps.chains.interferometry.solve import KeptPair, Merged, merged, solved
from peps_wps.chains.interferometry.terrain import map_relief
from peps_wps.chains.ortho_s1.heights import configured_dem
from peps_wps.chains.time_series_s1.holdings import (
    COHERENCE,
    PHASE,
    SHIFT,
    PairRecord,
    kept_pair,
    map_of,
    record_of,
)
from peps_wps.chains.time_series_s1.misregistration import Joined
from peps_wps.chains.time_series_s1.tasks import NETWORK_NAME, Pair, Stack
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from peps_wps.errors import ChainError
from peps_wps.writers import stac


def run_map(work: Pair, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Unwrap a pair and publish its maps, unless they are there; a pair without cells has none."""
    lake = Lake(inputs.config.datalake.path)
    lake.files.recover()
    joined = Joined.of(inputs.earlier, NETWORK_NAME)
    if work.name in joined.dropped:
        return TaskResult({}, left_out=joined.dropped[work.name])
    lines = joined.lines(work)
    with lake.lock(
        f"{work.folder}/maps",
        holder=work.name,
        waiting=lambda holder: progress(f"Waiting for {holder}", 0),
    ):
        record = record_of(lake, work)
        if record is None:
            raise ChainError(f"the cells of pair {work.name} are not there any more: order again")
        product = map_of(lake, work, lines)
        if product is not None:
            return TaskResult({"state": "held", "item": product.path})
        _publish(work, lake, record, lines, inputs, progress)
    return TaskResult({"state": "published", "item": f"{work.folder}/{work.stem}.json"})


def map_work(
    stack: Stack, kept: KeptPair, record: PairRecord, held: Merged | None, config: Config
) -> MapWork:
    """Return what puts cells of a pair on the map of a stack.

    Parameters
    ----------
    held
        Whose cells hold something; None: all do.
    """
    area: BaseGeometry = shapely.from_wkt(stack.area)
    is_held = np.ones(kept.grid.shape, np.uint8) if held is None else held.held.astype(np.uint8)
    return MapWork(
        stack.grid,
        kept.grid,
        kept.secondary_frame,
        is_held,
        map_relief(configured_dem(config), area, record.facts.near_incidence),
        area,
        projected(area, stack.grid.epsg) if stack.order.geometry is not None else None,
    )


def _publish(
    work: Pair,
    lake: Lake,
    record: PairRecord,
    lines: float,
    inputs: TaskInputs,
    progress: Progress,
) -> None:
    """Merge, filter, unwrap, put on the map and publish."""
    stack = work.stack
    kept = kept_pair(lake, work, record)
    progress("Putting the bursts together", 0)
    whole = merged(kept, lines)
    layers = _layers(work, whole, progress)
    files = write_layers(
        map_work(stack, kept, record, whole, inputs.config),
        layers,
        inputs.scratch,
        work.stem,
        tags=tags_of(record.facts, stack.grid, _sentence(work, record), record.bursts[0].datum),
        threads=inputs.config.processing.threads,
        progress=lambda share: progress("Writing the maps", 60 + 35 * share),
    )
    if not files:
        raise ChainError(f"pair {work.name} shows nothing of the map")
    progress("Publishing", 97)
    assets = {
        layer.name: layer_asset(layer, files[layer.name], stack.grid, stack.polarization)
        for layer in layers
    }
    item = _item(work, record, whole, lines, assets)
    lake.publish(work.folder, item, list(files.values()))


def _layers(work: Pair, whole: Merged, progress: Progress) -> list[Layer]:
    """Filter and unwrap an interferogram; return what is put on the map."""
    order = work.stack.order
    solution = solved(
        whole,
        is_filtered=order.is_filtered,
        unwrapper=order.unwrapper,
        least_coherence=order.min_coherence,
        progress=lambda message, share: progress(message, 10 + 50 * share),
    )
    if solution.unwrapped is None:
        raise ChainError(f"pair {work.name} was not unwrapped")
    components = solution.unwrapped.components
    phase = np.where(components > 0, solution.phase, np.float32(np.nan))
    return [
        value_layer(PHASE, f"Unwrapped phase, {SIGNS['phase']}", phase, "rad"),
        value_layer(COHERENCE, "Coherence, 0 to 1, without bias", whole.coherence),
        number_layer("components", "Parts unwrapped together, 0 for none", components),
    ]


def _sentence(work: Pair, record: PairRecord) -> str:
    order = work.stack.order
    done = (
        f"{order.looks_range} x {order.looks_azimuth} looks, flattened by orbits and heights, "
        f"spectral diversity over all pairs of the stack, "
        f"{'filtered, ' if order.is_filtered else ''}unwrapped by {order.unwrapper}"
    )
    return lineage(record.facts, done)


def _item(
    work: Pair, record: PairRecord, whole: Merged, lines: float, assets: dict[str, stac.Asset]
) -> Json:
    order = work.stack.order
    further = {
        SHIFT: lines,
        "perpendicular_baseline_m": round(record.perpendicular_baseline, 3),
        "looks": round(whole.looks, 3),
        "mean_coherence": round(_mean(whole), 4),
        "signs": {"phase": SIGNS["phase"]},
        "remarks": list(record.facts.remarks),
    }
    making = PairMaking(
        f"Interferogram of {work.first.start:%Y-%m-%d} and {work.second.start:%Y-%m-%d}",
        _sentence(work, record),
        "INSAR",
        order.looks,
        further,
    )
    return pair_item(work.stem, record.facts, work.stack.grid, making, assets)


def _mean(whole: Merged) -> float:
    known = np.isfinite(whole.coherence)
    return float(whole.coherence[known].mean()) if known.any() else 0.0
