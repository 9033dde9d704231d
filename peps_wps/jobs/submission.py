"""From literal inputs to a job in the database, and looking at jobs from outside."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalog_db import locks, times
from catalog_db.engine import Connection, Engine
from catalog_db.processing import job_listing, job_tasks, job_waiting, jobs
from catalog_db.processing.job_listing import JobFilter, JobPage
from catalog_db.processing.job_order import STAGE_LANE
from catalog_db.processing.jobs import Job, TaskRow
from peps_wps.chains.contract import Plan, PlanContext
from peps_wps.config import Config
from peps_wps.errors import OrderRefusedError, QueueFullError
from peps_wps.jobs.chain_lookup import chain_of
from peps_wps.jobs.plan_catalogue import DatabaseCatalogue

# The table keeps this much of a label.
LONGEST_TITLE = 200
LONGEST_TASK_NAME = 80

WAITS_FOR_WORKER = "Waiting for a worker"

# In the body of the one task of a job that stages.
PIN_LIFETIME = "pin_lifetime_s"


def submit(
    engine: Engine,
    config: Config,
    *,
    process: str,
    inputs: Mapping[str, Sequence[str]],
    owner: str,
    title: str | None = None,
    response_options: Mapping[str, Any] | None = None,
    quick: bool = False,
) -> Job:
    """Check an order, plan it and insert its job; once this returns, the job will end.

    Parameters
    ----------
    process
        Identifier of the process, the name of its chain.
    inputs
        Literal values by input identifier, several where the input was repeated.
    owner
        User who orders.
    title
        What the client calls the job.
    response_options
        How the client wants the answer, as JSON.
    quick
        Whether it takes seconds, and runs in the lane of those.

    Raises
    ------
    InvalidInputError
        When an input is wrong in itself, or (OrderRefusedError) the order cannot work.
    QueueFullError
        When as many jobs wait as the configuration allows.
    """
    chain = chain_of(config, process)
    order = chain.parse(inputs)
    plan = chain.plan(order, PlanContext(DatabaseCatalogue(engine), config))
    job_id, now = str(uuid.uuid4()), times.now()
    tasks = _task_rows(job_id, plan)
    job = Job(
        id=job_id,
        process=process,
        owner=owner,
        title=title[:LONGEST_TITLE] if title else None,
        state="accepted",
        inputs={name: list(values) for name, values in inputs.items()},
        order=chain.order_to_json(order),
        response_options=dict(response_options or {}),
        max_attempts=config.processing.max_attempts,
        time_limit_s=config.processing.time_limit_s,
        lane=STAGE_LANE if plan.stage else "quick" if quick else "main",
        weight=sum(task.weight for task in tasks) or 1.0,
        message="Accepted",
        created=now,
        updated=now,
    )
    # What needs no input can be claimed at once: nothing is to be staged for it.
    if not tasks or tasks[0].state == "ready":
        job = replace(job, state="queued", message=WAITS_FOR_WORKER, queued=now)
    _check_fits(engine, plan, config)
    with engine.begin() as connection:
        _check_queue(connection, config, owner)
        jobs.insert_job(connection, job, tasks, _waits(plan))
        jobs.add_log(connection, job_id, "INFO", f"Accepted, tasks: {len(tasks)}")
    return get(engine, config, job_id) or job


def get(engine: Engine, config: Config, job_id: str) -> Job | None:
    """Return a job as it stands, or None when there is none of this identifier."""
    with engine.connect() as connection:
        return jobs.get(connection, job_id, most_running=config.processing.maxrunning)


def page_of_jobs(
    engine: Engine, wanted: JobFilter, *, limit: int = 100, cursor: str | None = None
) -> JobPage:
    """Return a page of the jobs that a filter lets pass, the newest first; see `job_listing`."""
    with engine.connect() as connection:
        return job_listing.page_of_jobs(connection, wanted, limit=limit, cursor=cursor)


def _task_rows(job_id: str, plan: Plan) -> list[TaskRow]:
    if plan.stage is not None:
        body = {PIN_LIFETIME: plan.stage.pin_lifetime_s}
        return [TaskRow(job_id, 0, "staging", body=body, products=plan.stage.products)]
    return [
        TaskRow(
            job=job_id,
            number=number,
            name=task.name[:LONGEST_TASK_NAME],
            body=task.body,
            products=task.products,
            weight=task.weight,
            optional=task.optional,
            state="waiting" if task.products or task.after else "ready",
        )
        for number, task in enumerate(plan.tasks)
    ]


def _waits(plan: Plan) -> list[tuple[int, int]]:
    """Return the numbers of tasks that wait for another, and of that one.

    Raises
    ------
    ValueError
        When a plan has a task wait for none that is before it: it would never begin.
    """
    numbers: dict[str, int] = {}
    waits = []
    for number, task in enumerate(plan.tasks):
        if unknown := set(task.after) - numbers.keys():
            raise ValueError(f"task {task.name} waits for {min(unknown)}, which is not before it")
        waits += [(number, numbers[name]) for name in sorted(set(task.after))]
        numbers[task.name] = number
    return waits


def _check_fits(engine: Engine, plan: Plan, config: Config) -> None:
    """Refuse what could never lie on disk together: inputs of a task, or what is to be staged."""
    budget = config.storage.budget_gb * 1e9
    needs = {task.products: budget for task in plan.tasks if task.products}
    if plan.stage is not None:
        needs[plan.stage.products] = budget * config.staging.pool_share
    for needed, limit in needs.items():
        with engine.connect() as connection:
            size = job_tasks.pool_bytes(connection, needed)
        if size > limit:
            raise OrderRefusedError(
                "product" if plan.stage is None else "products",
                f"{len(needed)} products of {size / 1e9:.1f} GB are needed on disk together, "
                f"the limit is {limit / 1e9:.1f} GB",
            )


def _check_queue(connection: Connection, config: Config, owner: str) -> None:
    """Refuse an order while as many jobs wait as are allowed."""
    limits = config.processing
    if limits.maxprocesses or limits.maxprocesses_user:
        locks.hold(connection, locks.Subject.JOBS)
    for most, user in ((limits.maxprocesses, None), (limits.maxprocesses_user, owner)):
        if most == 0:
            continue
        waiting = job_waiting.count_waiting(connection, user)
        if waiting >= most:
            whose = "" if user is None else "of yours "
            raise QueueFullError(
                f"{waiting} orders {whose}wait already, at most {most} may: try again later"
            )
