"""The JSON report of a job, in the shape that the PEPS scripts read line by line.

One key or list item a line; ``job_status`` before any result; every result address alone on its
line; ``percentCompleted`` with a comma after it. It exists from the moment the job is accepted and
always says what the row of the job says.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog_db import times
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering.process import REPORT

# STALLED is the word that the PEPS scripts know for running.
_JOB_STATUS = {
    "accepted": "PENDING",
    "staging": "PENDING",
    "queued": "PENDING",
    "running": "STALLED",
    "succeeded": "FINISHED",
    "failed": "ERROR",
    "dismissed": "CANCELED",
}


def render_report(
    job: Job, identifier: str, links: Links, folder: Path, *, pool: Path | None = None
) -> bytes:
    """Return the report of a job.

    Parameters
    ----------
    job
        The job as its row says it.
    identifier
        The process as the client named it.
    links
        Where logs and results are found.
    folder
        The folder of the job's results, where the chain may have left a report of its own.
    pool
        The disk pool, for a caller who may be told where products lie in it.
    """
    document = {
        **_user_information(job, identifier, links),
        **_chain_report(job, folder),
        **_staged_products(job, links, pool),
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def user_information(job: Job, identifier: str, links: Links) -> str:
    """Return the part of the report that says where a job stands, and nothing of its chain's."""
    return json.dumps(_user_information(job, identifier, links), indent=1)


def _user_information(job: Job, identifier: str, links: Links) -> dict[str, Any]:
    percent = 100 if job.state == "succeeded" else job.progress
    told = {
        "job_status": _JOB_STATUS[job.shown_state],
        "job_id": job.id,
        "identifier": identifier,
        "title": job.title or "",
        "process": f"{percent}%",
        "percentCompleted": percent,
        "message": job.message,
        "queue_position": job.queue_position,
        "expected_start": _instant(job.expected_start),
        "expected_finish": _instant(job.expected_finish),
        "logs": [links.log(job.id)],
        "unprocessed": str(sum("error" in one for one in _staged(job))),
        "results": [
            *(
                links.output(job.id, result["href"])
                for name, result in (job.results or {}).items()
                if name != REPORT and "href" in result
            ),
            *(_download(one, links) for one in _staged(job) if "error" not in one),
        ],
    }
    return {"USER_INFO": told}


def _chain_report(job: Job, folder: Path) -> dict[str, Any]:
    """Return what the chain itself reports, from the row or from its file."""
    result = (job.results or {}).get(REPORT, {})
    content = result.get("value", {})
    if "href" in result and (folder / result["href"]).is_file():
        content = json.loads((folder / result["href"]).read_text(encoding="utf-8"))
    report = content if isinstance(content, dict) else {REPORT: content}
    return {key: value for key, value in report.items() if key != "USER_INFO"}


def _staged(job: Job) -> list[dict[str, Any]]:
    """Return what the row of a job says of the products that it has staged."""
    staged: list[dict[str, Any]] = (job.results or {}).get(REPORT, {}).get("staged", [])
    return staged


def _staged_products(job: Job, links: Links, pool: Path | None) -> dict[str, Any]:
    """Return the products that a job has staged: where they are, or why they are not."""
    staged = [_staged_product(one, links, pool) for one in _staged(job)]
    return {"products": staged} if staged else {}


def _staged_product(one: Mapping[str, Any], links: Links, pool: Path | None) -> dict[str, Any]:
    """Return one product; its path is told as long as it is certain to be there."""
    told = {name: one[name] for name in ("title", "uid", "collection", "size")}
    if "error" in one:
        return told | {"error": one["error"]}
    until = datetime.fromisoformat(one["until"])
    told |= {"download": _download(one, links), "pinned_until": _instant(until)}
    return told | ({"path": str(pool / one["path"])} if pool and until > times.now() else {})


def _download(one: Mapping[str, Any], links: Links) -> str:
    return links.download(one["collection"], one["uid"])


def _instant(time: datetime | None) -> str | None:
    return None if time is None else times.to_text(time)
