"""A process of this service: a description, and the name of the chain that does the work."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pywps import ComplexOutput, Format, LiteralInput, Process
from pywps.inout.literaltypes import AnyValue

REPORT = "report"


@dataclass(frozen=True)
class Alias:
    """Names under which another centre offers the same process.

    Parameters
    ----------
    inputs
        Its names of inputs, and the input that each stands for.
    ignored
        Its inputs that are accepted and have no effect here.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


class ChainProcess(Process):  # type: ignore[misc]  # PyWPS carries no types
    """A process whose Execute becomes a job; its handler never runs in the web application.

    A subclass states class attributes only. PyWPS copies process objects, so they hold no resource.

    Attributes
    ----------
    identifier, version, title, abstract, keywords
        What GetCapabilities says of it.
    inputs, outputs
        PyWPS inputs and outputs. The report (JSON) comes last and is added when it is not there,
        unless `has_report` is False.
    chain
        Key in ``CHAINS``; the identifier when empty.
    sync_allowed
        Whether a client may wait for the answer on its connection.
    async_allowed
        Whether the answer can be kept, and the job be followed.
    aliases
        Other identifiers under which the process can be described and run. They are not listed.
    """

    identifier: str = ""
    version: str = "1.0.0"
    title: str = ""
    abstract: str = ""
    keywords: ClassVar[list[str]] = []
    inputs: ClassVar[list[Any]] = []
    outputs: ClassVar[list[Any]] = []
    chain: str = ""
    sync_allowed: bool = False
    async_allowed: bool = True
    has_report: bool = True
    aliases: ClassVar[Mapping[str, Alias]] = {}

    def __init__(self) -> None:
        declared = list(self.outputs)
        outputs = [one for one in declared if one.identifier != REPORT]
        reports = [one for one in declared if one.identifier == REPORT]
        if self.has_report and not reports:
            reports = [_report_output()]
        inputs = [_described(one) for one in self.inputs]
        self.chain = self.chain or self.identifier
        # What rights are about, whatever the alias it is called by.
        self.own_identifier = self.identifier
        self.is_listed = True
        # Accepted names of inputs, and the chain's own name of each; None has no effect.
        self.chain_inputs: dict[str, str | None] = {
            one.identifier: one.identifier for one in inputs
        }
        super().__init__(
            None,
            identifier=self.identifier,
            title=self.title,
            abstract=self.abstract,
            keywords=list(self.keywords),
            version=self.version,
            inputs=inputs,
            outputs=outputs + reports,
            store_supported=self.async_allowed,
            status_supported=self.async_allowed,
        )

    @classmethod
    def bare(cls, identifier: str) -> "ChainProcess":
        """Return what is left of a process that is offered no more: its name."""
        process = cls()
        process.identifier = process.own_identifier = process.title = identifier
        return process

    def renamed(self, name: str) -> "ChainProcess":
        """Return the process under one of its aliases, its inputs under their names there.

        The names of the process itself are accepted too.
        """
        alias = self.aliases[name]
        process: ChainProcess = copy.deepcopy(self)
        process.identifier = name
        process.is_listed = False
        names = {chain_name: own_name for own_name, chain_name in alias.inputs.items()}
        for one in process.inputs:
            one.identifier = names.get(one.identifier, one.identifier)
        process.inputs.extend(_ignored_input(ignored) for ignored in alias.ignored)
        process.chain_inputs |= {**alias.inputs, **dict.fromkeys(alias.ignored)}
        return process

    def name_of(self, chain_name: str) -> str:
        """Return the name under which this process offers an input of its chain."""
        offered = (one.identifier for one in self.inputs)
        return next((one for one in offered if self.chain_inputs[one] == chain_name), chain_name)


class JobViews(Protocol):
    """What a direct process may see of jobs."""

    def report(self, locator: str, job_id: str) -> str:
        """Return what is told of a job in the words of PEPS, as JSON, one key or item a line.

        Raises
        ------
        InvalidInputError
            With `locator`, the input that named the job, when there is none.
        """


class DirectProcess(ChainProcess):
    """A process that the web application answers itself, from rows: no job, no worker.

    It answers while every worker is busy, or none is there.
    """

    sync_allowed = True
    async_allowed = False
    has_report = False

    def answer(self, inputs: Mapping[str, Sequence[str]], views: JobViews) -> dict[str, Any]:
        """Return the outputs, as a job row holds them: identifier to value and media type."""
        raise NotImplementedError


def _described(one: Any) -> Any:
    """Return an input whose description says that any value goes when none is excluded."""
    one = copy.deepcopy(one)
    if isinstance(one, LiteralInput) and not (one.allowed_values or one.values_reference):
        one.allowed_values = [AnyValue()]
        one.any_value = True
    return one


def _ignored_input(name: str) -> LiteralInput:
    return LiteralInput(
        name,
        name,
        data_type="string",
        abstract="Accepted for compatibility; it has no effect.",
        min_occurs=0,
        allowed_values=[AnyValue()],
    )


def _report_output() -> ComplexOutput:
    return ComplexOutput(
        REPORT,
        "Report of the job",
        supported_formats=[Format("application/json")],
        as_reference=True,
    )
