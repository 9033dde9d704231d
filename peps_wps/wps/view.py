"""One version of WPS as a rendering over the order desk: what both versions share."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from werkzeug import Request, Response

from peps_wps import incidents
from peps_wps.access import Caller
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import ChainProcess, Order, OrderDesk
from peps_wps.ordering.errors import AsyncRefusedError
from peps_wps.ordering.inputs import check_outputs
from peps_wps.ordering.references import ReferenceReader
from peps_wps.wps.errors import WpsError, invalid, missing, no_code
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    InputReference,
    JobRequest,
    OutputRequest,
)
from peps_wps.wps.requests import (
    Request as Asked,
)
from peps_wps.wps.translation import Answer, Told, exception_report, translate
from peps_wps.wps.vocabulary import Vocabulary, serialise


class View(ABC):
    """Answers requests of one version.

    Attributes
    ----------
    words
        The elements of the version.
    table
        What is told of the errors of the order desk.
    """

    words: ClassVar[Vocabulary]
    table: ClassVar[tuple[Told, ...]]

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk

    def answer(self, asked: Asked, request: Request, caller: Caller) -> Response:
        """Answer a request."""
        links = Links.of(self.desk.config, request)
        match asked:
            case Execute():
                self._check_language(asked.language)
                return self.executed(asked, self._order(asked, caller, links), request, links)
            case JobRequest():
                if not asked.job_id:
                    raise missing("jobid")
                return self.job_operation(asked, request, caller, links)
            case GetCapabilities():
                self._check_language(asked.language)
                return self.capabilities(asked, self.desk.processes_for(caller), links)
            case DescribeProcess():
                self._check_language(asked.language)
                return xml(self.descriptions(self._described(asked, caller)))

    def failure(self, error: Exception, request: Request, refused: int | None = None) -> Response:
        """Answer with the report of an error; `refused` stands in for what a client did wrong."""
        answer = translate(error, self.table, status_of=lambda one: refused or self.status_of(one))
        if answer is None:
            answer = Answer(no_code(incidents.report(error, request)), 500, {})
        report = serialise(exception_report(answer.report, self.words))
        response = xml(report, status=answer.status, is_live=True)
        response.headers.extend(answer.headers)
        return response

    @abstractmethod
    def capabilities(
        self, asked: GetCapabilities, processes: Iterable[ChainProcess], links: Links
    ) -> Response:
        """Answer with what the service offers."""

    @abstractmethod
    def descriptions(self, processes: Iterable[ChainProcess]) -> bytes:
        """Return what processes take and give."""

    @abstractmethod
    def executed(self, execute: Execute, job: Job, request: Request, links: Links) -> Response:
        """Answer an order that was taken, with its outputs where the job has ended."""

    @abstractmethod
    def job_operation(
        self, asked: JobRequest, request: Request, caller: Caller, links: Links
    ) -> Response:
        """Answer an operation on a job."""

    @abstractmethod
    def status_of(self, error: WpsError) -> int:
        """Return the HTTP status of an error."""

    def _order(self, execute: Execute, caller: Caller, links: Links) -> Job:
        """Give an order to the desk."""
        process = self.desk.process_to_order(execute.identifier, caller)
        if execute.store and not process.async_allowed:
            raise AsyncRefusedError(process.identifier)  # no job keeps the answer
        check_outputs(process, [one.identifier for one in execute.outputs])
        for output in execute.outputs:
            self._check_format(process, output)
        if execute.raw and len(execute.outputs or process.outputs) != 1:
            raise self.too_many_outputs("one raw output can be asked for at a time")
        for described in process.inputs:
            self._check_types(described, execute.input_types)
        references = self.desk.reference_reader()
        inputs = {name: _texts(name, given, references) for name, given in execute.inputs.items()}
        options = self._options(execute)
        order = Order(process, inputs, caller, options, execute.title, links.base)
        if execute.mode == "sync":
            return self.desk.run_sync(order, links)
        if execute.mode == "auto" and process.sync_allowed:
            patience_s = self.desk.config.processing.sync_limit_s
            return self.desk.run_within(order, links, wait_s=patience_s)
        return self.desk.submit(order)

    def _options(self, execute: Execute) -> Mapping[str, Any]:
        """Return how the client wants the answer, to be kept with the job."""
        return {
            "protocol": f"wps-{self.words.version}",
            "outputs": [asdict(output) for output in execute.outputs],
            "lineage": execute.lineage,
            "store": execute.store,
            "raw": execute.raw,
        }

    def _check_types(self, described: Any, given: Iterable[tuple[str, str]]) -> None:
        """Refuse a media type that an input does not take, where the client names one."""
        offered = media_types(described)
        for identifier, mime_type in given:
            if identifier != described.identifier or not (mime_type and offered):
                continue
            if bare(mime_type) not in map(bare, offered):
                message = f"{identifier} is {mime_type}, expected {' or '.join(offered)}"
                raise self.no_such_format(identifier, message)

    def _check_format(self, process: ChainProcess, output: OutputRequest) -> None:
        """Refuse a media type in which an output is not given."""
        (described,) = [one for one in process.outputs if one.identifier == output.identifier]
        offered = media_types(described)
        if output.mime_type and offered and bare(output.mime_type) not in map(bare, offered):
            raise self.no_such_format(
                output.identifier,
                f"{output.identifier} is not given as {output.mime_type}, "
                f"it is as {' or '.join(offered)}",
            )

    def no_such_format(self, locator: str, message: str) -> WpsError:
        """Return the error of a media type that is not offered."""
        return invalid(locator, message)

    def too_many_outputs(self, message: str) -> WpsError:
        """Return the error of more raw outputs than one."""
        return invalid("RawDataOutput", message)

    def _described(self, asked: DescribeProcess, caller: Caller) -> list[ChainProcess]:
        """Return the processes that a client wants described, each once however often named."""
        if not asked.identifiers:
            raise missing("identifier")
        if any(one.lower() == "all" for one in asked.identifiers):
            return self.desk.processes_for(caller)
        return [self.desk.process(one, caller) for one in dict.fromkeys(asked.identifiers)]

    def _check_language(self, language: str) -> None:
        """Refuse languages of which the service speaks none; ``en`` is as good as ``en-US``."""
        spoken = self.desk.config.server.language
        accepted = ("", "*", spoken.lower(), spoken.lower().partition("-")[0])
        if not any(word.strip() in accepted for word in language.lower().split(",")):
            raise invalid("language", f"language {language} is not spoken, {spoken} is")


def media_types(described: Any) -> list[str]:
    """Return the media types of a complex input or output; a literal has none."""
    return [one.mime_type for one in getattr(described, "supported_formats", None) or ()]


def bare(mime_type: str) -> str:
    """Return a media type without parameters, to be compared; XML has two (RFC 7303, 9.2)."""
    name = mime_type.partition(";")[0].strip().lower()
    return "application/xml" if name == "text/xml" else name


def xml(document: bytes, *, status: int = 200, is_live: bool = False) -> Response:
    """Return a document as a response; a live one must not be kept by a cache."""
    response = Response(document, status, content_type="text/xml; charset=utf-8")
    if is_live:
        response.headers["Cache-Control"] = "no-store"
    return response


def _texts(
    name: str, given: Iterable[str | InputReference], references: ReferenceReader
) -> list[str]:
    """Return the values of an input, those fetched that are given by reference."""
    return [
        references.text(name, value.href) if isinstance(value, InputReference) else value
        for value in given
    ]
