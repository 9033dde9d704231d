"""What the annotation of a Sentinel-1 GRD image says: the input of geometry and radiometry.

Times are float64 seconds since an epoch that the reader chooses (the same for every part of one
image, so that consecutive frames can share it); 1 ns of two-way time is 15 cm of slant range.
Lines and samples are zero based and integers are pixel centres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class StateVectors:
    """Positions of the antenna, Earth fixed (WGS84 ECEF).

    Parameters
    ----------
    time
        Seconds since the epoch, shape (n,), increasing.
    position, velocity
        Metres and metres a second, shape (n, 3).
    """

    time: Float64
    position: Float64
    velocity: Float64


@dataclass(frozen=True)
class GroundRangeRecords:
    """Slant range to ground range, one record about every second of azimuth time.

    Parameters
    ----------
    azimuth_time
        Seconds since the epoch, shape (n,), increasing.
    ground_range_origin, slant_range_origin
        `gr0` and `sr0`, metres, shape (n,).
    slant_to_ground, ground_to_slant
        Coefficients in ascending powers, shape (n, degree + 1):
        ground range = sum srgr[k] (R - sr0)**k, slant range = sum grsr[k] (g - gr0)**k.
    """

    azimuth_time: Float64
    ground_range_origin: Float64
    slant_range_origin: Float64
    slant_to_ground: Float64
    ground_to_slant: Float64


@dataclass(frozen=True)
class GeolocationGrid:
    """The annotation's own geolocation of some pixels; all arrays have shape (row, column).

    `azimuth_time` in seconds since the epoch, `slant_range_time` two-way seconds, angles in
    radians, height in metres above the ellipsoid.
    """

    line: Float64
    sample: Float64
    azimuth_time: Float64
    slant_range_time: Float64
    latitude: Float64
    longitude: Float64
    height: Float64
    incidence_angle: Float64


@dataclass(frozen=True)
class VectorLut:
    """A look-up table given as vectors along range at some lines (they may run past the image).

    Parameters
    ----------
    line
        Line of each vector, shape (n,), increasing; may be negative or beyond the last line.
    sample, value
        For each vector its sample positions (increasing) and values.
    """

    line: Float64
    sample: tuple[Float64, ...]
    value: tuple[Float64, ...]


@dataclass(frozen=True)
class AzimuthNoiseBlock:
    """Azimuth noise of one block of one swath (IPF >= 2.90); all bounds are inclusive."""

    swath: str
    first_line: int
    last_line: int
    first_sample: int
    last_sample: int
    line: Float64
    value: Float64


@dataclass(frozen=True)
class NoiseLut:
    """Thermal noise power eta, in DN**2, with every scaling of old processors applied already.

    `azimuth` is empty before IPF 2.90. `is_zero` says that the product carries no noise estimate
    (all values 0).
    """

    range: VectorLut
    azimuth: tuple[AzimuthNoiseBlock, ...]
    is_zero: bool


@dataclass(frozen=True)
class GrdAnnotation:
    """One image (one polarisation) of a GRD product.

    Parameters
    ----------
    first_line_time
        `productFirstLineUtcTime`, seconds since the epoch.
    line_interval
        `azimuthTimeInterval`, seconds.
    range_spacing
        `rangePixelSpacing`, metres on the ground.
    lines, samples
        Size of the image.
    state_vectors
        The annotation's own, which its geolocation grid was made with.
    ground_range
        The coordinate conversion records.
    grid
        The geolocation grid, to check the model with.
    calibration
        `A` tables by name: "sigma0", "beta0", "gamma0", "dn"; amplitude, not power.
    noise
        None when the product has no noise file.
    precise_vectors
        From an orbit file, for the same epoch; they geolocate in place of `state_vectors`.
    """

    first_line_time: float
    line_interval: float
    range_spacing: float
    lines: int
    samples: int
    state_vectors: StateVectors
    ground_range: GroundRangeRecords
    grid: GeolocationGrid
    calibration: dict[str, VectorLut]
    noise: NoiseLut | None
    precise_vectors: StateVectors | None = None
