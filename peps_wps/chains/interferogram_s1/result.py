"""The last task of an order: bursts become one interferogram, its phase is solved and mapped."""

from shapely.geometry.base import BaseGeometry

from peps_wps.chains.contract import Progress, Task, TaskInputs, TaskResult
from peps_wps.chains.interferogram_s1.account import Account
from peps_wps.chains.interferogram_s1.files import GridFiles, write_grid
from peps_wps.chains.interferogram_s1.layers import layers_of
from peps_wps.chains.interferogram_s1.order import Order
from peps_wps.chains.interferometry.air_path import air_path
from peps_wps.chains.interferometry.facts import finished_bursts
from peps_wps.chains.interferometry.map_grid import MapGrid, tile_grids, utm_grid
from peps_wps.chains.interferometry.mapping import map_work
from peps_wps.chains.interferometry.solve import KeptPair, merged, solved
from peps_wps.chains.interferometry.terrain import map_relief
from peps_wps.chains.ortho_s1.heights import configured_dem
from peps_wps.errors import ChainError

# Percent of the task at which the phase is solved, and mapped.
_SOLVED, _MAPPED = 10.0, 60.0


def run_result(task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Make the results of an order from what the tasks of its bursts gave."""
    order = Order.from_json(task.body["order"])
    account = _account(order, inputs, progress)
    area = order.wanted.of(account.facts.shown)
    grids = _grids(order, area)
    layers = layers_of(order, account.whole, account.solution, account.air_path)
    written: list[GridFiles] = []
    for number, target in enumerate(grids):

        def tell(share: float, number: int = number) -> None:
            done = (number + share) / len(grids)
            progress("Mapping", _MAPPED + done * (100.0 - _MAPPED))

        folder = inputs.scratch / target.tile
        folder.mkdir(exist_ok=True)
        work = map_work(target, account.kept, account.whole, account.relief, order.wanted, area)
        threads = inputs.config.processing.threads
        found = write_grid(account, work, layers, folder, threads=threads, progress=tell)
        written += [found] if found else []
    if not written:
        raise ChainError("no pixel of the result holds anything: the area has no valid data")
    body = {
        "account": account.document(),
        "start": account.facts.reference.start,
        "stem": account.facts.stem,
        "grids": [files.to_json() for files in written],
    }
    files = (f"{one.tile}/{name}" if one.tile else name for one in written for name in one.names)
    return TaskResult(body, tuple(files))


def _account(order: Order, inputs: TaskInputs, progress: Progress) -> Account:
    """Merge the bursts and solve the phase."""
    facts, bursts = finished_bursts(inputs.earlier)
    progress("Merging the bursts", 0)
    paths = tuple(one.task.folder / one.record.file for one in bursts)
    kept = KeptPair(paths, order.looks)
    shift = kept.shift() if order.esd else None
    lines = 0.0 if shift is None else shift.lines
    whole = merged(kept, lines, coherence_looks=order.coherence_looks)
    solution = solved(
        whole,
        is_filtered=order.filtered,
        exponent=order.exponent,
        unwrapper=order.unwrap,
        least_coherence=order.min_coherence,
        progress=lambda message, share: progress(message, _SOLVED + 45 * share),
    )
    progress("Reading the heights", _MAPPED - 5)
    area = order.wanted.of(facts.shown)
    relief = map_relief(configured_dem(inputs.config), area, facts.near_incidence)
    added = None
    if order.atmosphere == "era5":
        progress("Reading the air", _MAPPED - 2)
        added = air_path(inputs.config, facts, area, whole, solution, relief)
    return Account(order, facts, tuple(bursts), kept, shift, whole, solution, relief, added)


def _grids(order: Order, area: BaseGeometry) -> tuple[MapGrid, ...]:
    """Return the maps of an order."""
    if order.grid == "utm":
        return (utm_grid(area, order.resolution),)
    return tile_grids(area, order.resolution, order.tiles)
