"""Status documents of jobs (``statusInfo.yaml``), and lists of them."""

from datetime import datetime

from catalog_db import times
from peps_wps.jobs import Job
from peps_wps.ordering.wording import in_words
from peps_wps.web.ogcapi.addresses import REL, Addresses, Json, link

# How this API says the states of jobs.
STATUS_OF = {
    "accepted": "accepted",
    "staging": "accepted",
    "queued": "accepted",
    "running": "running",
    "succeeded": "successful",
    "failed": "failed",
    "dismissed": "dismissed",
}
STATUSES = tuple(dict.fromkeys(STATUS_OF.values()))


def states_of(status: str) -> list[str]:
    """Return the states of jobs that clients see under one status."""
    return [state for state, said in STATUS_OF.items() if said == status]


def status_info(job: Job, identifier: str, addresses: Addresses) -> Json:
    """Return the status of a job.

    Parameters
    ----------
    job
        The job as its row says it.
    identifier
        Its process, under its own name whatever alias it was ordered by.
    addresses
        Where links lead.
    """
    moments = {
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "updated": job.updated,
        "expectedStart": job.expected_start,
        "expectedFinish": job.expected_finish,
    }
    return {
        "jobID": job.id,
        "processID": identifier,
        "type": "process",
        "status": STATUS_OF[job.shown_state],
        "message": in_words(job),
        **{name: instant(time) for name, time in moments.items() if time is not None},
        "progress": 100 if job.state == "succeeded" else job.progress,
        **({} if job.queue_position is None else {"queuePosition": job.queue_position}),
        "links": _links(job, addresses),
    }


def instant(time: datetime) -> str:
    """Return an instant, UTC, as RFC 3339 has it, to the millisecond."""
    return times.to_text(time, "milliseconds")


def _links(job: Job, addresses: Addresses) -> list[Json]:
    """Return the links of a status document; results only where there are some."""
    here = addresses.job(job.id)
    links = [link(here, "self", "This document")]
    if not job.is_finished:
        links.append(link(here, "monitor", "Status of the job"))
    if job.state == "succeeded" and job.results is not None:
        links.append(link(addresses.results(job.id), REL + "results", "Results"))
        maps = addresses.links.maps(job.id)
        links.append(link(maps, REL + "tilesets-map", "Rasters of the results as map tiles"))
    if job.state == "failed":
        links.append(link(addresses.results(job.id), REL + "exceptions", "Why the job failed"))
    links.append(link(addresses.log(job.id), "related", "Log of the job", "text/plain"))
    links.append(link(addresses.links.report(job.id), "related", "Report of the job"))
    return links
