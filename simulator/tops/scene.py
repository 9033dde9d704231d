"""The ground of a pair: relief, backscatter, how it moves, and how much of it stays the same."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.landscape import WATER, scenery
from simulator.terrain import Terrain

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

FLAT_GAMMA0 = 0.08  # linear power of ground without scenery


@dataclass(frozen=True)
class Bowl:
    """Ground that rises or sinks around a place: `height` (m, up) at (`east`, `north`), Gaussian.

    `radius` is one standard deviation, metres.
    """

    east: float
    north: float
    radius: float
    height: float


@dataclass(frozen=True)
class PointTarget:
    """A corner reflector at a place of the local plane: power over that of a pixel of fields."""

    east: float
    north: float
    power: float


@dataclass(frozen=True)
class Scene:
    """What is on the ground, as functions of the place in the local plane of the terrain.

    Parameters
    ----------
    terrain
        Relief above the ellipsoid.
    bowls
        Displacement between passes, upwards; each pass shows a share of it.
    targets
        Points that stand out.
    noise
        Thermal noise, as a backscatter (linear power).
    is_flat
        Uniform backscatter in place of fields, forests, towns and water. Water is never coherent.
    seed
        Of the scenery.
    """

    terrain: Terrain
    bowls: tuple[Bowl, ...] = ()
    targets: tuple[PointTarget, ...] = ()
    noise: float = 0.0
    is_flat: bool = True
    seed: int = 1

    def uplift(self, east: Float64, north: Float64) -> Float64:
        """Height that the ground gains in full (m) at places of the local plane."""
        total = np.zeros(np.broadcast(east, north).shape)
        for bowl in self.bowls:
            distance = np.hypot(east - bowl.east, north - bowl.north) / bowl.radius
            total += bowl.height * np.exp(-0.5 * distance**2)
        return total

    def backscatter(self, east: Float64, north: Float64) -> Float32:
        """Linear power at places of the local plane, any common shape."""
        if self.is_flat:
            return np.full(np.broadcast(east, north).shape, FLAT_GAMMA0, np.float32)
        east, north = np.broadcast_arrays(east, north)
        power = np.empty(east.shape, np.float32)
        _fill_scenery(east.ravel(), north.ravel(), self.seed, power.reshape(-1))
        return power

    def coherence(self, power: Float32, temporal: float) -> Float64:
        """Coherence of two passes where the backscatter is `power`; `temporal` on dry land."""
        signal = np.asarray(power, np.float64)
        kept = np.where(signal > 1.01 * WATER[0], temporal, 0.0)
        return np.asarray(kept * signal / (signal + self.noise))

    def document(self) -> dict[str, Any]:
        """Return what rebuilds the scene, for a file."""
        ground = self.terrain
        return {
            "terrain": [ground.longitude, ground.latitude, ground.base, ground.waves.tolist()],
            "bowls": [[b.east, b.north, b.radius, b.height] for b in self.bowls],
            "targets": [[t.east, t.north, t.power] for t in self.targets],
            "noise": self.noise,
            "is_flat": self.is_flat,
            "seed": self.seed,
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Scene":
        """Rebuild a scene from what `document` gave."""
        longitude, latitude, base, waves = document["terrain"]
        return cls(
            Terrain(longitude, latitude, base, np.array(waves).reshape(-1, 4)),
            tuple(Bowl(*bowl) for bowl in document["bowls"]),
            tuple(PointTarget(*target) for target in document["targets"]),
            document["noise"],
            document["is_flat"],
            document["seed"],
        )


@njit(cache=True, nogil=True)
def _fill_scenery(east: Float64, north: Float64, seed: int, power: Float32) -> None:
    """Write the co-polarised backscatter of each place."""
    for k in range(east.size):
        power[k] = scenery(east[k], north[k], seed)[0]
