"""What backends beyond a network have in common: batches under way, and how patiently they ask."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from storage.backend import Capabilities
from storage.backends.patience import Patience
from storage.backends.slots import Slots
from storage.model import ArchiveFile, Drive

SessionT = TypeVar("SessionT")


class RemoteBatches(Generic[SessionT]):
    """A service that schedules its drives itself.

    Parameters
    ----------
    name
        What the catalogue calls it.
    batches
        Batches that this process may have under way.
    patience
        How often and how long the service is asked.
    """

    def __init__(self, name: str, batches: int, patience: Patience | None) -> None:
        self.name = name
        self._patience = patience or Patience()
        self._slots = Slots(batches)
        self._count = batches
        self._sessions: dict[str, SessionT] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the engine must know of it."""
        return Capabilities(drives=self._count, poll_s=self._patience.poll_s)

    def drives(self) -> Sequence[Drive]:
        """Return the batches that this process may have under way."""
        return self._slots.drives()

    def order(self, drive: str, files: Sequence[ArchiveFile]) -> Sequence[ArchiveFile]:
        """Return files as they come: the service orders them by itself."""
        del drive
        return files
