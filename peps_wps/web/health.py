"""``/health``: whether the service is alive, whether it can do its work, and what to look at."""

import json
import logging
import tempfile
from collections.abc import Callable
from datetime import timedelta

from werkzeug import Request, Response
from werkzeug.routing import Rule

from catalog_db import migrations, times
from catalog_db.processing import jobs, workers
from catalog_db.processing.job_listing import JobFilter, page_of_jobs
from peps_wps.metrics.alerts import alerts
from peps_wps.services import Services

logger = logging.getLogger(__name__)

# Running jobs whose leases are looked at.
_MOST_RUNNING = 1000


class NotReadyError(Exception):
    """Something that the service needs is not there; the sentence says what."""


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    return [
        Rule("/health", endpoint=readiness, methods=["GET"]),
        Rule("/health/live", endpoint=liveness, methods=["GET"]),
    ]


def liveness(_request: Request, _services: Services) -> Response:
    """Say that the web process answers; nothing else is looked at."""
    return _answer({"status": "alive"}, 200)


def readiness(_request: Request, services: Services) -> Response:
    """Say what works: 200 when everything does, else 503 with the reason of each failure.

    Alerts are sentences about what works and falls behind; they do not change the status.
    """
    checks = {name: _outcome(name, check, services) for name, check in _CHECKS.items()}
    is_ready = all(check["ok"] for check in checks.values())
    status = "ready" if is_ready else "not ready"
    raised = alerts(services.config, services.engine, times.now()) if is_ready else []
    answer: dict[str, object] = {"status": status, "checks": checks, "alerts": raised}
    return _answer(answer, 200 if is_ready else 503)


def _outcome(
    name: str, check: Callable[[Services], dict[str, object]], services: Services
) -> dict[str, object]:
    try:
        return {"ok": True, **check(services)}
    except NotReadyError as error:
        return {"ok": False, "reason": str(error)}
    except Exception:
        logger.exception("health check %s failed", name)
        return {"ok": False, "reason": "no answer, see the log of the server"}


def _check_database(services: Services) -> dict[str, object]:
    """Ask the database for its schema, which must be the newest."""
    found, newest = migrations.current(services.engine), migrations.newest()
    if found != newest:
        raise NotReadyError(f"the schema is {found}, expected {newest}: run peps db upgrade")
    return {"schema": found}


def _check_folders(services: Services) -> dict[str, object]:
    """Write into pool and results."""
    for folder in (services.config.storage.path, services.config.results.path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise NotReadyError(f"{folder.name} cannot be written: {error.strerror}") from error
    return {}


def _check_workers(services: Services) -> dict[str, object]:
    """Look for a worker, and for jobs said to run whose worker nobody replaces in time."""
    lease_s = services.config.processing.lease_s
    grace, now = timedelta(seconds=lease_s), times.now()
    with services.engine.connect() as connection:
        counts = jobs.count_by_state(connection)
        running = page_of_jobs(connection, JobFilter(row_states=["running"]), limit=_MOST_RUNNING)
        alive = workers.heard_since(connection, now - grace)
    overdue = [job for job in running.jobs if job.lease_until and job.lease_until + grace < now]
    if overdue:
        raise NotReadyError(f"nobody is heard of for {len(overdue)} running jobs")
    if not alive:
        raise NotReadyError(f"no worker was heard of for {lease_s:.0f} s: orders and recalls wait")
    return {"jobs": counts, "workers": len(alive)}


def _answer(body: dict[str, object], status: int) -> Response:
    return Response(
        json.dumps(body, indent=1) + "\n",
        status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


_CHECKS = {"database": _check_database, "folders": _check_folders, "workers": _check_workers}
