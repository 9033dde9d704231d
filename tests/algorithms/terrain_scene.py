"""A small radar scene over steep relief, and what rays cast on it find.

Written from first principles and without the functions under test: a circular orbit, heights as a
formula of longitude and latitude, and rays followed from the antenna to the first ground they meet.
"""

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numba import njit

from algorithms.terrain_nodes import SampleTable

SEMI_MAJOR, FLATTENING = 6378137.0, 1 / 298.257223563
E2 = FLATTENING * (2 - FLATTENING)
EARTH = 6_368_000.0  # m, sphere of the ground range polynomial; any will do
ORBIT = 7_070_000.0  # m from the centre
SPEED = 7_590.0  # m/s
LINE_TIME = 1.47e-3  # s: 10 m on the ground
SPACING = 10.0  # m of ground range a sample
NEAR_LOOK = np.radians(32.0)


@dataclass(frozen=True)
class CircularOrbit:
    """Image geometry of an antenna on a circle that does not turn with the Earth."""

    latitude: float = np.radians(43.0)
    heading: float = np.radians(-12.0)

    @property
    def axes(self):
        up = np.array([np.cos(self.latitude), 0.0, np.sin(self.latitude)])
        north = np.array([-np.sin(self.latitude), 0.0, np.cos(self.latitude)])
        east = np.array([0.0, 1.0, 0.0])
        return up, np.cos(self.heading) * north + np.sin(self.heading) * east

    def antenna_state(self, line, slant_range):
        angle = np.asarray(line + 0 * slant_range)[..., None] * LINE_TIME * SPEED / ORBIT
        up, along = self.axes
        position = ORBIT * (np.cos(angle) * up + np.sin(angle) * along)
        return position, SPEED * (np.cos(angle) * along - np.sin(angle) * up)

    @property
    def origin(self):
        """Ground angle at the Earth's centre of sample 0."""
        return np.arcsin(ORBIT / EARTH * np.sin(NEAR_LOOK)) - NEAR_LOOK

    def slant_range(self, line, sample):
        angle = self.origin + SPACING * (sample + 0 * line) / EARTH
        return np.sqrt(ORBIT**2 + EARTH**2 - 2 * ORBIT * EARTH * np.cos(angle))

    def sample(self, line, slant_range):
        cosine = (ORBIT**2 + EARTH**2 - (slant_range + 0 * line) ** 2) / (2 * ORBIT * EARTH)
        return (np.arccos(cosine) - self.origin) * EARTH / SPACING

    def slant_limits(self, window):
        edges = np.array([window.first_sample - 1.0, window.last_sample])
        return tuple(float(r) for r in self.slant_range(0.0, edges))

    def sample_table(self, window, near, far):
        ranges = np.arange(near - 40.0, far + 80.0, 40.0)
        lines = np.zeros((window.last_line - window.first_line, 1))
        return SampleTable(float(ranges[0]), 40.0, self.sample(lines, ranges))

    def locate(self, ecef):
        """Line and slant range of ECEF points: the plane of zero Doppler holds the circle's axis."""
        up, along = self.axes
        angle = np.arctan2(ecef @ along, ecef @ up)
        line = angle * ORBIT / SPEED / LINE_TIME
        position, _ = self.antenna_state(line, line)
        return line, np.linalg.norm(ecef - position, axis=-1)


def to_ecef(longitude, latitude, height):
    normal = SEMI_MAJOR / np.sqrt(1 - E2 * np.sin(latitude) ** 2)
    in_plane = (normal + height) * np.cos(latitude)
    z = (normal * (1 - E2) + height) * np.sin(latitude)
    return np.stack([in_plane * np.cos(longitude), in_plane * np.sin(longitude), z], -1)


@njit
def geodetic(x, y, z):
    axis = np.hypot(x, y)
    latitude = np.arctan2(z, axis * (1 - E2))
    for _ in range(4):
        normal = SEMI_MAJOR / np.sqrt(1 - E2 * np.sin(latitude) ** 2)
        latitude = np.arctan2(z + E2 * normal * np.sin(latitude), axis)
    normal = SEMI_MAJOR / np.sqrt(1 - E2 * np.sin(latitude) ** 2)
    return np.arctan2(y, x), latitude, axis / np.cos(latitude) - normal


@njit
def height_of(waves, longitude, latitude):
    """Heights as a sum of waves: amplitude, radians a radian of longitude and latitude, phase."""
    total = 500.0 + 0.0 * longitude
    for k in range(waves.shape[0]):
        phase = waves[k, 1] * longitude + waves[k, 2] * latitude + waves[k, 3]
        total += waves[k, 0] * np.sin(phase)
    return total


@njit
def first_hit(waves, position, ray, start, end, steepness):
    """Range of the first ground on a ray, or -1. Steps never overshoot slopes below `steepness`."""
    distance = start
    while distance < end:
        point = position + distance * ray
        longitude, latitude, height = geodetic(point[0], point[1], point[2])
        gap = height - height_of(waves, longitude, latitude)
        if gap < 0.005:
            return distance
        distance += max(gap / (1.0 + steepness), 0.005)
    return -1.0


@njit
def cast(waves, position, down, right, angles, start, end, steepness):
    """Range of the first ground for every angle from the nadir."""
    hits = np.empty(angles.size)
    for k in range(angles.size):
        ray = np.cos(angles[k]) * down + np.sin(angles[k]) * right
        hits[k] = first_hit(waves, position, ray, start, end, steepness)
    return hits


@dataclass(frozen=True)
class Scene:
    """Relief under a few hundred lines and samples."""

    waves: np.ndarray
    lines: int
    samples: int
    geometry: CircularOrbit = CircularOrbit()
    first_sample: int = 400

    @property
    def centre(self):
        """Longitude and latitude (rad) below the middle of the window."""
        line = np.array(self.lines / 2.0)
        distance = self.geometry.slant_range(line, self.first_sample + self.samples / 2.0)
        position, down, right = self.plane(line)
        angle = np.arccos(
            (ORBIT**2 + distance**2 - (EARTH + 500.0) ** 2) / (2 * ORBIT * distance)
        )
        point = position + distance * (np.cos(angle) * down + np.sin(angle) * right)
        return geodetic(*point)[:2]

    def plane(self, line):
        position, velocity = self.geometry.antenna_state(np.asarray(float(line)), 0.0)
        along = velocity / np.linalg.norm(velocity)
        down = -position / np.linalg.norm(position)
        return position, down, np.cross(down, along)

    @property
    def span(self):
        return float(np.abs(self.waves[:, 0]).sum())

    @property
    def steepness(self):
        slope = self.waves[:, 0] * np.hypot(
            self.waves[:, 1] / np.cos(self.geometry.latitude), self.waves[:, 2]
        )
        return float(np.abs(slope).sum() / EARTH)

    def dem(self, margin, posting=1 / 3600):
        """Heights and transform in degrees around the scene; `margin` in metres."""
        longitude, latitude = np.degrees(self.centre)
        reach_lat = np.degrees((0.6 * (self.lines + self.samples) * 10 + margin) / EARTH)
        reach_lon = reach_lat / np.cos(np.radians(latitude))
        transform = Affine(posting, 0, longitude - reach_lon, 0, -posting, latitude + reach_lat)
        columns, rows = round(2 * reach_lon / posting), round(2 * reach_lat / posting)
        x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        lon, lat = transform @ (x, y)
        heights = height_of(self.waves, np.radians(lon), np.radians(lat))
        return heights.astype(np.float32), transform

    def beta0(self, ray_step=0.5):
        """Backscatter of gamma nought 1: rays `ray_step` metres apart where they hit the ground."""
        result = np.zeros((self.lines, self.samples))
        ranges = self.geometry.slant_range(
            0.0, self.first_sample + np.arange(self.samples + 1) - 0.5
        )
        for line in range(self.lines):
            position, down, right = self.plane(line)
            start, end = ranges[0] - 3 * self.span, ranges[-1] + 6 * self.span
            look = np.arccos(
                (ORBIT**2 + np.array([start, end]) ** 2 - (EARTH + 500) ** 2)
                / (2 * ORBIT * np.array([start, end]))
            )
            step = ray_step / ranges[0]
            angles = np.arange(look[0], look[1], step)
            low = (ORBIT - EARTH - 500 - 3e4) * 0.9
            hits = cast(
                self.waves, position, down, right, angles, max(low, start - 5e3), end + 2e4,
                self.steepness,
            )
            power, _ = np.histogram(hits, ranges, weights=hits * step)
            result[line] = power / np.diff(ranges)
        return result
