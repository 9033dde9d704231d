"""Processes that must not outlive the one that started them, and how they ended."""

import contextlib
import ctypes
import multiprocessing
import multiprocessing.connection  # for the thread of `follow_parent`, which must import nothing
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

# linux/prctl.h
PR_SET_PDEATHSIG = 1
# proc(5): from -1000 to 1000, the processes with the highest are killed first.
OOM_SCORE = "500"


def follow_parent(action: Callable[[], object]) -> None:
    """Call `action` in a thread of its own once the parent process has gone.

    The thread imports nothing: a fork meanwhile, as a web server's, would leave the child with the
    lock of that import, held for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        action()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def die_with_parent() -> None:
    """Make this process lead a group of its own that is killed when its parent dies.

    The kernel's signal reaches a process that is busy in native code; the thread also sees the
    death of a grandparent, whose pipe the zygote passed on, and takes the whole group along.
    """
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    follow_parent(kill_own_group)


def be_killed_first() -> None:
    """Where memory runs out, have this process go and not the service."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)


def kill_own_group() -> None:
    """Kill this process and all that it has started."""
    os.killpg(0, signal.SIGKILL)


def kill_group(process: int) -> None:
    """Kill a process and the group that it leads, if it got so far; gone is as good."""
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def exit_reason(exit_code: int | None) -> str:
    """Return why a process ended, in words."""
    if exit_code is not None and exit_code < 0:
        return f"its process was killed by {signal.Signals(-exit_code).name}"
    return f"its process ended with exit code {exit_code}"
