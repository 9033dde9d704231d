"""The list of jobs, by OGC API - Processes (OGC 18-062r2, clause 12)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from peps_wps.client.errors import UnreachableError
from peps_wps.client.server import Server

# How that protocol says the states of jobs, where it has another word.
_STATUSES = {"staging": "accepted", "queued": "accepted", "succeeded": "successful"}
_LARGEST_PAGE = 100


@dataclass(frozen=True)
class ListedJob:
    """A job as the list tells it; times as the server writes them, None before they come.

    Parameters
    ----------
    state
        ``accepted``, ``running``, ``succeeded``, ``failed`` or ``dismissed``.
    progress, message
        Percent, and where the job stands in words.
    """

    id: str
    process: str
    state: str
    progress: int
    message: str
    created: str | None = None
    started: str | None = None
    finished: str | None = None


def list_jobs(
    server: Server,
    *,
    states: Sequence[str] = (),
    processes: Sequence[str] = (),
    since: str | None = None,
    limit: int = 20,
) -> list[ListedJob]:
    """Return the newest jobs that the caller may see.

    Parameters
    ----------
    server
        Where.
    states, processes
        Only those; all where none is given.
    since
        Only those accepted at this instant (RFC 3339) or later.
    limit
        So many at most.

    Raises
    ------
    RefusedError
        When the server refuses, with its reason.
    """
    query: dict[str, Any] = {"limit": min(limit, _LARGEST_PAGE)}
    if states:
        query["status"] = ",".join(dict.fromkeys(_STATUSES.get(one, one) for one in states))
    if processes:
        query["processID"] = ",".join(processes)
    if since is not None:
        query["datetime"] = f"{since}/.."
    return list(islice(_entries(server, query), limit))


def _entries(server: Server, query: dict[str, Any]) -> Iterator[ListedJob]:
    """Give the jobs of every page."""
    address: str | None = f"{server.url.removesuffix('/resto/wps')}/ogcapi/jobs"
    options: dict[str, Any] = {"params": query}
    while address is not None:
        with server.send("GET", address, **options) as answer:
            try:
                page = answer.json()
                entries = [_listed(entry) for entry in page["jobs"]]
                following = [one["href"] for one in page["links"] if one["rel"] == "next"]
            except (ValueError, KeyError, TypeError) as error:
                raise UnreachableError(f"{address} does not answer with a list of jobs") from error
        yield from entries
        address = next(iter(following), None)
        options = {}  # the link has them all


def _listed(entry: dict[str, Any]) -> ListedJob:
    status = entry["status"]
    return ListedJob(
        id=entry["jobID"],
        process=entry["processID"],
        state="succeeded" if status == "successful" else status,
        progress=int(entry.get("progress", 0)),
        message=entry.get("message", ""),
        created=entry.get("created"),
        started=entry.get("started"),
        finished=entry.get("finished"),
    )
