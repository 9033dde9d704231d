"""Small files that processes hold: the kernel lets go of them when their holder ends, however.

On the network that is promised by NFS 4 and by Lustre and GPFS mounted with `flock`.
"""

import fcntl
import os
from pathlib import Path
from typing import IO


def open_held(path: Path, *, is_shared: bool = False, waits: bool = True) -> IO[bytes]:
    """Open a file, made if there is none, and hold it until it is closed.

    Parameters
    ----------
    path
        In a folder that is there.
    is_shared
        Others may hold it so at the same time; nobody may hold it alone then.
    waits
        For other holders; BlockingIOError otherwise.

    Returns
    -------
    The file, at its beginning; what is written is appended. It is the one that has the name: if
    its last holder has removed it, a new one.
    """
    kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    while True:
        stream = path.open("a+b")
        try:
            fcntl.flock(stream, kind if waits else kind | fcntl.LOCK_NB)
        except BaseException:
            stream.close()
            raise
        if os.fstat(stream.fileno()).st_nlink:
            stream.seek(0)
            return stream
        stream.close()
