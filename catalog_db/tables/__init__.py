"""The schema: every table of the service, the same on SQLite and PostgreSQL, one module a subject.

Changes go through a numbered migration in ``catalog_db/migrations``; a test compares the two.
Times are UTC, stored as integer microseconds since 1970 (`*_us`): ordered, exact, the same in both
engines. Identifiers of jobs, requests and products are uuid text.
"""

from catalog_db.tables.archive import (
    file,
    pool,
    recall,
    recalled_for,
    replica,
    request,
    request_file,
)
from catalog_db.tables.base import metadata
from catalog_db.tables.catalogue import (
    EXTREMES,
    catalogue_revision,
    cell,
    cell_count,
    day_count,
    item,
    kind,
    placement,
    updated_us,
)
from catalog_db.tables.counters import counter
from catalog_db.tables.download import download, download_volume
from catalog_db.tables.event import daily_use, event
from catalog_db.tables.gazetteer import place, place_name
from catalog_db.tables.ingestion import ingestion
from catalog_db.tables.jobs import job, job_log, process_run, task, task_after, worker
from catalog_db.tables.mirror import mirror_content, mirror_day, mirror_mark, mirror_product
from catalog_db.tables.stage_path import stage_path
from catalog_db.tables.statistics import daily_volume
from catalog_db.tables.succession import succession
from catalog_db.tables.users import account, failed_login, membership, process_right, token

__all__ = [
    "EXTREMES",
    "account",
    "catalogue_revision",
    "cell",
    "cell_count",
    "counter",
    "daily_use",
    "daily_volume",
    "day_count",
    "download",
    "download_volume",
    "event",
    "failed_login",
    "file",
    "ingestion",
    "item",
    "job",
    "job_log",
    "kind",
    "membership",
    "metadata",
    "mirror_content",
    "mirror_day",
    "mirror_mark",
    "mirror_product",
    "place",
    "place_name",
    "placement",
    "pool",
    "process_right",
    "process_run",
    "recall",
    "recalled_for",
    "replica",
    "request",
    "request_file",
    "stage_path",
    "succession",
    "task",
    "task_after",
    "token",
    "updated_us",
    "worker",
]
