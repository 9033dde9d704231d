"""What is counted of an index while its blocks are computed."""

import math
import threading

import numpy as np
from numpy.typing import NDArray

from algorithms.optical import INT16_NO_DATA
from peps_wps.chains.contract import Json

PERCENTILES = (2, 25, 50, 75, 98)


class Statistics:
    """Counts and moments of an index, from any thread.

    Parameters
    ----------
    scale
        Of integers; None where values are stored as they are.
    """

    def __init__(self, scale: float | None) -> None:
        self._scale = scale
        self._lock = threading.Lock()
        self._counts = np.zeros(2**16, np.int64)
        self._sum = self._squares = 0.0
        self._low, self._high = math.inf, -math.inf
        self.pixels = self.seen = self.hidden = self.valid = 0

    def add(self, values: NDArray[np.float32], *, pixels: int, seen: int, hidden: int) -> None:
        """Count the values of a block that are not NaN.

        Parameters
        ----------
        pixels, seen, hidden
            Inside the area; of them with data in all bands; of them hidden by clouds.
        """
        held = values[~np.isnan(values)]
        total, squares = held.sum(dtype=np.float64), np.square(held, dtype=np.float64).sum()
        low, high = (float(held.min()), float(held.max())) if held.size else (math.inf, -math.inf)
        counts = None
        if self._scale is not None and held.size:
            stored = np.rint(held / np.float32(self._scale)).astype(np.int64) - INT16_NO_DATA
            counts = np.bincount(stored, minlength=2**16)
        with self._lock:
            self.pixels, self.seen = self.pixels + pixels, self.seen + seen
            self.hidden, self.valid = self.hidden + hidden, self.valid + held.size
            self._sum, self._squares = self._sum + float(total), self._squares + float(squares)
            self._low, self._high = min(self._low, low), max(self._high, high)
            if counts is not None:
                self._counts += counts

    def to_json(self) -> Json:
        """Return what the report says; there is at least one valid pixel."""
        mean = self._sum / self.valid
        variance = max(self._squares / self.valid - mean**2, 0.0)
        return {
            "pixels": self.pixels,
            "valid_percent": _percent(self.valid, self.pixels),
            "no_data_percent": _percent(self.pixels - self.seen, self.pixels),
            "hidden_percent": _percent(self.hidden, self.pixels),
            "undefined_percent": _percent(self.seen - self.hidden - self.valid, self.pixels),
            "mean": round(mean, 6),
            "standard_deviation": round(math.sqrt(variance), 6),
            "minimum": round(self._low, 6),
            "maximum": round(self._high, 6),
            **self._percentiles(),
        }

    def _percentiles(self) -> Json:
        if self._scale is None:
            return {}
        below = np.cumsum(self._counts)
        wanted = [math.ceil(percent / 100 * self.valid) for percent in PERCENTILES]
        stored = np.searchsorted(below, wanted) + INT16_NO_DATA
        return {
            f"percentile_{percent}": round(float(value) * self._scale, 6)
            for percent, value in zip(PERCENTILES, stored, strict=True)
        }


def _percent(count: int, of: int) -> float:
    return round(100 * count / of, 3)
