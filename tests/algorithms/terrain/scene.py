"""A small radar scene over steep relief, and what rays cast on it find.

Written from first principles and without the functions under test: a circular orbit, heights as a
formula of longitude and latitude, and rays followed from the antenna to the first ground they meet.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from affine import Affine
from numba import njit

from algorithms.radar.ortho import Window
from algorithms.terrain.nodes import SampleTable

SEMI_MAJOR, FLATTENING = 6378137.0, 1 / 298.257223563
E2 = FLATTENING * (2 - FLATTENING)
EARTH = 6_368_000.0  # m, sphere of the ground range polynomial; any will do
ORBIT = 7_070_000.0  # m from the centre
SPEED = 7_590.0  # m/s
LINE_TIME = 1.47e-3  # s: 10 m on the ground
LATITUDE = np.radians(43.0)
SPACING = 10.0  # m of ground range a sample


@dataclass(frozen=True)
class CircularOrbit:
    """Image geometry of an antenna on a circle that does not turn with the Earth."""

    latitude: float = LATITUDE
    heading: float = np.radians(-12.0)
    near_look: float = np.radians(32.0)
    line_time: float = LINE_TIME

    @property
    def axes(self):
        up = np.array([np.cos(self.latitude), 0.0, np.sin(self.latitude)])
        north = np.array([-np.sin(self.latitude), 0.0, np.cos(self.latitude)])
        east = np.array([0.0, 1.0, 0.0])
        return up, np.cos(self.heading) * north + np.sin(self.heading) * east

    def antenna_state(self, line, slant_range):
        angle = np.asarray(line + 0 * slant_range)[..., None] * self.line_time * SPEED / ORBIT
        up, along = self.axes
        position = ORBIT * (np.cos(angle) * up + np.sin(angle) * along)
        return position, SPEED * (np.cos(angle) * along - np.sin(angle) * up)

    @property
    def origin(self):
        """Ground angle at the Earth's centre of sample 0."""
        return np.arcsin(ORBIT / EARTH * np.sin(self.near_look)) - self.near_look

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
        """Line and slant range of ECEF points: zero Doppler is abeam of the circle."""
        up, along = self.axes
        angle = np.arctan2(ecef @ along, ecef @ up)
        line = angle * ORBIT / SPEED / self.line_time
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
def height_above(waves, position, ray, distance):
    """Height above the ellipsoid and above the ground of a point on a ray."""
    point = position + distance * ray
    longitude, latitude, height = geodetic(point[0], point[1], point[2])
    return height, height - height_of(waves, longitude, latitude)


@njit
def first_hit(waves, position, ray, start, top, steepness):
    """Range of the first ground on a ray. Steps never overshoot slopes below `steepness`."""
    distance = start
    for _ in range(6):
        height, _ = height_above(waves, position, ray, distance)
        distance += height - top  # more than this above the ground still lies ahead
    while True:
        _, gap = height_above(waves, position, ray, distance)
        if gap < 0.02:
            return distance
        distance += max(gap / (1.0 + steepness), 0.02)


@njit
def cast(waves, position, down, right, angles, start, top, steepness):
    """Range of the first ground for every angle from the nadir."""
    hits = np.empty(angles.size)
    for k in range(angles.size):
        ray = np.cos(angles[k]) * down + np.sin(angles[k]) * right
        hits[k] = first_hit(waves, position, ray, start, top, steepness)
    return hits


@dataclass(frozen=True)
class Scene:
    """Relief under a few hundred lines and samples."""

    waves: np.ndarray
    lines: int
    samples: int
    geometry: CircularOrbit = CircularOrbit()
    first_sample: int = 400

    @cached_property
    def centre(self):
        """Longitude and latitude (rad) below the middle of the window."""
        distance = self.geometry.slant_range(0.0, self.first_sample + self.samples / 2.0)
        position, down, right = self.plane(self.lines / 2.0)
        radius = EARTH
        for _ in range(3):
            angle = np.arccos((ORBIT**2 + distance**2 - radius**2) / (2 * ORBIT * distance))
            point = position + distance * (np.cos(angle) * down + np.sin(angle) * right)
            longitude, latitude, _ = geodetic(*point)
            radius = np.linalg.norm(to_ecef(longitude, latitude, 500.0))
        return longitude, latitude

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

    def rays(self, line, step):
        """Angles `step` metres apart on the ground over the window and beyond, and their hits."""
        near, far = self.geometry.slant_limits(self.window)
        near, far = near - 2 * self.span - 200.0, far + 2 * self.span + 200.0
        look = self.look_angle(np.array([near, far]))
        position, down, right = self.plane(line)
        angles = np.arange(look[0], look[1], step / near)
        top = 510.0 + self.span
        hits = cast(self.waves, position, down, right, angles, near - 3e3, top, self.steepness)
        return angles, hits

    @property
    def window(self):
        return Window(0, self.lines, self.first_sample, self.first_sample + self.samples)

    def look_angle(self, distance, height=500.0):
        radius = self.ground_radius + height
        return np.arccos((ORBIT**2 + distance**2 - radius**2) / (2 * ORBIT * distance))

    @property
    def ground_radius(self):
        """Distance of the ellipsoid from the Earth's centre below the scene."""
        return float(np.linalg.norm(to_ecef(*self.centre, 0.0)))

    def beta0(self, step=1.0):
        """Backscatter of gamma nought 1: every ray adds its width to the range of its hit."""
        samples = self.first_sample + np.arange(self.samples + 1) - 0.5
        edges = self.geometry.slant_range(0.0, samples)
        result = np.empty((self.lines, self.samples))
        for line in range(self.lines):
            angles, hits = self.rays(line, step)
            power, _ = np.histogram(hits, edges, weights=hits * (angles[1] - angles[0]))
            result[line] = power / np.diff(edges)
        return result

    def shadow(self, points, tolerance=2.0):
        """Whether other ground hides each point from its own antenna position."""
        hidden = np.zeros(points.line.shape, bool)
        for index in np.ndindex(points.line.shape):
            position, _, _ = self.plane(points.line[index])
            ray = points.ecef[index] - position
            distance = points.slant_range[index]
            hit = first_hit(
                self.waves,
                position,
                ray / distance,
                distance - 8e3,
                510.0 + self.span,
                self.steepness,
            )
            hidden[index] = hit < distance - tolerance
        return hidden

    def layover(self, points, step=2.0, tolerance=3.0):
        """Whether visible ground elsewhere on the line of each point has the same range."""
        shared = np.zeros(points.line.shape, bool)
        for line in np.unique(np.rint(points.line)):
            angles, hits = self.rays(line, step)
            # Consecutive hits on one surface; the others straddle a shadow.
            joined = np.abs(np.diff(hits)) < 15.0 * step
            near, far = np.minimum(hits[1:], hits[:-1]), np.maximum(hits[1:], hits[:-1])
            for index in zip(*np.nonzero(np.rint(points.line) == line), strict=True):
                distance = points.slant_range[index]
                position, down, right = self.plane(points.line[index])
                ray = points.ecef[index] - position
                own = np.arctan2(ray @ right, ray @ down)
                apart = np.abs(angles[:-1] - own) * distance > tolerance * step
                shared[index] = np.any(joined & apart & (near <= distance) & (distance < far))
        return shared

    def ground(self, spacing):
        """A grid of ground points over the window: line, sample, height, slope and aspect (rad)."""
        reach = 5.0 * max(self.lines, self.samples) / EARTH
        steps = np.arange(-reach, reach, spacing / EARTH)
        lon, lat = np.meshgrid(
            self.centre[0] + steps / np.cos(self.geometry.latitude), self.centre[1] - steps
        )
        height = height_of(self.waves, lon, lat)
        ecef = to_ecef(lon, lat, height)
        line, distance = self.geometry.locate(ecef)
        sample = self.geometry.sample(line, distance)
        metre = 1.0 / EARTH
        east = height_of(self.waves, lon + metre / np.cos(lat), lat) - height
        north = height_of(self.waves, lon, lat + metre) - height
        return GroundPoints(
            ecef,
            line,
            sample,
            distance,
            height,
            np.arctan(np.hypot(east, north)),
            np.arctan2(-east, -north) % (2 * np.pi),
        )


class GroundPoints(NamedTuple):
    ecef: np.ndarray
    line: np.ndarray
    sample: np.ndarray
    slant_range: np.ndarray
    height: np.ndarray
    slope: np.ndarray
    aspect: np.ndarray

    def where(self, chosen):
        return GroundPoints(*(field[chosen] for field in self))


def waves(amplitudes, lengths, rng):
    """Waves of given amplitudes and lengths (m) in random directions."""
    direction = rng.uniform(0, 2 * np.pi, len(lengths))
    number = 2 * np.pi * EARTH / np.asarray(lengths)
    east, north = number * np.cos(direction) * np.cos(LATITUDE), number * np.sin(direction)
    phase = rng.uniform(0, 2 * np.pi, len(lengths))
    return np.stack([np.asarray(amplitudes, float), east, north, phase], axis=1)
