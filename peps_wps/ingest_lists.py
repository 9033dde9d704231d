"""Ingest of lists: many products by their description, in batches that are taken whole.

The place in the list is noted in the transaction of each batch, so that a run that was broken off
goes on behind the last whole one, and a list that was taken in already costs nothing.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from catalog_db import times
from catalog_db.catalogue import ingestion
from catalog_db.catalogue.ingestion import Advance, Entry
from peps_wps.records import Record, RecordList
from peps_wps.services import Services

logger = logging.getLogger(__name__)

BATCH = 1000
# Told how much of the list is done, in percent, and what is being done.
Progress = Callable[[float, str], None]


@dataclass
class ListReport:
    """What became of a list.

    Parameters
    ----------
    path
        As given.
    taken, skipped
        Records taken into the catalogue now, and done by an earlier run.
    refused
        Name and problem of each record refused now.
    """

    path: Path
    taken: int = 0
    skipped: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def ingest_list(
    path: Path,
    services: Services,
    *,
    again: bool = False,
    progress: Progress = lambda _percent, _message: None,
) -> ListReport:
    """Take the products of a list into the catalogue.

    Parameters
    ----------
    path
        The list (`peps_wps.records.lists`).
    services
        Configuration and database.
    again
        From the first record on, whatever an earlier run has done.
    progress
        Told after each batch.

    Raises
    ------
    ListError
        When the file is no list; batches before the fault stay.
    """
    records = RecordList(path, services.config.tape_names)
    digest = records.digest()
    with services.engine.begin() as connection:
        if again:
            ingestion.forget_advance(connection, digest)
        before = ingestion.advance_of(connection, digest)
    report = ListReport(path, skipped=before.done)
    done, refused = before.done, before.refused
    for batch in _batches(records, after=before.done):
        problems = [(one.title, one.problem) for one in batch if one.product is None]
        now = times.now()
        with services.engine.begin() as connection:
            entries = [Entry(one.product, one.file) for one in batch if one.product is not None]
            problems += ingestion.take(connection, entries, now).items()
            done, refused = done + len(batch), refused + len(problems)
            ingestion.note_advance(connection, digest, path.name, Advance(done, refused), now)
        report.taken += len(batch) - len(problems)
        report.refused += problems
        progress(records.percent, f"Ingesting {path.name}: {done} records")
    logger.info("ingested %s: %d taken, %d refused", path, report.taken, len(report.refused))
    return report


def _batches(records: RecordList, *, after: int) -> Iterator[tuple[Record, ...]]:
    remaining = records.records(times.now(), after=after)
    while batch := tuple(islice(remaining, BATCH)):
        yield batch
