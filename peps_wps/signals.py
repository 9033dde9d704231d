"""Signals as calls in a thread of their own.

A handler runs in the middle of whatever the main thread does. Where that is inside an event or a
lock, or inside the handler of the same signal that came before, a handler that takes the lock waits
for ever: services that were told twice to end did not.
"""

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager


@contextmanager
def heard(numbers: Collection[signal.Signals], tell: Callable[[int], object]) -> Iterator[None]:
    """Have `tell` called with the number of each signal that comes within the block.

    Only the main thread may enter it.

    Parameters
    ----------
    numbers
        Signals that do nothing else within the block.
    tell
        What is called, in a thread of its own, one call after the other.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    listener = threading.Thread(
        target=_listen, args=(reading, numbers, tell), name="signals", daemon=True
    )
    handlers = {number: signal.signal(number, _do_nothing) for number in numbers}
    descriptor = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(writing)
        listener.join()
        os.close(reading)


def _listen(
    reading: int, numbers: Collection[signal.Signals], tell: Callable[[int], object]
) -> None:
    """Tell of signals until the other end of the pipe is closed: a byte each, their number."""
    while byte := os.read(reading, 1):
        if byte[0] in numbers:
            tell(byte[0])


def _do_nothing(_number: int, _frame: object) -> None:
    """Stand for what a signal does by default, which is to end the process."""
