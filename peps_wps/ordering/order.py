"""What a client orders, whatever the protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peps_wps.access import Caller
from peps_wps.ordering.process import ChainProcess


@dataclass(frozen=True)
class Order:
    """An order as it arrives at the desk, its inputs not checked yet.

    Parameters
    ----------
    process
        The process as the client named it.
    inputs
        The values of each input in their order, under the names of that process.
    caller
        Who orders, and will own the job.
    options
        How the client wants the answer, as JSON; kept with the job as ``response_options``.
    title
        What the client calls the job.
    base
        Address under which the client found the service, for links in results.
    """

    process: ChainProcess
    inputs: Mapping[str, Sequence[str]]
    caller: Caller
    options: Mapping[str, Any]
    title: str | None = None
    base: str = ""

    @property
    def response_options(self) -> dict[str, Any]:
        """What is kept with the job of how it was ordered."""
        return {**self.options, "identifier": self.process.identifier, "base": self.base}
