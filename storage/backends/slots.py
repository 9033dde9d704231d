"""Drives of backends that have none of their own: how many batches are under way at once."""

from collections.abc import Sequence

from storage.errors import DriveBusyError
from storage.model import Drive


class Slots:
    """The batches of one process; each counts as a drive that reads one tape, or none known.

    Parameters
    ----------
    count
        Batches at once.
    """

    def __init__(self, count: int) -> None:
        self._tapes: dict[str, str | None] = {f"slot-{number + 1}": None for number in range(count)}
        self._busy: set[str] = set()

    def drives(self) -> Sequence[Drive]:
        """Return the slots as drives; what one read last is not mounted any more."""
        return [
            Drive(name, tape if name in self._busy else None, name in self._busy)
            for name, tape in self._tapes.items()
        ]

    def take(self, name: str, tape: str | None) -> None:
        """Begin a batch; `DriveBusyError` where one is under way."""
        if name in self._busy:
            raise DriveBusyError(f"{name} is in use")
        self._busy.add(name)
        self._tapes[name] = tape

    def free(self, name: str) -> None:
        """End a batch."""
        self._busy.discard(name)
