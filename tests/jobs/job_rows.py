"""Jobs written into their table by a test: no worker looks at them."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from catalog_db import times
from catalog_db.engine import Engine
from catalog_db.processing import jobs
from catalog_db.processing.jobs import Job


def add_job(
    engine: Engine,
    process: str,
    *,
    owner: str = "anonymous",
    title: str | None = None,
    inputs: Mapping[str, Sequence[str]] | None = None,
    response_options: Mapping[str, Any] | None = None,
    created: datetime | None = None,
) -> Job:
    """Write a job that was just accepted, with a log that has a line for its owner alone."""
    instant = created or times.now()
    job = Job(
        id=str(uuid.uuid4()),
        process=process,
        owner=owner,
        title=title,
        state="accepted",
        inputs=inputs or {},
        order={},
        response_options=response_options or {},
        max_attempts=3,
        message="Accepted",
        created=instant,
        updated=instant,
    )
    with engine.begin() as connection:
        jobs.insert_job(connection, job, [])
        jobs.add_log(connection, job.id, "INFO", "Accepted")
        jobs.add_log(connection, job.id, "DEBUG", "Traceback (most recent call last)")
    return job
