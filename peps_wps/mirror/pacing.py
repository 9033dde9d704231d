"""How fast a source may be asked, and when not at all."""

import threading
import time

from peps_wps.mirror.errors import HubUnavailableError, StoppedError

_FAILURES_TO_OPEN = 3
_LONGEST_PAUSE_S = 900.0


class Rate:
    """So many units a second, shared by all threads; a second's worth may be taken at once.

    Parameters
    ----------
    per_s
        Units a second; 0 is no limit.
    stop
        Ends the waiting of whoever waits.
    """

    def __init__(self, per_s: float, stop: threading.Event) -> None:
        self._per_s = per_s
        self._stop = stop
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def take(self, units: float) -> None:
        """Wait until the units may be used.

        Raises
        ------
        StoppedError
            When the run is told to stop.
        """
        if self._per_s:
            with self._lock:
                now = time.monotonic()
                self._free_at = max(self._free_at, now - 1) + units / self._per_s
                wait_s = self._free_at - now
            if wait_s > 0:
                self._stop.wait(wait_s)
        if self._stop.is_set():
            raise StoppedError("told to stop")


class Breaker:
    """Leaves a source alone that is out of service, and tries it with one request at a time.

    Parameters
    ----------
    pause_s
        The first pause; each failed trial doubles it, up to a quarter of an hour.
    """

    def __init__(self, pause_s: float) -> None:
        self._first_pause_s = pause_s
        self._lock = threading.Lock()
        self._pause_s = pause_s
        self._failures = 0
        self._closed_until = 0.0
        self._on_trial = False

    @property
    def wait_s(self) -> float:
        """How long the source is left alone, seconds."""
        return max(0.0, self._closed_until - time.monotonic())

    def enter(self) -> None:
        """Ask to send a request.

        Raises
        ------
        HubUnavailableError
            While the source is left alone, or another request is its trial.
        """
        with self._lock:
            if self._closed_until > time.monotonic():
                raise HubUnavailableError(f"left alone for {self.wait_s:.0f} s")
            if self._closed_until:
                if self._on_trial:
                    raise HubUnavailableError("another request tries whether it is back")
                self._on_trial = True

    def leave(self) -> None:
        """Note that a request was not sent after all."""
        with self._lock:
            self._on_trial = False

    def succeed(self) -> None:
        """Note that a request was served."""
        with self._lock:
            self._failures = 0
            self._pause_s = self._first_pause_s
            self._closed_until = 0.0
            self._on_trial = False

    def fail(self, retry_after_s: float | None) -> None:
        """Note that a request was not served; `retry_after_s` is what the source asked for."""
        with self._lock:
            self._failures += 1
            asked = retry_after_s is not None
            if asked or self._on_trial or self._failures >= _FAILURES_TO_OPEN:
                pause_s = self._pause_s if retry_after_s is None else retry_after_s
                self._closed_until = time.monotonic() + min(pause_s, _LONGEST_PAUSE_S)
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            self._on_trial = False
