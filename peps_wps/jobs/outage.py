"""What the log says while the database refuses: at once why, then seldom, and when it is over."""

import logging
import time

from catalog_db.job_queue import DatabaseError

REMINDER_S = 60.0


class Outage:
    """Tells of the refusals of the database, of which a loop meets one every few seconds.

    Parameters
    ----------
    who
        What waits for the database, in words.
    logger
        Where it is told.
    """

    def __init__(self, who: str, logger: logging.Logger) -> None:
        self._who = who
        self._logger = logger
        self._since: float | None = None
        self._next = 0.0

    def note(self, error: DatabaseError) -> None:
        """Note a refusal: the first is logged, then one a minute, the stack for debugging only."""
        now = time.monotonic()
        if self._since is None:
            self._since, self._next = now, now
        if now >= self._next:
            self._next = now + REMINDER_S
            since_s = now - self._since
            text = "%s waits for the database, for %.0f s so far: %s"
            self._logger.error(text, self._who, since_s, reason_of(error))
        self._logger.debug("the refusal of the database", exc_info=error)

    def over(self) -> None:
        """Note that the database has answered."""
        if self._since is not None:
            waited_s = time.monotonic() - self._since
            self._logger.warning("%s has the database back after %.0f s", self._who, waited_s)
            self._since = None


def reason_of(error: DatabaseError) -> str:
    """Return the first line of what the driver said, without the statement it was about."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
