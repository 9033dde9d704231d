"""What an operator must look at, in sentences: the alerts of the monitoring, without Prometheus."""

from collections.abc import Iterator
from datetime import datetime

from catalog_db import gauges
from catalog_db.engine import Engine
from catalog_db.gauges import MirrorState, RecallQueue
from peps_wps.config import Config
from peps_wps.metrics.families import free_shares
from storage.recall_policy import RecallPolicy

LEAST_IN_TIME = 0.99
LEAST_FREE = 0.05
# A recall is served first from this age on; it may take one batch more.
LONGEST_WAIT_S = RecallPolicy().max_wait_s


def alerts(config: Config, engine: Engine, now: datetime) -> list[str]:
    """Return what is not as it should be now, one sentence each."""
    with engine.connect() as connection:
        queue = gauges.recall_queue(connection)
        mirrors = gauges.mirrors(connection, now)
    return [*_late_recall(queue, now), *_late_mirrors(mirrors), *_full_disks(config)]


def _late_recall(queue: RecallQueue, now: datetime) -> Iterator[str]:
    age_s = 0.0 if queue.oldest is None else (now - queue.oldest).total_seconds()
    if age_s > LONGEST_WAIT_S:
        yield (
            f"the oldest recall has waited for {age_s / 3600:.1f} h, "
            f"expected at most {LONGEST_WAIT_S / 3600:.1f} h"
        )


def _late_mirrors(mirrors: list[MirrorState]) -> Iterator[str]:
    for one in mirrors:
        if one.share_in_time < LEAST_IN_TIME:
            yield (
                f"{100 * one.share_in_time:.1f} percent of {one.source} came within 48 h, "
                f"expected {100 * LEAST_IN_TIME:.0f}"
            )


def _full_disks(config: Config) -> Iterator[str]:
    for folder, share in free_shares(config).items():
        if share < LEAST_FREE:
            yield (
                f"{100 * share:.1f} percent of the disk of {folder} are free, "
                f"expected {100 * LEAST_FREE:.0f}"
            )
