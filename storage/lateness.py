"""Whether whoever renews leases was held up for longer than one lasts."""

from datetime import datetime, timedelta


class Lateness:
    """Tells who comes late that others may be late too: the machine was suspended, or a clock set.

    They could not renew their leases either, perhaps, and are given time to do it.

    Parameters
    ----------
    lease_s
        How long a lease lasts.
    """

    def __init__(self, lease_s: float) -> None:
        self._lease = timedelta(seconds=lease_s)
        self._looked: datetime | None = None
        self._was_late = False

    def begins(self, now: datetime) -> bool:
        """Tell, once, whether the last look is longer ago than a lease lasts."""
        is_late = self._looked is not None and now - self._looked > self._lease
        is_first, self._looked, self._was_late = not self._was_late, now, is_late
        return is_late and is_first
