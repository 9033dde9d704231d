"""``/jobs``: filters as clause 12 of OGC 18-062r2 has them, pages by cursor."""

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug import Request

from peps_wps.jobs import JobFilter, JobPage
from peps_wps.ordering import OrderDesk
from peps_wps.web.ogcapi import parameters
from peps_wps.web.ogcapi.addresses import Addresses, Json, link
from peps_wps.web.ogcapi.status import STATUSES, states_of, status_info

# Whatever ordered it, a job is the run of a process.
TYPES = ("process",)


@dataclass(frozen=True)
class JobQuery:
    """What a client asks of the list of jobs.

    Parameters
    ----------
    wanted
        Which jobs, but for their owners.
    limit, cursor
        Jobs on a page at most, and where the page begins.
    parameters
        The request's own parameters but the cursor, for the links of its pages.
    """

    wanted: JobFilter
    limit: int
    cursor: str | None
    parameters: Sequence[tuple[str, str]]


def parse_query(request: Request, desk: OrderDesk) -> JobQuery:
    """Read the parameters of a request.

    Parameters
    ----------
    request
        GET with the parameters type, processID, status, datetime, minDuration, maxDuration, limit
        and cursor.
    desk
        Knows the processes by every name that clients use.

    Raises
    ------
    ProblemError
        400, with the parameter.
    """
    parameters.words(request, "type", TYPES)
    names = parameters.words(request, "processID")
    begin, end = parameters.interval(request, "datetime")
    said = parameters.words(request, "status", STATUSES)
    wanted = JobFilter(
        # A name that no process has is the chain of no job.
        processes=[desk.processes[one].chain if one in desk.processes else one for one in names],
        states=[state for status in said for state in states_of(status)],
        created_from=begin,
        created_until=end,
        min_duration_s=min(parameters.numbers(request, "minDuration"), default=None),
        max_duration_s=max(parameters.numbers(request, "maxDuration"), default=None),
    )
    others = [pair for pair in request.args.items(multi=True) if pair[0] != "cursor"]
    return JobQuery(wanted, parameters.limit(request), request.args.get("cursor") or None, others)


def document(page: JobPage, asked: JobQuery, desk: OrderDesk, addresses: Addresses) -> Json:
    """Return a page of jobs (``jobList.yaml``)."""

    def at(cursor: str | None) -> str:
        query = [*asked.parameters, *([("cursor", cursor)] if cursor else [])]
        return addresses.at("/jobs", query)

    links = [link(at(asked.cursor), "self")]
    if page.cursor:
        links.append(link(at(page.cursor), "next"))
    return {
        "jobs": [
            status_info(job, desk.process_of(job).own_identifier, addresses) for job in page.jobs
        ],
        "links": links,
        "numberMatched": page.total,
    }
