"""What clients ask, whatever the version and the encoding: the values that every parser gives."""

from dataclasses import dataclass, field
from typing import Literal

from peps_wps.wps.errors import WpsError, invalid
from peps_wps.wps.vocabulary import V1, V2
from peps_wps.xml_parsing import NOT_CARRIED

Version = Literal["1.0.0", "2.0.0"]
VERSIONS: tuple[Version, ...] = ("1.0.0", "2.0.0")
# What a client gets that says nothing; the scripts of PEPS read no other.
DEFAULT_VERSION: Version = "1.0.0"

Mode = Literal["sync", "async", "auto"]


@dataclass(frozen=True)
class GetCapabilities:
    """Say what the service offers.

    `language` may be several, the preferred first and commas between; `sections` are those of OWS
    Common, all when empty.
    """

    language: str = ""
    sections: tuple[str, ...] = ()


@dataclass(frozen=True)
class DescribeProcess:
    """Say what these processes take and give; ``all`` stands for every one."""

    identifiers: tuple[str, ...]
    language: str = ""


@dataclass(frozen=True)
class OutputRequest:
    """An output that the client names.

    `as_reference` is None when the client leaves the choice to the server, `mime_type` is empty.
    """

    identifier: str
    as_reference: bool | None = None
    mime_type: str = ""


@dataclass(frozen=True)
class InputReference:
    """Where the value of an input is to be fetched."""

    href: str


@dataclass(frozen=True)
class Execute:
    """Run a process.

    Parameters
    ----------
    inputs
        The values of each input in their order. An empty value is an absent one.
    input_types
        Identifier and media type of each input whose media type the client names.
    outputs
        The outputs wanted; all of them when empty.
    mode
        Answer when the process has ended, before, or as the server likes.
    raw
        The one output named is the answer itself.
    store
        Keep the answer under an address of its own.
    lineage
        Repeat inputs and output definitions in the answer.
    title
        What the client calls the job.
    """

    identifier: str
    inputs: dict[str, tuple[str | InputReference, ...]] = field(default_factory=dict)
    input_types: tuple[tuple[str, str], ...] = ()
    outputs: tuple[OutputRequest, ...] = ()
    mode: Mode = "sync"
    raw: bool = False
    store: bool = False
    lineage: bool = False
    title: str | None = None
    language: str = ""


@dataclass(frozen=True)
class JobRequest:
    """An operation on a job: ``getstatus``, ``getresult`` or ``dismiss``."""

    operation: str
    job_id: str


Request = GetCapabilities | DescribeProcess | Execute | JobRequest


def served_version(version: str) -> Version:
    """Return a version that is served; none given is the default.

    Raises
    ------
    WpsError
        When it is not served.
    """
    wanted = "2.0.0" if version == "2.0" else version or DEFAULT_VERSION
    for served in VERSIONS:
        if wanted == served:
            return served
    raise WpsError(
        "VersionNegotiationFailed",
        "version",
        f"version {version} is not served, {' and '.join(VERSIONS)} are",
    )


def negotiated_version(accepted: list[str], otherwise: str = "") -> Version:
    """Return the first version that a client accepts and we serve (OGC 06-121r3, clause 7.3.2).

    Parameters
    ----------
    accepted
        What the client can read, what it likes best first.
    otherwise
        The version it names in another way, when it says nothing of what it accepts.

    Raises
    ------
    WpsError
        When there is none.
    """
    if not accepted:
        return served_version(otherwise)
    for version in accepted:
        for served in VERSIONS:
            if version == served:
                return served
    raise WpsError(
        "VersionNegotiationFailed",
        "AcceptVersions",
        f"none of the versions {', '.join(accepted)} is served, {' and '.join(VERSIONS)} are",
    )


def read_boolean(name: str, text: str) -> bool:
    """Return the value of a flag; an empty one is off."""
    value = text.strip().lower()
    if value not in ("", "true", "false", "1", "0"):
        raise invalid(name, f"{name} is {text}, expected true or false")
    return value in ("true", "1")


def read_mode(text: str, otherwise: Mode) -> Mode:
    """Return the mode that a client of WPS 2.0 asks for."""
    match text.strip().lower():
        case "":
            return otherwise
        case "sync":
            return "sync"
        case "async":
            return "async"
        case "auto":
            return "auto"
    raise invalid("mode", f"mode is {text}, expected sync, async or auto")


def read_response(text: str) -> bool:
    """Return whether a client of WPS 2.0 asks for the output itself, without a document."""
    value = text.strip().lower()
    if value not in ("", "raw", "document"):
        raise invalid("response", f"response is {text}, expected raw or document")
    return value == "raw"


def read_transmission(text: str) -> bool | None:
    """Return whether a client of WPS 2.0 wants a reference; None when it leaves the choice."""
    value = text.strip().lower()
    if value not in ("", "value", "reference"):
        raise invalid("transmission", f"transmission is {text}, expected value or reference")
    return value == "reference" if value else None


def stored_mode(*, status: bool, store: bool, raw: bool) -> Mode:
    """Return the mode that the flags of WPS 1.0.0 say.

    Raises
    ------
    WpsError
        When a client wants to follow a job whose document is not kept.
    """
    if not status or raw:
        return "sync"
    if not store:
        raise invalid("status", "status=true needs storeExecuteResponse=true")
    return "async"


def read_text(name: str, text: str) -> str:
    """Return `text` when XML can carry it; refuse control characters."""
    if found := NOT_CARRIED.search(text):
        raise invalid(name, f"{name} holds the control character {ord(found[0]):#06x}")
    return text


def collect(
    pairs: list[tuple[str, str | InputReference]],
) -> dict[str, tuple[str | InputReference, ...]]:
    """Return the values of each input in their order, empty ones left out."""
    inputs: dict[str, list[str | InputReference]] = {}
    for name, value in pairs:
        read = read_text(name, value.strip()) if isinstance(value, str) else value
        if read:
            inputs.setdefault(name, []).append(read)
    return {name: tuple(values) for name, values in inputs.items()}


def namespace_version(namespace: str | None) -> Version | None:
    """Return the version whose namespace this is."""
    spoken: dict[str | None, Version] = {V1.names["wps"]: "1.0.0", V2.names["wps"]: "2.0.0"}
    return spoken.get(namespace)
