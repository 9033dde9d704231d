"""One task as it is handed to whoever runs it: this process, or one on a node of a cluster."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from peps_wps.chains.contract import FinishedTask, Progress, Task, TaskInputs, TaskResult
from peps_wps.config import Config
from peps_wps.errors import PepsError
from peps_wps.jobs.chain_lookup import chain_of


class TaskLostError(PepsError):
    """A task ended for a reason that another attempt may not meet: its process was killed."""


@dataclass(frozen=True)
class TaskWork:
    """All that running a task needs, as plain values; the database is not among them.

    Parameters
    ----------
    job, number
        Which task of which job.
    process
        The process, which names the chain.
    task, paths
        What to do, and where each of its products lies, by uid.
    folder
        Of the attempt; each run works in a folder of its own in it.
    config
        The configuration; its ``[processing] threads`` is what the task may use.
    earlier
        The tasks that it comes after.
    """

    job: str
    number: int
    process: str
    task: Task
    paths: Mapping[str, Path]
    folder: Path
    config: Config
    earlier: tuple[FinishedTask, ...] = ()


@dataclass(frozen=True)
class TaskDone:
    """What one run of a task gave, and the folder that its files lie in."""

    number: int
    result: TaskResult
    folder: Path


def run_task(work: TaskWork, progress: Progress) -> TaskDone:
    """Run a task in a fresh folder: two runs of one task, even at once, do not meet."""
    chain = chain_of(work.config, work.process)
    work.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{work.number:04d}-", dir=work.folder))
    inputs = TaskInputs(work.paths, work.config, folder, work.earlier)
    result = chain.run(work.task, inputs, progress)
    for name in result.files:
        file_in(folder, name)
    return TaskDone(work.number, result, folder)


def file_in(folder: Path, name: str) -> Path:
    """Return a file of a folder; what a chain names must exist and lie in it.

    Raises
    ------
    ValueError
        When it does not.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise ValueError(f"{name} is no file in the folder that it was to be written to")
    return path
