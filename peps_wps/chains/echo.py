"""echo as a chain: what goes in comes out, after a pause if one is asked for.

Conformance suites and people who write a client need a process whose answer they know.
"""

import json
import time
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
from peps_wps.chains.orders import ChainOrder, PlannerOf
from peps_wps.xml_parsing import XmlError, read_xml

# How often a pause is told of, and can be ended.
_STEP_S = 0.1
# A document up to this size stays in the row of its job; a larger one becomes a file.
_LARGEST_VALUE_BYTES = 64_000


@dataclass(frozen=True)
class Order(ChainOrder):
    """What to say again; None where nothing was given. `pause_s` in seconds."""

    literal: str | None
    document: str | None
    box: str | None
    pause_s: float

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read inputs; all may be absent."""
        first = {name: values[0] for name, values in inputs.items()}
        return cls(
            literal=first.get("literalInput"),
            document=first.get("complexInput"),
            box=first.get("boundingboxInput"),
            pause_s=float(first.get("pause", "0")),
        )


class Echo(PlannerOf[Order]):
    """The chain of echo; it holds nothing between calls."""

    name = "echo"
    order_type = Order

    def plan(self, order: Order, _context: PlanContext) -> Plan:
        """Return the one task: to pause."""
        return Plan((Task("echo", (), {"pause_s": order.pause_s}),))

    def run(self, task: Task, _inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Pause."""
        pause_s = float(task.body["pause_s"])
        begun = time.monotonic()
        while (elapsed := time.monotonic() - begun) < pause_s:
            progress("Pausing", 100 * elapsed / pause_s)
            time.sleep(min(_STEP_S, pause_s - elapsed))
        return TaskResult({})

    def gather(
        self, order: Order, _finished: Sequence[FinishedTask], folder: Path, _progress: Progress
    ) -> Outputs:
        """Give back what was given."""
        outputs = []
        if order.literal is not None:
            outputs.append(Output("literalOutput", "text/plain", value=order.literal))
        if order.document is not None:
            outputs.append(_document(order.document, folder))
        if order.box is not None:
            outputs.append(Output("boundingboxOutput", "text/plain", value=order.box))
        return Outputs(tuple(outputs))


def _document(text: str, folder: Path) -> Output:
    """Return a document as an output: a value where it is small, a file where it is not."""
    mime_type, extension = media_type(text)
    if len(text.encode()) <= _LARGEST_VALUE_BYTES:
        return Output("complexOutput", mime_type, value=text)
    path = folder / f"complexOutput.{extension}"
    path.write_text(text, encoding="utf-8")
    return Output("complexOutput", mime_type, path=path.name)


def media_type(text: str) -> tuple[str, str]:
    """Return media type and file name extension of a text: XML, JSON, or anything."""
    try:
        read_xml(text.encode())
    except XmlError:
        pass
    else:
        return "application/xml", "xml"
    try:
        json.loads(text)
    except ValueError:
        return "text/plain", "txt"
    return "application/json", "json"
