"""What a user may ask of the archive: how long files stay, and how much is waited for."""

from collections.abc import Callable

from catalog_db.archive import backlog, requests
from catalog_db.archive.backlog import Backlog
from catalog_db.engine import Connection
from peps_wps.config.archive_sections import Storage
from peps_wps.errors import QuotaError
from storage.errors import PinTooLongError

_UNKNOWN_WAIT_S = 60.0


class StagingLimits:
    """The limits of ``[storage]``; jobs are not held to them, for they were accepted."""

    def __init__(self, settings: Storage) -> None:
        self._longest_h = settings.max_pin_hours
        self._most_files = settings.max_waiting_files
        self._most_bytes = settings.max_waiting_gb * 1e9
        self.pin_lifetime_s = settings.pin_hours * 3600

    def check_pin(self, lifetime_s: float) -> None:
        """Raise `PinTooLongError` when files would stay for longer than is allowed."""
        if lifetime_s > self._longest_h * 3600:
            raise PinTooLongError(
                f"products stay on disk for {self._longest_h:g} h at most, "
                f"{lifetime_s / 3600:g} h were asked for"
            )

    def check_waits(
        self, connection: Connection, user: str, expect: Callable[[Backlog], float]
    ) -> None:
        """Raise `QuotaError` when a user waits for more than is allowed, the latest included.

        It says to come back when the first of what he waits for is expected.
        """
        waits = requests.waits_of(connection, user)
        if waits.files <= self._most_files and waits.size_bytes <= self._most_bytes:
            return
        first = requests.first_wait_of(connection, user)
        ahead = {} if first is None else backlog.backlogs(connection, [first])
        wait_s = max((expect(one) for one in ahead.values()), default=_UNKNOWN_WAIT_S)
        raise QuotaError(
            f"with these products {user} would wait for {waits.files} products of "
            f"{waits.size_bytes / 1e9:.1f} GB from tape, {self._most_files} products and "
            f"{self._most_bytes / 1e9:.1f} GB are allowed: ask again when some have come",
            max(1.0, wait_s),
        )
