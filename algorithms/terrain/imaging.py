"""The geometry of a Sentinel-1 GRD image as `terrain.profiles` asks for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.grd import Float64
from algorithms.radar.ground_range import SLANT_STEP
from algorithms.radar.ortho import Window
from algorithms.terrain.nodes import SampleTable

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class GrdImaging:
    """The `ImagingGeometry` of an image of one frame or of consecutive ones."""

    geometry: RadarGeometry

    def antenna_state(self, line: Float64, slant_range: Float64) -> tuple[Float64, Float64]:
        """Return ECEF position (m) and velocity (m/s), shape (..., 3), at zero Doppler.

        Parameters
        ----------
        line
            Fractional line of the whole image.
        slant_range
            Metres; it enters by the residual bistatic term. Shapes broadcast.
        """
        image = self.geometry.image_arrays
        _, row = self._spans(line)
        image_time = image.time_origin + row * image.line_interval
        time = image_time + slant_range * self.geometry.orbit_arrays.delay_per_metre
        return self.geometry.orbit.position(time), self.geometry.orbit.velocity(time)

    def slant_limits(self, window: Window) -> tuple[float, float]:
        """Return slant ranges (m) that no sample of a window lies outside of."""
        image = self.geometry.image_arrays
        record, _ = self._records(_lines(window))
        # Between two records a sample lies between theirs.
        table = image.sample[record.min() : record.max() + 2]
        near = np.flatnonzero(table.max(axis=0) >= window.first_sample - 0.5)
        far = np.flatnonzero(table.min(axis=0) <= window.last_sample + 0.5)
        last = table.shape[1] - 1
        first_column = max(near[0] - 1, 0) if near.size else last - 1
        last_column = min(far[-1] + 1, last) if far.size else 1
        return (
            image.slant_origin + SLANT_STEP * float(first_column),
            image.slant_origin + SLANT_STEP * float(last_column),
        )

    def sample_table(self, window: Window, near: float, far: float) -> SampleTable:
        """Return the samples of every line of a window from `near` to `far` (m), at least."""
        image = self.geometry.image_arrays
        columns = image.sample.shape[1]
        first = int(np.clip((near - image.slant_origin) // SLANT_STEP, 0, columns - 2))
        last = int(np.clip((far - image.slant_origin) // SLANT_STEP + 1, first + 1, columns - 1))
        record, weight = self._records(_lines(window))
        share = weight[:, np.newaxis]
        part = image.sample[:, first : last + 1]
        samples = (1.0 - share) * part[record] + share * part[record + 1]
        return SampleTable(
            image.slant_origin + SLANT_STEP * first, SLANT_STEP, np.ascontiguousarray(samples)
        )

    def _spans(self, line: Float64) -> tuple[Int64, Float64]:
        """Return the span of the image that holds each line, and the line as a row."""
        image = self.geometry.image_arrays
        begin = image.begin[:-1] * image.line_scale + image.line_offset
        span = np.maximum(np.searchsorted(begin, line, side="right") - 1, 0)
        return span, (line - image.line_offset[span]) / image.line_scale[span]

    def _records(self, lines: Float64) -> tuple[Int64, Float64]:
        """Return the ground range record before each line and the weight of the one after it."""
        image = self.geometry.image_arrays
        span, row = self._spans(lines)
        weight = row * image.weight_scale[span] + image.weight_offset[span]
        return image.record[span], np.clip(weight, 0.0, 1.0)


def _lines(window: Window) -> Float64:
    """Return the lines of a window."""
    return np.arange(window.first_line, window.last_line, dtype=np.float64)
