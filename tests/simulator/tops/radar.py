"""Another view of orbits and Doppler than the simulator's: what its products are tested with."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.interpolate import KroghInterpolator
from scipy.optimize import brentq

from algorithms.constants import SPEED_OF_LIGHT
from algorithms.interferometry.model import Burst
from algorithms.radar.grd import StateVectors

Float64 = NDArray[np.float64]


class Seen(NamedTuple):
    """When (s) and how far (m) an antenna sees a point."""

    time: float
    slant_range: float


def earth_fixed(longitude: float, latitude: float, height: float) -> Float64:
    """Place in metres of a point in degrees and metres, by PROJ."""
    to_cartesian = Transformer.from_crs(4979, 4978, always_xy=True)
    return np.array(to_cartesian.transform(longitude, latitude, height))


def abeam(vectors: StateVectors, point: Float64, near: float) -> Seen:
    """Find where the polynomial through the ten vectors around a time is closest to a point."""
    nearest = np.sort(np.argsort(np.abs(vectors.time - near))[:10])
    path = KroghInterpolator(vectors.time[nearest] - near, vectors.position[nearest])

    def slope(late: float) -> float:
        return float((point - path(late)) @ path.derivative(late))

    late = brentq(slope, -5.0, 5.0, xtol=1e-12)
    return Seen(near + late, float(np.linalg.norm(point - path(late))))


def doppler(burst: Burst, line: Float64, sample: Float64) -> Float64:
    """Frequency (Hz) at the centre of the spectrum of a place in a burst (Miranda 2017, eq. 10).

    Constant offsets of a few Hz between definitions of the reference time are without meaning.
    """
    delay = burst.slant_range_time + sample / burst.range_sampling_rate
    middle = burst.slant_range_time + 0.5 * (burst.samples - 1) / burst.range_sampling_rate
    nearest = np.argmin(np.abs(burst.orbit.time - burst.mid_time))
    speed = np.linalg.norm(burst.orbit.velocity[nearest])
    steering = 2 * speed * burst.radar_frequency / SPEED_OF_LIGHT * burst.azimuth_steering_rate
    fm_rate, centroid = burst.fm_rate.at(delay), burst.doppler_centroid.at(delay)
    slope = fm_rate / (fm_rate / steering - 1)
    reference = burst.doppler_centroid.at(middle) / burst.fm_rate.at(middle) - centroid / fm_rate
    eta = (line - 0.5 * burst.lines) * burst.azimuth_time_interval
    return np.asarray(centroid + slope * (eta - reference))


def looks(image: NDArray[np.complex64], lines: int, samples: int) -> NDArray[np.complex128]:
    """Mean over boxes of so many lines and samples."""
    rows, columns = image.shape[0] // lines, image.shape[1] // samples
    boxes = image[: rows * lines, : columns * samples].reshape(rows, lines, columns, samples)
    return np.asarray(boxes.mean(axis=(1, 3), dtype=np.complex128))
