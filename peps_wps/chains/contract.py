"""What a chain is: three functions, and the values that pass between them.

``plan`` is cheap and reads no pixel, so it runs in the web process and refuses what cannot work.
The dispatcher has the products of each task recalled and pinned, ``run`` does one task in a worker
process and is idempotent, ``gather`` turns the results into what the client asked for. A chain
never recalls, never talks to a client and holds no open resource between calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from catalog_db.catalogue.products import Product
from peps_wps.config import Config
from peps_wps.resto.query import RestoSearch

# One word a JSON type would say: what task bodies and results are made of.
Json = dict[str, Any]

# progress(message, percent of the task done)
Progress = Callable[[str, float], None]


class Catalogue(Protocol):
    """What a plan may ask: products by identifier or title."""

    def product(self, identifier: str) -> Product | None:
        """Return the product, or None where it is unknown or withdrawn."""

    def search(self, asked: RestoSearch, most: int) -> Sequence[Product]:
        """Return all products that a search finds, whatever page it asks for.

        Where there are more than `most`, so many are returned and a few above; who calls refuses.

        Raises
        ------
        QueryError
            When the search has no meaning, or is for a few products among very many.
        """


@dataclass(frozen=True)
class PlanContext:
    """What a plan may look at: the catalogue and the configuration, no pixel."""

    catalogue: Catalogue
    config: Config


@dataclass(frozen=True)
class Task:
    """One piece of work that needs its products on disk together.

    Parameters
    ----------
    name
        What a person calls it: the tile, the tile-date, the burst pair.
    products
        Identifiers (uid) of the products it reads.
    body
        What ``run`` needs beside them, as JSON.
    weight
        Its share of the job's progress, relative to the other tasks.
    after
        Names of tasks before it in the plan that must have ended before it begins; it gets what
        they gave.
    optional
        Whether the order goes on without it where its products cannot be had: it is not run then,
        and its result says why.
    """

    name: str
    products: tuple[str, ...]
    body: Json
    weight: float = 1.0
    after: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Stage:
    """Products that shall be on disk together, all that an order is for: nothing computes.

    Parameters
    ----------
    products
        Their identifiers (uid).
    pin_lifetime_s
        How long each stays on disk once it is there, whatever becomes of the job.
    """

    products: tuple[str, ...]
    pin_lifetime_s: int


@dataclass(frozen=True)
class Plan:
    """What an order comes to.

    Parameters
    ----------
    tasks
        In the order in which they are best run.
    stage
        What is to be staged, of an order for that and no more: it has no task, and no worker.
    """

    tasks: tuple[Task, ...] = ()
    stage: Stage | None = None


@dataclass(frozen=True)
class TaskResult:
    """What a task gave.

    Parameters
    ----------
    body
        JSON.
    files
        Names of its files inside its scratch folder.
    left_out
        Why the order goes on without what it was for; None where it is done.
    """

    body: Json
    files: tuple[str, ...] = ()
    left_out: str | None = None


@dataclass(frozen=True)
class FinishedTask:
    """A task with its result, as ``gather`` and later tasks get it; ``folder`` holds its files."""

    task: Task
    result: TaskResult
    folder: Path


@dataclass(frozen=True)
class TaskInputs:
    """What ``run`` works with: pinned files, configuration, and a folder of its own.

    Parameters
    ----------
    paths
        Where each product of the task lies, by uid; pinned until the task ends.
    config
        The configuration of the service.
    scratch
        A folder of this task and attempt; what the result names must lie in it.
    earlier
        The tasks that this one comes after, in the order of the plan.
    """

    paths: Mapping[str, Path]
    config: Config
    scratch: Path
    earlier: tuple[FinishedTask, ...] = ()


@dataclass(frozen=True)
class Output:
    """One output of a job: a file inside the output folder, or a literal value."""

    identifier: str
    mime_type: str
    path: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Outputs:
    """All outputs of a job and what its report says beside them."""

    outputs: tuple[Output, ...]
    report: Json = field(default_factory=dict)


OrderT = TypeVar("OrderT")


class Planner(Protocol, Generic[OrderT]):
    """What an order is made into: all there is of a process that only stages."""

    name: str

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> OrderT:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""

    def order_to_json(self, order: OrderT) -> Json:
        """Return the order as JSON, for the job row."""

    def order_from_json(self, order: Json) -> OrderT:
        """Return the order of a job row."""

    def plan(self, order: OrderT, context: PlanContext) -> Plan:
        """Return the tasks; raise OrderRefusedError when the order cannot work."""


class Chain(Planner[OrderT], Protocol, Generic[OrderT]):
    """One processing."""

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Do one task. Idempotent: a second attempt gives the same files."""

    def gather(
        self, order: OrderT, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the outputs into `folder`, which is published whole or not at all."""
