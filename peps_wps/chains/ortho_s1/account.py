"""What is told of a computed tile: how it was made, and the mean of what it holds."""

import threading
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.scene import Scene, removes_noise
from peps_wps.chains.ortho_s1.values import lower_signal_value, value_format
from peps_wps.readers.dem import DemWindow
from peps_wps.writers.acquisition import Processing


class Statistics:
    """Number and mean of the valid pixels, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0
        self._total = 0.0

    def add(self, power: NDArray[np.float32]) -> None:
        """Count the pixels that are not NaN."""
        count = power.size - int(np.count_nonzero(np.isnan(power)))
        total = float(np.nansum(power, dtype=np.float64))
        with self._lock:
            self.count += count
            self._total += total

    @property
    def mean_db(self) -> float | None:
        """Mean power in decibels."""
        if self.count == 0:
            return None
        return round(10 * float(np.log10(self._total / self.count)), 3)


def processing_of(order: Order, scene: Scene, heights: DemWindow) -> Processing:
    """Return what names, tags and items say of how a pass is computed."""
    form = value_format(order.format, order.calibration)
    return Processing(
        calibration=order.calibration,
        denoised=removes_noise(order) and scene.has_noise,
        resampling=order.resampling,
        resolution=float(order.resolution),
        lower_signal_value=lower_signal_value(form, is_rounded=not order.lossless),
        dem=heights.datum,
        orbit=", ".join(dict.fromkeys(frame.orbit_source for frame in scene.frames)),
        version=version("peps"),
        created=datetime.now(UTC),
    )
