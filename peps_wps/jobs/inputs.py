"""The inputs of a task as the archive is asked for them: one request, which the task names."""

from collections.abc import Sequence

from catalog_db.engine import Connection
from catalog_db.processing import job_tasks
from catalog_db.processing.jobs import TaskRow
from peps_wps.staging import Archive


def request_for(
    archive: Archive,
    task: TaskRow,
    products: Sequence[str],
    *,
    user: str,
    purpose: str,
    pin_lifetime_s: float,
) -> str | None:
    """Have products recalled and pinned for a task; None when it was put back meanwhile.

    The request is made and noted in one transaction: no crash leaves pins that nobody answers for.

    Raises
    ------
    CatalogError, StorageError, QuotaError
        As `Archive.request` does; nothing is requested then.
    """

    def note(connection: Connection, made: str) -> None:
        kept = job_tasks.set_request(connection, task, made)
        if kept != made:
            raise _NotWantedError(kept)

    try:
        return archive.request(
            products, user=user, purpose=purpose, pin_lifetime_s=pin_lifetime_s, note=note
        )
    except _NotWantedError as error:
        return error.kept


class _NotWantedError(Exception):
    """The task was put back, or has another request by now: this one is not made."""

    def __init__(self, kept: str | None) -> None:
        super().__init__(kept)
        self.kept = kept
