"""A chain that gives back what it was given, in every form that an output can have."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from peps_wps.chains.contract import (
    FinishedTask,
    Output,
    Outputs,
    Plan,
    PlanContext,
    Progress,
    Task,
    TaskInputs,
    TaskResult,
)
from peps_wps.chains.echo import Echo
from peps_wps.chains.orders import ChainOrder, PlannerOf
from peps_wps.errors import ChainError


@dataclass(frozen=True)
class Order(ChainOrder):
    given: dict[str, list[str]]

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        return cls({name: list(values) for name, values in inputs.items()})


class Mirror(PlannerOf[Order]):
    """Gives words back as values, a picture and features as files."""

    name = "MIRROR"
    order_type = Order

    def plan(self, _order: Order, _context: PlanContext) -> Plan:
        return Plan((Task("mirror", (), {}),))

    def run(self, _task: Task, _inputs: TaskInputs, _progress: Progress) -> TaskResult:
        return TaskResult({})

    def gather(
        self, order: Order, _finished: Sequence[FinishedTask], folder: Path, _progress: Progress
    ) -> Outputs:
        given = order.given
        if "broken" in given.get("words", []):
            raise ChainError("the mirror is broken")
        outputs = [
            Output(name, "text/plain", value=",".join(given[name]))
            for name in ("words", "number", "count", "flag", "box")
            if name in given
        ]
        if "picture" in given:
            (folder / "picture.tif").write_bytes(base64.b64decode(given["picture"][0]))
            outputs.append(Output("picture", "image/tiff", path="picture.tif"))
        if "features" in given:
            (folder / "features.json").write_text(given["features"][0], encoding="utf-8")
            outputs.append(Output("features", "application/geo+json", path="features.json"))
        return Outputs(tuple(outputs))


CHAINS = {"echo": Echo(), "MIRROR": Mirror()}
