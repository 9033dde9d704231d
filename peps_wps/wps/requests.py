"""What clients ask, whatever the encoding: the values that both front parsers give."""

import re
from dataclasses import dataclass, field

from peps_wps.wps.errors import WpsError, invalid

VERSION = "1.0.0"
# All but the characters of XML 1.0, production 2.
NOT_CARRIED = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class GetCapabilities:
    """Say what the service offers."""

    language: str = ""


@dataclass(frozen=True)
class DescribeProcess:
    """Say what these processes take and give; ``all`` stands for every one."""

    identifiers: tuple[str, ...]
    language: str = ""


@dataclass(frozen=True)
class OutputRequest:
    """An output that the client names.

    `as_reference` is None when the client leaves the choice to the server.
    """

    identifier: str
    as_reference: bool | None = None


@dataclass(frozen=True)
class Execute:
    """Run a process.

    Parameters
    ----------
    inputs
        The values of each input in their order. An empty value is an absent one.
    outputs
        The outputs wanted; all of them when empty.
    raw
        The one output named is the answer itself.
    store, status
        Keep the answer under an address of its own; answer before the process has ended.
    lineage
        Repeat inputs and output definitions in the answer.
    title
        What the client calls the job.
    """

    identifier: str
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: tuple[OutputRequest, ...] = ()
    raw: bool = False
    store: bool = False
    status: bool = False
    lineage: bool = False
    title: str | None = None
    language: str = ""


@dataclass(frozen=True)
class JobRequest:
    """A vendor operation on a job: ``getstatus``, ``getresult`` or ``dismiss``."""

    operation: str
    job_id: str


Request = GetCapabilities | DescribeProcess | Execute | JobRequest


def check_version(version: str) -> None:
    """Refuse a version other than 1.0.0; none given is the one there is."""
    if version not in ("", VERSION):
        raise WpsError(
            "VersionNegotiationFailed", "version", f"version {version} is not served, {VERSION} is"
        )


def check_accepted_versions(versions: list[str]) -> None:
    """Refuse a client that cannot read 1.0.0 (OGC 06-121r3, clause 7.3.2)."""
    if versions and VERSION not in versions:
        raise WpsError(
            "VersionNegotiationFailed",
            "AcceptVersions",
            f"none of the versions {', '.join(versions)} is served, {VERSION} is",
        )


def read_boolean(name: str, text: str) -> bool:
    """Return the value of a flag; an empty one is off."""
    value = text.strip().lower()
    if value not in ("", "true", "false", "1", "0"):
        raise invalid(name, f"{name} is {text}, expected true or false")
    return value in ("true", "1")


def read_text(name: str, text: str) -> str:
    """Return `text` when XML can carry it; refuse control characters."""
    if found := NOT_CARRIED.search(text):
        raise invalid(name, f"{name} holds the control character {ord(found[0]):#06x}")
    return text


def collect(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the values of each input in their order, empty ones left out."""
    inputs: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if value.strip():
            inputs[name] = (*inputs.get(name, ()), read_text(name, value.strip()))
    return inputs
