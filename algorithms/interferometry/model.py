"""What the annotation of a TOPS burst says: the input of all interferometry.

Times are float64 seconds since an epoch that the reader chooses, the same for all bursts of one
product (two products may have different ones: only differences within a product matter). Lines and
samples are zero based within the burst, and integers are pixel centres.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import ArrayLike, NDArray

from algorithms.constants import SPEED_OF_LIGHT
from algorithms.radar.grd import Float64, StateVectors
from algorithms.radar.orbit import OrbitPolynomial, fit_orbit

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]
Complex64 = NDArray[np.complex64]
Mask = NDArray[np.bool_]
Array = TypeVar("Array", bound=NDArray[np.generic])


def read_only(values: Array) -> Array:
    """Return a view that cannot be written: kernels are compiled once for all that is only read."""
    view = values.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True)
class RangePolynomial:
    """A quantity that varies with two-way time: sum of coefficients[k] (tau - t0)**k.

    Parameters
    ----------
    azimuth_time
        When the annotation gives it, seconds since the epoch.
    t0
        Two-way slant range time of the origin, seconds.
    coefficients
        Ascending powers of seconds, shape (degree + 1,).
    """

    azimuth_time: float
    t0: float
    coefficients: Float64

    def at(self, slant_range_time: ArrayLike) -> Float64:
        """Return the values at two-way times (s) of any shape."""
        values = polynomial.polyval(np.asarray(slant_range_time) - self.t0, self.coefficients)
        return np.asarray(values, np.float64)


@dataclass(frozen=True)
class SpectralWindow:
    """The part of the spectrum that the processor kept, and how it weighed it.

    Parameters
    ----------
    bandwidth
        Hz, two-sided.
    hamming
        Coefficient a of the window a + (1 - a) cos(2 pi f / bandwidth); 1 is flat.
    """

    bandwidth: float
    hamming: float


@dataclass(frozen=True, kw_only=True)
class RadarFrame:
    """A grid of zero-Doppler lines and slant-range samples, and the orbit it was seen from.

    Parameters
    ----------
    azimuth_time
        Zero-Doppler time of line 0, seconds since the epoch.
    azimuth_time_interval
        Seconds between lines.
    slant_range_time
        Two-way time of sample 0, seconds.
    range_sampling_rate
        Hz.
    lines, samples
        Size.
    radar_frequency
        Hz.
    orbit
        State vectors around the frame, from the annotation or from a precise orbit file.
    bistatic_time
        Two-way time at which line times are zero-Doppler times: elsewhere these are later by
        half of what the two-way time exceeds it, which the processor leaves in the image. The
        middle of IW2 for all swaths of Sentinel-1, found from the geolocation grid; None when
        line times are zero-Doppler times everywhere.
    """

    azimuth_time: float
    azimuth_time_interval: float
    slant_range_time: float
    range_sampling_rate: float
    lines: int
    samples: int
    radar_frequency: float
    orbit: StateVectors
    bistatic_time: float | None = None

    @property
    def wavelength(self) -> float:
        """Metres."""
        return SPEED_OF_LIGHT / self.radar_frequency

    @property
    def near_range(self) -> float:
        """Slant range of sample 0, metres."""
        return 0.5 * SPEED_OF_LIGHT * self.slant_range_time

    @property
    def range_spacing(self) -> float:
        """Slant range between samples, metres."""
        return 0.5 * SPEED_OF_LIGHT / self.range_sampling_rate

    @property
    def mid_time(self) -> float:
        """Zero-Doppler time of the centre of the middle, seconds since the epoch."""
        return self.azimuth_time + 0.5 * self.lines * self.azimuth_time_interval

    @cached_property
    def orbit_polynomial(self) -> OrbitPolynomial:
        """The path of the antenna while the frame was seen."""
        last = self.azimuth_time + self.lines * self.azimuth_time_interval
        return fit_orbit(self.orbit, self.azimuth_time, last)

    def range_of(self, sample: ArrayLike) -> Float64:
        """Return slant ranges (m) of samples."""
        return self.near_range + np.asarray(sample, np.float64) * self.range_spacing

    def sample_of(self, slant_range: ArrayLike) -> Float64:
        """Return samples of slant ranges (m)."""
        return (np.asarray(slant_range, np.float64) - self.near_range) / self.range_spacing

    def time_of(self, line: ArrayLike, slant_range: ArrayLike) -> Float64:
        """Return zero-Doppler times (s since the epoch) of lines at slant ranges (m)."""
        elapsed = np.asarray(line, np.float64) * self.azimuth_time_interval
        return self.azimuth_time + elapsed + self._bistatic_delay(slant_range)

    def line_of(self, time: ArrayLike, slant_range: ArrayLike) -> Float64:
        """Return lines of zero-Doppler times (s since the epoch) at slant ranges (m)."""
        elapsed = np.asarray(time, np.float64) - self.azimuth_time
        return (elapsed - self._bistatic_delay(slant_range)) / self.azimuth_time_interval

    def _bistatic_delay(self, slant_range: ArrayLike) -> Float64:
        """Return by how much zero Doppler is later than the time of the line, seconds."""
        one_way = np.asarray(slant_range, np.float64) / SPEED_OF_LIGHT
        if self.bistatic_time is None:
            return np.zeros_like(one_way)
        return one_way - 0.5 * self.bistatic_time


@dataclass(frozen=True, kw_only=True)
class Burst(RadarFrame):
    """One burst of a TOPS image.

    Parameters
    ----------
    swath
        Name, as in IW2.
    burst_id
        Relative burst identifier, the same in every pass of the track: what makes two bursts a
        pair.
    first_valid_sample, last_valid_sample
        Of every line, the last one included, shape (lines,); -1 where the line holds no data.
    fm_rate
        Azimuth FM rate `k_a` (Hz/s, below 0), the record nearest to the burst centre.
    doppler_centroid
        `f_c` (Hz) estimated from data, the record nearest to the burst centre.
    azimuth_steering_rate
        Of the antenna beam, rad/s.
    azimuth_window, range_window
        Processed spectrum.
    """

    swath: str
    burst_id: int
    first_valid_sample: Int32
    last_valid_sample: Int32
    fm_rate: RangePolynomial
    doppler_centroid: RangePolynomial
    azimuth_steering_rate: float
    azimuth_window: SpectralWindow
    range_window: SpectralWindow

    @cached_property
    def valid_lines(self) -> tuple[int, int]:
        """First line with data and the one after the last; (0, 0) when there is none."""
        valid = np.flatnonzero(self.first_valid_sample >= 0)
        return (int(valid[0]), int(valid[-1]) + 1) if valid.size else (0, 0)

    @cached_property
    def valid_samples(self) -> tuple[int, int]:
        """First sample that holds data in all valid lines and the one after the last."""
        valid = self.first_valid_sample >= 0
        if not valid.any():
            return 0, 0
        first = int(self.first_valid_sample[valid].max())
        return first, int(self.last_valid_sample[valid].min()) + 1
