"""Waiting for a database server that is away: while it restarts, what is computed goes on."""

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import exc

logger = logging.getLogger(__name__)

PATIENCE_S = 900.0
PAUSE_S = 0.5

Answer = TypeVar("Answer")


def patiently(
    action: Callable[[], Answer], *, patience_s: float = PATIENCE_S, pause_s: float = PAUSE_S
) -> Answer:
    """Return what an action on the database gives, tried again while the server is away.

    A lock that was waited for in vain counts as that. Refusals of SQLite do not: there is no server
    that could come back, and its engine has waited already.

    Parameters
    ----------
    action
        One transaction. It may be done twice: a commit whose answer was lost can have been made.
    patience_s
        The last refusal after so many seconds is raised.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return action()
        except (exc.DBAPIError, exc.TimeoutError) as error:
            if not _may_pass(error) or time.monotonic() > deadline:
                raise
            logger.warning("the database is away: %s", str(error).partition("\n")[0])
            time.sleep(pause_s)


def _may_pass(error: exc.DBAPIError | exc.TimeoutError) -> bool:
    """Tell whether another try, later, may not meet the same error."""
    if isinstance(error, exc.TimeoutError):  # no connection of the pool was free
        return True
    if isinstance(error.orig, sqlite3.Error):
        return False
    is_refusal = isinstance(error, (exc.InterfaceError, exc.OperationalError))
    return is_refusal or error.connection_invalidated
