"""Stand-in chains that clients reach over HTTP: the product names what is to happen.

``seconds=2&updates=300&tasks=1&behaviour=work``
"""

import time
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from peps_wps.chains.contract import Progress, Task, TaskInputs, TaskResult
from tests.jobs.stand_in_chains import Order, StandIn

UPDATES = "updates "


class Ordered(StandIn):
    """Takes its wishes out of the name of the product; one without ``=`` is a product."""

    name = "S1_ORTHO"

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> Order:
        wish = inputs["product"][0]
        if "=" not in wish:
            return super().parse(inputs)
        words = dict(parse_qsl(wish))
        if "updates" in words:
            words["behaviour"] = UPDATES + words.pop("updates")
        return super().parse({name: [value] for name, value in words.items()})

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        order = self.order_from_json(task.body)
        if not order.behaviour.startswith(UPDATES):
            return super().run(task, inputs, progress)
        updates = int(order.behaviour.removeprefix(UPDATES))
        for update in range(updates):
            progress(f"Update {update} of {updates}", 100 * update / updates)
            time.sleep(order.seconds / updates)
        (inputs.scratch / "result.txt").write_text(f"{updates} updates\n")
        return TaskResult({}, ("result.txt",))


CHAINS = {"S1_ORTHO": Ordered(), "STAND_IN": StandIn()}
