"""Landing page, conformance and the list of processes."""

from collections.abc import Mapping, Sequence

from peps_wps.config import Config
from peps_wps.ordering.process import ChainProcess
from peps_wps.web.ogcapi.addresses import HTML, OPENAPI_JSON, REL, Addresses, Json, link

_CONFORMANCE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
CONFORMANCE = tuple(
    _CONFORMANCE + name
    for name in ("core", "ogc-process-description", "json", "oas30", "job-list", "dismiss")
)


def landing_page(config: Config, addresses: Addresses) -> Json:
    """Return where everything is (clause 7.2)."""
    return {
        "title": config.metadata.identification_title,
        "description": config.metadata.identification_abstract,
        "links": [
            link(addresses.root, "self", "This document"),
            link(addresses.at("/api"), "service-desc", "OpenAPI definition", OPENAPI_JSON),
            link(addresses.at("/api.html"), "service-doc", "The same for people", HTML),
            link(addresses.at("/conformance"), REL + "conformance", "Conformance"),
            link(addresses.at("/conformance"), "conformance", "Conformance"),
            link(addresses.at("/processes"), REL + "processes", "Processes"),
            link(addresses.at("/jobs"), REL + "job-list", "Jobs"),
        ],
    }


def conformance() -> Json:
    """Return the classes that are implemented (clause 7.4)."""
    return {"conformsTo": list(CONFORMANCE)}


def process_list(
    processes: Sequence[ChainProcess], addresses: Addresses, *, limit: int, offset: int
) -> Json:
    """Return a page of summaries (clause 7.7).

    Parameters
    ----------
    processes
        All that the caller may see.
    limit, offset
        Summaries on the page at most, and how many come before it.
    """

    def page(relation: str, start: int) -> Json:
        query: Mapping[str, int] = {"limit": limit, "offset": start}
        return link(addresses.at("/processes", query), relation)

    links = [page("self", offset)]
    if offset + limit < len(processes):
        links.append(page("next", offset + limit))
    if offset > 0:
        links.append(page("prev", max(0, offset - limit)))
    shown = processes[offset : offset + limit]
    return {"processes": [summary(one, addresses) for one in shown], "links": links}


def summary(process: ChainProcess, addresses: Addresses) -> Json:
    """Return what a list says of a process (``processSummary.yaml``)."""
    here = addresses.process(process.identifier)
    return {
        "id": process.identifier,
        "version": process.version,
        "title": process.title,
        "description": process.abstract,
        "keywords": list(process.keywords),
        "jobControlOptions": _job_control(process),
        "outputTransmission": transmission_modes(process),
        "links": [
            link(here, "self", "Description"),
            link(f"{here}/execution", REL + "execute", "Execution"),
        ],
    }


def transmission_modes(process: ChainProcess) -> list[str]:
    """Return how outputs can be given; nothing leads to the results of what makes no job."""
    return ["value", "reference"] if process.async_allowed else ["value"]


def _job_control(process: ChainProcess) -> list[str]:
    """Return how a process can be ordered; what makes no job cannot be dismissed."""
    sync = ["sync-execute"] if process.sync_allowed else []
    return [*sync, "async-execute", "dismiss"] if process.async_allowed else sync
