"""One pair of a stack, from its products to cells that are kept."""

import logging

import numpy as np

from algorithms.interferometry.geometry import baseline_at, ground_at
from peps_wps.chains.contract import Progress, TaskInputs, TaskResult
from peps_wps.chains.interferometry.bursts import SlcPair, Wanted, open_pair
from peps_wps.chains.interferometry.cells import compute_cells
from peps_wps.chains.interferometry.facts import PairFacts
from peps_wps.chains.interferometry.solve import KeptPair, check_cells
from peps_wps.chains.ortho_s1.heights import configured_dem
from peps_wps.chains.time_series_s1.cells_life import touch
from peps_wps.chains.time_series_s1.holdings import PairRecord, keep, state_of
from peps_wps.chains.time_series_s1.tasks import Pair
from peps_wps.datalake.lake import Lake
from peps_wps.errors import ChainError, DemError
from storage.part_file import make_folder

logger = logging.getLogger(__name__)


def run_pair(work: Pair, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Compute the cells of a pair unless they are kept.

    A pair that cannot be computed is left out of the network, with its reason. Two orders for one
    pair wait for each other here.
    """
    lake = Lake(inputs.config.datalake.path)
    with lake.lock(
        f"{work.folder}/cells",
        holder=work.name,
        waiting=lambda holder: progress(f"Waiting for {holder}", 0),
    ):
        if touch(lake, work):
            return TaskResult({"state": "held"})
        try:
            _compute(work, lake, inputs, progress)
        except DemError:
            raise
        except ChainError as error:
            logger.warning("pair %s is left out: %s", work.name, error)
            return TaskResult({}, left_out=str(error))
    return TaskResult({"state": "computed"})


def baseline_reason(baseline: float, limit: float | None) -> str | None:
    """Return why a perpendicular baseline is too long, None where it is not."""
    if limit is None or abs(baseline) <= limit:
        return None
    return f"perpendicular baseline of {abs(baseline):.0f} m, at most {limit:g} m wanted"


def _compute(work: Pair, lake: Lake, inputs: TaskInputs, progress: Progress) -> None:
    """Compute the cells of a pair, and what its overlaps tell."""
    stack, config = work.stack, inputs.config
    progress("Reading the annotations", 0)
    pair = open_pair(
        (
            [inputs.paths[uid] for uid in work.first.uids],
            [inputs.paths[uid] for uid in work.second.uids],
        ),
        stack.polarization,
        config.orbits.path,
        Wanted(stack.area),
    )
    check_cells(pair.grid(stack.order.looks))
    baseline = perpendicular_baseline(pair)
    reason = baseline_reason(baseline, stack.order.max_baseline_m)
    if reason is not None:
        raise ChainError(reason)
    folder = state_of(lake, work)
    make_folder(folder)
    records = compute_cells(
        pair,
        pair.keys,
        stack.order.looks,
        configured_dem(config),
        folder,
        threads=config.processing.threads,
        progress=lambda share, name: progress(f"Computing burst {name}", 2 + 90 * share),
    )
    progress("Comparing the bursts", 94)
    kept = KeptPair(tuple(folder / one.file for one in records), stack.order.looks)
    facts = PairFacts.of(pair).above(max(one.missing for one in records))
    record = PairRecord(facts, tuple(records), kept.shift(), baseline)
    keep(lake, work, record)


def perpendicular_baseline(pair: SlcPair) -> float:
    """Return the perpendicular baseline at the middle burst, metres."""
    key = pair.keys[len(pair.keys) // 2]
    reference, secondary = pair.bursts(key)
    height = float(np.mean(pair.reference.swaths[key[0]].grid.height))
    ground = ground_at(reference, 0.5 * reference.lines, 0.5 * reference.samples, height)
    return float(baseline_at(reference, secondary, ground).perpendicular)
