"""Relief that is a formula: a sum of plane waves, known exactly at every point.

The digital elevation model that goes with a scene samples it; the truth never reads that model.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.ellipsoid import metres_per_radian

Float64 = NDArray[np.float64]

# Wavelength and amplitude of rolling hills, metres. Amplitudes add up to 600 m and slopes to
# 15 degrees if every wave met the others at its steepest. The long wave makes the mean height of
# the swath vary along the track, as the ground range records of real products show.
ROLLING_HILLS = (
    (150_000.0, 110.0),
    (40_000.0, 120.0),
    (25_000.0, 110.0),
    (16_000.0, 85.0),
    (11_000.0, 60.0),
    (8_000.0, 45.0),
    (6_000.0, 30.0),
    (4_500.0, 22.0),
    (3_200.0, 15.0),
)
# Slopes beyond 30 degrees: layover on the near side at any Sentinel-1 incidence angle.
STEEP_RIDGES = (
    (6_100.0, 420.0),
    (4_300.0, 240.0),
    (2_700.0, 100.0),
    (1_900.0, 50.0),
)


@dataclass(frozen=True)
class Terrain:
    """Heights above the ellipsoid as a sum of waves in a plane around an origin.

    Parameters
    ----------
    longitude, latitude
        Origin, radians.
    base
        Mean height, metres.
    waves
        Shape (n, 4): amplitude (m), wave number east and north (rad/m), phase (rad).
    """

    longitude: float
    latitude: float
    base: float
    waves: Float64

    @classmethod
    def random(
        cls,
        spectrum: tuple[tuple[float, float], ...],
        longitude: float,
        latitude: float,
        rng: np.random.Generator,
        *,
        base: float = 650.0,
        scale: float = 1.0,
    ) -> "Terrain":
        """Relief of a spectrum (see `waves_of`) around an origin in radians, `base` metres high."""
        return cls(longitude, latitude, base, waves_of(spectrum, rng, scale=scale))

    @property
    def frame(self) -> Float64:
        """Origin and scale of the local plane: longitude, latitude, metres per radian of each."""
        return np.array((self.longitude, self.latitude, *metres_per_radian(self.latitude)))

    @property
    def height_range(self) -> tuple[float, float]:
        """Bounds that no height exceeds, metres."""
        reach = float(np.abs(self.waves[:, 0]).sum())
        return self.base - reach, self.base + reach

    @property
    def steepest_slope(self) -> float:
        """Bound that no slope exceeds, radians."""
        numbers = np.hypot(self.waves[:, 1], self.waves[:, 2])
        return float(np.arctan((np.abs(self.waves[:, 0]) * numbers).sum()))

    def plane(self, longitude: Float64, latitude: Float64) -> tuple[Float64, Float64]:
        """Coordinates of points in the local plane, metres east and north of the origin."""
        east, north = metres_per_radian(self.latitude)
        turn = np.asarray(longitude) - self.longitude
        turn = (turn + np.pi) % (2 * np.pi) - np.pi
        return turn * east, (np.asarray(latitude) - self.latitude) * north

    def geographic(self, east: Float64, north: Float64) -> tuple[Float64, Float64]:
        """Longitude and latitude (radians) of points of the local plane."""
        per_longitude, per_latitude = metres_per_radian(self.latitude)
        longitude = self.longitude + np.asarray(east) / per_longitude
        return (longitude + np.pi) % (2 * np.pi) - np.pi, self.latitude + (
            np.asarray(north) / per_latitude
        )

    def height(self, longitude: Float64, latitude: Float64) -> Float64:
        """Height above the ellipsoid in metres at radians, any common shape."""
        east, north = self.plane(longitude, latitude)
        east, north = np.broadcast_arrays(east, north)
        heights = np.empty(east.shape)
        _fill_heights(east.ravel(), north.ravel(), self.base, self.waves, heights.reshape(-1))
        return heights


def waves_of(
    spectrum: tuple[tuple[float, float], ...], rng: np.random.Generator, *, scale: float = 1.0
) -> Float64:
    """Waves of a spectrum of (wavelength, amplitude) in spread directions, shape (n, 4)."""
    count = len(spectrum)
    length, amplitude = np.array(spectrum).T
    # Golden-angle steps spread the directions; the first wave runs north, along the track.
    direction = np.pi / 2 + np.arange(count) * 2.399963 + rng.uniform(-0.2, 0.2, count)
    number = 2 * np.pi / length
    phase = rng.uniform(0, 2 * np.pi, count)
    return np.column_stack(
        (scale * amplitude, number * np.cos(direction), number * np.sin(direction), phase)
    )


@njit(cache=True, inline="always")
def wave_height(east: float, north: float, base: float, waves: Float64) -> float:
    """Height of the sum of waves at one point of the local plane, metres."""
    height = base
    for k in range(waves.shape[0]):
        height += waves[k, 0] * math.sin(waves[k, 1] * east + waves[k, 2] * north + waves[k, 3])
    return height


@njit(cache=True, nogil=True)
def _fill_heights(
    east: Float64, north: Float64, base: float, waves: Float64, heights: Float64
) -> None:
    """Write the height of each point."""
    for k in range(east.size):
        heights[k] = wave_height(east[k], north[k], base, waves)
