"""How long the cells of pairs stay: some days after an order last used them.

They are of use to later orders only, and nobody sees them: without an end they would fill the
datalake. An order renews all its pairs when it is planned and when their network is made.
"""

import logging
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from peps_wps.chains.time_series_s1.holdings import RECORD, record_of, state_of
from peps_wps.chains.time_series_s1.tasks import COLLECTION, Pair
from peps_wps.datalake.lake import Lake
from storage.errors import DatalakeLockedError

logger = logging.getLogger(__name__)

_PAIRS = f"{COLLECTION}-*/*/*"
HOLDER = "the removal of old cells"


def renew(lake: Lake, pair: Pair) -> bool:
    """Have the cells of a pair stay; False where they are not there, or somebody is at them."""
    try:
        with lake.lock(f"{pair.folder}/cells", holder=pair.name, patience_s=0):
            return touch(lake, pair)
    except DatalakeLockedError:
        return False


def touch(lake: Lake, pair: Pair) -> bool:
    """As `renew`, for who holds the lock of the cells, or knows that they were used of late."""
    if record_of(lake, pair) is None:
        return False
    os.utime(state_of(lake, pair) / RECORD)
    return True


def drop_stale(lake: Lake, keep: timedelta, now: datetime) -> int:
    """Remove cells that were not used for so long, but those at which somebody works.

    Returns
    -------
    Bytes that were freed.
    """
    freed = 0
    for folder in lake.states(_PAIRS):
        state = lake.state_folder(folder)
        if not _is_stale(state, keep, now):
            continue
        try:
            # Nobody computes or reads them while the whole folder is held.
            with lake.lock(folder, holder=HOLDER, patience_s=0):
                if _is_stale(state, keep, now):
                    freed += _remove(state)
        except DatalakeLockedError as error:
            logger.info("cells of %s stay, in use by %s", folder, error.holder)
        except OSError as error:  # the order whose end this is has succeeded all the same
            logger.warning("cells of %s could not be removed: %s", folder, error)
    return freed


def _is_stale(state: Path, keep: timedelta, now: datetime) -> bool:
    """Tell whether cells, or what a killed task left of them, were not used for so long."""
    try:
        record = state / RECORD
        used = (record if record.exists() else state).stat().st_mtime
    except FileNotFoundError:
        return False
    return used < (now - keep).timestamp()


def _remove(state: Path) -> int:
    """Remove the record, then all cells, then folders that hold nothing more."""
    freed = 0
    names = sorted(state.iterdir(), key=lambda path: path.name != RECORD)
    for path in names:
        freed += path.stat().st_size
        path.unlink()
    state.rmdir()
    logger.info("removed the cells of %s, %d bytes", state.parent.name, freed)
    with suppress(OSError):  # maps are in it
        state.parent.rmdir()
    return freed
