"""Tasks that compute the bursts of a pair: some bursts of a swath each."""

from dataclasses import asdict, dataclass

from algorithms.interferometry.cells import Looks
from peps_wps.chains.contract import Json, Progress, Task, TaskInputs, TaskResult
from peps_wps.chains.interferometry.bursts import Wanted, open_pair
from peps_wps.chains.interferometry.cells import compute_cells
from peps_wps.chains.interferometry.facts import cells_body
from peps_wps.chains.interferometry.passes import Pass
from peps_wps.chains.interferometry.products import parts_of_a_swath, share_of, swaths_of
from peps_wps.chains.interferometry.solve import check_cells
from peps_wps.chains.ortho_s1.heights import configured_dem


@dataclass(frozen=True)
class CellsTask:
    """Some bursts of a swath.

    Parameters
    ----------
    wanted, looks, polarization
        Of the order.
    references
        How many of the products of the task, the first ones, are of the reference.
    swath
        Which.
    part, parts
        Which part of its bursts.
    """

    wanted: Wanted
    looks: tuple[int, ...]
    polarization: str
    references: int
    swath: str
    part: int
    parts: int

    def to_json(self) -> Json:
        """Return the task as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Json) -> "CellsTask":
        """Return the task that `to_json` gave; without `references`, a task from before slices."""
        wanted = Wanted(body["wanted"]["region"], tuple(body["wanted"]["names"]))
        read = {"references": 1, **body, "wanted": wanted, "looks": tuple(body["looks"])}
        read.pop("is_unwrapped", None)  # of an earlier version, which refused more of those
        return cls(**read)


def cells_tasks(
    reference: Pass,
    secondary: Pass,
    polarization: str,
    *,
    wanted: Wanted,
    looks: Looks,
    label: str = "",
) -> list[Task]:
    """Return the tasks that compute the bursts of a pair.

    Parameters
    ----------
    reference, secondary
        Of one track.
    label
        Begins their names, where an order has several pairs.
    """
    parts = parts_of_a_swath(reference.whole, wanted)
    products = *reference.uids, *secondary.uids
    shared = wanted, tuple(looks), polarization, len(reference.uids)
    tasks = []
    for swath in swaths_of(reference.whole, wanted):
        for part in range(parts):
            name = f"{label} {swath}".strip() + (f" {part + 1} of {parts}" if parts > 1 else "")
            work = CellsTask(*shared, swath, part, parts)
            tasks.append(Task(name, products, work.to_json(), weight=4.0))
    return tasks


def run_cells(task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Compute the bursts of a task of `cells_tasks`; its products are on disk."""
    work = CellsTask.from_json(task.body)
    progress("Reading the annotations", 0)
    paths = [inputs.paths[uid] for uid in task.products]
    slices = paths[: work.references], paths[work.references :]
    pair = open_pair(slices, work.polarization, inputs.config.orbits.path, work.wanted)
    looks = Looks(*work.looks)
    check_cells(pair.grid(looks))
    own = [key for key in pair.keys if key[0] == work.swath]
    records = compute_cells(
        pair,
        own[share_of(work.part, work.parts, len(own))],
        looks,
        configured_dem(inputs.config),
        inputs.scratch,
        threads=inputs.config.processing.threads,
        progress=lambda share, name: progress(f"Computing burst {name}", 2 + 98 * share),
    )
    return TaskResult(cells_body(pair, records), tuple(record.file for record in records))
