"""One at a time on a part of the datalake, from any process that has its folder."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from storage.errors import DatalakeLockedError
from storage.held_file import open_held
from storage.part_file import make_folder
from storage.pool import checked

PAUSE_S = 0.2

# Told who holds what is waited for, at each look.
Waiting = Callable[[str], None]


class DatalakeLocks:
    """Locks by key; who holds ``a/b/c`` keeps ``a/b`` and ``a`` from being held alone.

    A lock is a file that its holder has locked with the kernel: it is free as soon as its process
    has ended, and needs neither a clock nor a database.

    Parameters
    ----------
    folder
        Where the files of the locks are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(
        self,
        key: str,
        *,
        holder: str = "",
        patience_s: float | None = None,
        waiting: Waiting | None = None,
        pause_s: float = PAUSE_S,
    ) -> Iterator[None]:
        """Hold a key alone.

        Parameters
        ----------
        key
            Of one part or more: ``S1-L1-ORTHO/31TGL/20180720_139``.
        holder
            Who, for those who wait.
        patience_s
            How long to wait for others; for ever where None.
        waiting
            Told the holder, again and again while one waits.

        Raises
        ------
        DatalakeLockedError
            When others hold it all the time.
        """
        alone = checked(key)
        above = list(reversed(alone.parents))[1:]  # without "."
        deadline = None if patience_s is None else time.monotonic() + patience_s
        with ExitStack() as stack:
            for name in (*above, alone):
                while not self._take(stack, name, holder, is_shared=name != alone):
                    other = self._holder(name)
                    if waiting is not None:
                        waiting(other)
                    if deadline is not None and time.monotonic() + pause_s > deadline:
                        raise DatalakeLockedError(str(name), other)
                    time.sleep(pause_s)
            yield

    def _take(self, stack: ExitStack, name: PurePosixPath, holder: str, *, is_shared: bool) -> bool:
        path = self._path(name)
        make_folder(path.parent)
        try:
            stream = stack.enter_context(open_held(path, is_shared=is_shared, waits=False))
        except BlockingIOError:
            return False
        if not is_shared:
            stream.truncate(0)
            stream.write(holder.encode())
            stream.flush()
            # Before it is closed, so that nobody is given it under a name that goes.
            stack.callback(path.unlink, missing_ok=True)
        return True

    def _holder(self, name: PurePosixPath) -> str:
        """Return who says to hold a key."""
        try:
            said = self._path(name).read_bytes().decode(errors="replace")
        except FileNotFoundError:
            said = ""
        return said or "another task"

    def _path(self, name: PurePosixPath) -> Path:
        return self._folder / f"{str(name).replace('/', '~')}.lock"
