"""What runs, by the kernel's own word; processes and threads may end while they are looked at."""

import contextlib
from pathlib import Path


def is_alive(process: int) -> bool:
    """Tell whether a process runs, or could."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def states(process: int) -> list[str]:
    """Return the state of each thread of a process, a letter of proc(5)."""
    return [stat.rpartition(")")[2].split()[0] for stat in _of_threads(process, "stat")]


def children(process: int) -> list[int]:
    """Return the processes that the threads of one have started."""
    return [int(child) for listed in _of_threads(process, "children") for child in listed.split()]


def descendants(process: int) -> list[int]:
    """Return the processes that one has started, with theirs."""
    return [one for child in children(process) for one in (child, *descendants(child))]


def _of_threads(process: int, name: str) -> list[str]:
    """Return what a file says of each thread."""
    found = []
    for file in Path(f"/proc/{process}/task").glob(f"*/{name}"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.append(file.read_text())
    return found
