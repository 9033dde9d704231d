"""What the log says while something refuses: at once why, then seldom, and when it is over."""

import logging
import time

REMINDER_S = 60.0


class Outage:
    """Tells of refusals, of which a loop meets one every few seconds, by a database or a disk.

    Parameters
    ----------
    who
        What waits, in words.
    logger
        Where it is told.
    """

    def __init__(self, who: str, logger: logging.Logger) -> None:
        self._who = who
        self._logger = logger
        self._since: float | None = None
        self._next = 0.0

    def note(self, error: Exception) -> None:
        """Note a refusal: the first is logged, then one a minute, the stack for debugging only."""
        now = time.monotonic()
        if self._since is None:
            self._since, self._next = now, now
        if now >= self._next:
            self._next = now + REMINDER_S
            since_s = now - self._since
            text = "%s waits for its database or disk, for %.0f s so far: %s"
            self._logger.error(text, self._who, since_s, reason_of(error))
        self._logger.debug("the refusal", exc_info=error)

    def over(self) -> None:
        """Note that it is refused no more."""
        if self._since is not None:
            waited_s = time.monotonic() - self._since
            self._logger.warning("%s goes on after %.0f s", self._who, waited_s)
            self._since = None


def reason_of(error: Exception) -> str:
    """Return the first line of what was said at the origin, without the statement it was about."""
    cause = error.__cause__ or error
    return str(getattr(cause, "orig", None) or cause).partition("\n")[0]
