"""Processes that must not outlive the one that started them."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable

# linux/prctl.h
PR_SET_PDEATHSIG = 1


def follow_parent(action: Callable[[], object]) -> None:
    """Call `action` in a thread of its own once the parent process has gone."""
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
