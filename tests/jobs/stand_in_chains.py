"""Chains that do nothing but behave: for the drills of jobs. Inputs: tasks, seconds, behaviour."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from peps_wps.errors import ChainError, InvalidInputError, OrderRefusedError


@dataclass(frozen=True)
class Order(ChainOrder):
    products: tuple[str, ...]
    tasks: int
    seconds: float
    behaviour: str
    journal: str

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        first = {name: values[0] for name, values in inputs.items()}
        if not first.get("tasks", "1").isdigit():
            raise InvalidInputError("tasks", f"{first['tasks']} is no number")
        return cls(
            tuple(inputs.get("product", ())),
            int(first.get("tasks", "1")),
            float(first.get("seconds", "0")),
            first.get("behaviour", "work"),
            first.get("journal", ""),
        )


class StandIn(PlannerOf[Order]):
    """Writes a line into its journal for each task begun and each output gathered."""

    name = "STAND_IN"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        uids = []
        for identifier in order.products:
            product = context.catalogue.product(identifier)
            if product is None:
                raise OrderRefusedError("product", f"no product is called {identifier}")
            uids.append(product.uid)
        body = self.order_to_json(order)
        # With products: one task each, or one for all; without: as many tasks as asked for.
        if uids and order.behaviour == "together":
            return Plan((Task("all", tuple(uids), body),))
        if uids:
            tasks = tuple(Task(f"task {n}", (uid,), body) for n, uid in enumerate(uids))
        else:
            tasks = tuple(Task(f"task {n}", (), body) for n in range(order.tasks))
        if order.behaviour == "go on without":
            tasks = tuple(replace(task, optional=True) for task in tasks)
        if order.behaviour in ("then another", "go on without"):
            tasks += (Task("another", (), body, after=tuple(task.name for task in tasks)),)
        return Plan(tasks)

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        order = self.order_from_json(task.body)
        note(order, f"begin {task.name}")
        begin(order, task, inputs, progress)
        begun = time.monotonic()
        if order.behaviour == "with children":
            child = subprocess.Popen(["sleep", "600"])
            note(order, f"child {child.pid}")
        while (elapsed := time.monotonic() - begun) < order.seconds:
            progress("Working", 100 * elapsed / order.seconds)
            time.sleep(0.02)
        misbehave(order, task)
        read = [path.read_bytes()[:16].decode(errors="replace") for path in inputs.paths.values()]
        (inputs.scratch / "result.txt").write_text(f"{task.name} {read}\n")
        for one in inputs.earlier:
            if one.result.left_out is not None:
                note(order, f"{task.name} is without {one.task.name}")
                continue
            text = (one.folder / one.result.files[0]).read_text().split()
            note(order, f"{task.name} has {' '.join(text[:2])}")
        note(order, f"end {task.name}")
        return TaskResult({"read": read}, ("result.txt",))

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        done = [one for one in finished if one.result.left_out is None]
        text = "".join((one.folder / one.result.files[0]).read_text() for one in done)
        (folder / "answer.txt").write_text(text)
        if order.behaviour == "slow gather":
            time.sleep(order.seconds)
        note(order, "gather")
        report: dict[str, object] = {"tasks": len(finished)}
        if len(done) < len(finished):
            report["left out"] = [one.result.left_out for one in finished]
        return Outputs((Output("archive", "text/plain", path="answer.txt"),), report)


def note(order: Order, line: str) -> None:
    """Append a line to the journal of the test, which outlives everything that is killed."""
    if order.journal:
        with Path(order.journal).open("a") as stream:
            stream.write(f"{time.time():.3f} {os.getpid()} {line}\n")


ERRORS = {
    "chain error": ChainError("The measurement ends at byte 17, expected 40"),
    "wrong input": InvalidInputError("tasks", "3 tasks are more than the 2 that fit together"),
    "bug": KeyError("secret path /srv/peps"),
    "system exit": SystemExit(0),
    "memory": MemoryError(),
}
# What takes the whole process along.
DEATHS = {
    "exit": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda: ctypes.string_at(0),
}


def begin(order: Order, task: Task, inputs: TaskInputs, progress: Progress) -> None:
    """Do what some tasks do first: meet the others, hold until the test lets go, tell."""
    if order.behaviour == "meet":  # for ever, where tasks run one after the other
        while Path(order.journal).read_text().count(" begin ") < order.tasks:
            time.sleep(0.02)
    if order.behaviour == "hold" and task.name == f"task {order.tasks - 1}":
        while not Path(order.journal + ".go").exists():
            progress("Holding", 50)
            time.sleep(0.02)
    if order.behaviour == "tell":
        config = inputs.config
        note(order, f"told {config.processing.threads} cores, {config.catalog.url}")
    if order.behaviour == "link":
        note(order, f"links to {inputs.config.server.url}")


def misbehave(order: Order, task: Task) -> None:
    if order.behaviour in ERRORS:
        raise ERRORS[order.behaviour]
    if order.behaviour in DEATHS:
        DEATHS[order.behaviour]()
    if order.behaviour == "disk full" and not Path(order.journal + ".room").exists():
        Path("/dev/full").write_bytes(b"x")  # full(4): writing fails with ENOSPC
    if order.behaviour == "crash once" and not Path(order.journal + ".crashed").exists():
        Path(order.journal + ".crashed").touch()
        os._exit(77)


# S1_ORTHO too: what the web service offers can then be ordered without computing anything.
CHAINS = {"STAND_IN": StandIn(), "S1_ORTHO": StandIn()}
