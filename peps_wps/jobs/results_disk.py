"""Whether the folder of results has room for a job: none is begun while it has not.

A full disk ends every attempt within seconds, and gave up every job it met; waiting costs nothing.
"""

import errno
import shutil
import tempfile
import time
from pathlib import Path

CHECK_S = 1.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
# Below this no job is begun: scratch and results of the smallest useful order.
LEAST_FREE_BYTES = 64 * 2**20

# Exit code of a job's process that the disk refused: the attempt does not count.
REFUSED_EXIT_CODE = 74  # EX_IOERR of sysexits.h
_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_PROBE = bytes(4096)


class ResultsDisk:
    """What a supervisor knows of the disk that its jobs write to.

    Parameters
    ----------
    folder
        Of the results; the scratch of jobs lies in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reason: str | None = None
        self._next_check = 0.0
        self._pause_s = FIRST_PAUSE_S

    def reason_to_wait(self) -> str | None:
        """Return why no job can begin now, None when one can; looks every few seconds only."""
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + CHECK_S
            self._reason = refusal(self._folder)
        return self._reason

    def reason_of_refusal(self) -> str:
        """Return why a job was refused by the disk, which may have room again."""
        return refusal(self._folder) or "The disk of the results was full"

    def refused(self, reason: str) -> None:
        """Note that a job was refused by the disk; each time none begins for longer."""
        self._reason = reason
        self._next_check = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def accepted(self) -> None:
        """Note that a job ended without being refused."""
        self._pause_s = FIRST_PAUSE_S


def refusal(folder: Path) -> str | None:
    """Return in a sentence why nothing can be written below `folder`, None when it can be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            stream.write(_PROBE)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return "The results folder is full"
        return f"The results folder cannot be written: {error.strerror or 'no reason given'}"
    if free < LEAST_FREE_BYTES:
        return (
            f"The results folder is full: {free // 2**20} MB are free, "
            f"{LEAST_FREE_BYTES // 2**20} MB are needed"
        )
    return None


def is_refusal(error: BaseException, folder: Path) -> bool:
    """Tell whether an attempt ended because nothing can be written, and not for another reason."""
    causes = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError)}
    return bool(numbers & _REFUSALS) or refusal(folder) is not None
