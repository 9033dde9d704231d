"""Orbits of Sentinel-1 and Sentinel-2, and what their swaths see.

Circular orbits about a sphere that turns once a day below them (they are sun-synchronous): ground
tracks repeat exactly, after 175 revolutions in 12 days and 143 in 10 (Sentinel-1 ESA SP-1322/1,
Sentinel-2 ESA SP-1322/2). Positions hold within some 20 km, which is all that a catalogue needs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Orbit:
    """A repeating orbit: inclination and longitude of the node of its first revolution, degrees."""

    revolutions: int
    days: int
    inclination: float
    first_node: float

    @property
    def period_s(self) -> float:
        """Seconds of one revolution."""
        return 86400.0 * self.days / self.revolutions

    def swath_point(self, revolution: Float64, argument: Float64, across: float) -> Float64:
        """Return longitude (continuous along the track) and latitude, degrees, shape (point, 2).

        Parameters
        ----------
        revolution
            Relative orbit, from 0.
        argument
            Angle along the orbit from the ascending node, radians.
        across
            Angle from the ground track at the centre of the Earth, degrees; positive to the right.
        """
        position = self._track(revolution, argument)
        ahead = self._track(revolution, argument + 1e-4) - position
        right = np.cross(ahead, position)
        right /= np.linalg.norm(right, axis=-1, keepdims=True)
        angle = np.radians(across)
        point = np.cos(angle) * position + np.sin(angle) * right
        latitude = np.degrees(np.arcsin(np.clip(point[..., 2], -1, 1)))
        longitude = np.degrees(np.arctan2(point[..., 1], point[..., 0]))
        return np.stack([longitude, latitude], axis=-1)

    def _track(self, revolution: Float64, argument: Float64) -> Float64:
        """Return unit vectors towards the satellite, fixed to the Earth."""
        tilt = np.radians(self.inclination)
        turned = self.first_node - 360.0 * self.days / self.revolutions * (
            revolution + argument / (2 * np.pi)
        )
        node = np.radians(turned)
        along = np.cos(argument), np.sin(argument) * np.cos(tilt), np.sin(argument) * np.sin(tilt)
        return np.stack(
            [
                np.cos(node) * along[0] - np.sin(node) * along[1],
                np.sin(node) * along[0] + np.cos(node) * along[1],
                along[2],
            ],
            axis=-1,
        )


SENTINEL_1 = Orbit(revolutions=175, days=12, inclination=98.18, first_node=-11.0)
SENTINEL_2 = Orbit(revolutions=143, days=10, inclination=98.62, first_node=172.0)


def continuous(corners: Float64) -> Float64:
    """Return rings, shape (ring, vertex, 2), whose longitudes do not jump."""
    rings = corners.copy()
    steps = np.diff(rings[..., 0], axis=1)
    turns = np.cumsum(-360.0 * np.round(steps / 360.0), axis=1)
    rings[:, 1:, 0] += turns
    return rings
