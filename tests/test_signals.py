"""A service that is told to end does so, whatever it does then and however often it is told."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

from peps_wps.signals import heard


def test_an_event_is_set_though_a_signal_comes_inside_it() -> None:
    stop: Any = threading.Event()
    with heard((signal.SIGTERM,), lambda _number: stop.set()):
        with stop._cond:  # as inside its `wait` and its `set`
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(20)


def test_each_signal_is_told_by_its_number_and_no_other() -> None:
    told: list[int] = []
    second = threading.Event()

    def tell(number: int) -> None:
        told.append(number)
        if len(told) == 2:
            second.set()

    other = signal.signal(signal.SIGUSR2, lambda *_: None)
    with heard((signal.SIGTERM, signal.SIGUSR1), tell):
        for number in (signal.SIGUSR2, signal.SIGUSR1, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert second.wait(20)
    signal.signal(signal.SIGUSR2, other)

    assert sorted(told) == sorted([signal.SIGUSR1, signal.SIGTERM])


def test_what_signals_did_before_they_do_again() -> None:
    def state() -> tuple[object, int]:
        return signal.getsignal(signal.SIGTERM), len(list(Path("/proc/self/fd").iterdir()))

    before = state()
    with heard((signal.SIGTERM,), lambda _number: None):
        assert signal.getsignal(signal.SIGTERM) != before[0]

    assert state() == before
    assert "signals" not in {thread.name for thread in threading.enumerate()}
