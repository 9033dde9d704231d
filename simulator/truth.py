"""What is known of a scene: point targets and patches, where they are and how bright."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from simulator.geometry import RadarFrame
from simulator.landscape import Discs
from simulator.pixels import Targets
from simulator.terrain import Terrain

Float64 = NDArray[np.float64]

PITCH = 4_000.0  # m between the places of targets and patches
JITTER = 600.0  # m
PATCH_RADIUS = 700.0  # m
CLEARING_RADIUS = 150.0  # m of dark ground around a target
CLEARING_GAMMA0 = (0.004, 0.0008)
TARGET_GAMMA0 = (150.0, 60.0)
EDGE_SAMPLES, EDGE_LINES = 180, 60  # margin to the ragged edges of the swath
CO_RANGE_DB, CROSS_RANGE_DB = (-17.0, -3.0), (-23.0, -10.0)


@dataclass(frozen=True)
class Truth:
    """Targets and patches of a scene: longitude, latitude (radians), height (m), all (n,).

    `patch_gamma0` in linear power (n, 2), co- and cross-polarised.
    """

    target_place: Float64
    patch_place: Float64
    patch_gamma0: Float64

    def discs(self) -> Discs:
        """Patches, and the dark clearings around the targets."""
        place = np.concatenate((self.patch_place, self.target_place))
        patches, targets = len(self.patch_place), len(self.target_place)
        radius = np.repeat((PATCH_RADIUS, CLEARING_RADIUS), (patches, targets))
        clearing = np.tile(CLEARING_GAMMA0, (targets, 1))
        return Discs(
            place[:, 0], place[:, 1], radius, np.concatenate((self.patch_gamma0, clearing))
        )

    def targets(self, frame: RadarFrame) -> Targets:
        """Targets where a frame images them."""
        where = frame.locate(*self.target_place.T)
        return Targets(where[:, 0], where[:, 1], np.tile(TARGET_GAMMA0, (len(where), 1)))


NO_TRUTH = Truth(np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 2)))


def place_truth(frames: Sequence[RadarFrame], terrain: Terrain, rng: np.random.Generator) -> Truth:
    """Spread targets and patches over the ground that some frames image.

    Places lie on a jittered lattice of 4 km; every third holds a patch, the others a target.
    """
    outline = np.concatenate([_outline(frame, terrain) for frame in frames])
    east, north = terrain.plane(outline[:, 0], outline[:, 1])
    columns = np.arange(np.floor(east.min() / PITCH), np.ceil(east.max() / PITCH))
    rows = np.arange(np.floor(north.min() / PITCH), np.ceil(north.max() / PITCH))
    lattice = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    is_patch = (lattice.sum(axis=1) + lattice[:, 1] // 3) % 3 == 0
    place = (lattice + 0.5) * PITCH + rng.uniform(-JITTER, JITTER, lattice.shape)
    longitude, latitude = terrain.geographic(place[:, 0], place[:, 1])
    height = terrain.height(longitude, latitude)
    seen = np.zeros(len(place), bool)
    for frame in frames:
        seen |= _inside(frame, frame.locate(longitude, latitude, height))
    places = np.column_stack((longitude, latitude, height))
    patches = places[is_patch & seen]
    gamma0_db = np.column_stack(
        [rng.uniform(*limits, len(patches)) for limits in (CO_RANGE_DB, CROSS_RANGE_DB)]
    )
    return Truth(places[~is_patch & seen], patches, 10 ** (gamma0_db / 10))


def describe(truth: Truth, frame: RadarFrame, polarizations: Sequence[str]) -> dict[str, Any]:
    """Truth of one product, ready for JSON: degrees, metres, linear power, UTM by EPSG code."""
    targets = truth.targets(frame)
    where = np.column_stack((targets.line, targets.sample))
    seen = _inside(frame, where)
    patch_where = frame.locate(*truth.patch_place.T)
    patch_seen = _inside(frame, patch_where, margin=round(PATCH_RADIUS / frame.range_spacing))
    kinds = [int(name in {"VH", "HV"}) for name in polarizations]
    return {
        "targets": [
            _point(number, place, at)
            | {"gamma0": dict(zip(polarizations, np.array(TARGET_GAMMA0)[kinds], strict=True))}
            for number, (place, at) in enumerate(
                zip(truth.target_place[seen], where[seen], strict=True)
            )
        ],
        "patches": [
            _point(number, place, at)
            | {
                "radius_m": PATCH_RADIUS,
                "gamma0": dict(zip(polarizations, gamma0[kinds], strict=True)),
            }
            for number, (place, at, gamma0) in enumerate(
                zip(
                    truth.patch_place[patch_seen],
                    patch_where[patch_seen],
                    truth.patch_gamma0[patch_seen],
                    strict=True,
                )
            )
        ],
    }


def _point(number: int, place: Float64, at: Float64) -> dict[str, Any]:
    """Where a target or patch lies."""
    longitude, latitude = np.degrees(place[:2])
    return {
        "id": number,
        "longitude": longitude,
        "latitude": latitude,
        "height": place[2],
        "line": at[0],
        "sample": at[1],
        "utm": _utm(longitude, latitude),
    }


def _utm(longitude: float, latitude: float) -> dict[str, list[float]]:
    """Easting and northing in the zone of a place and in a neighbour that tiles may use."""
    base = 32_600 if latitude >= 0 else 32_700
    zone = int((longitude + 180) // 6) % 60 + 1
    # Tiles of a zone reach about a degree beyond its meridians.
    share = (longitude + 180) % 6
    zones = {zone}
    if share < 1.0:
        zones.add((zone - 2) % 60 + 1)
    elif share > 5.0:
        zones.add(zone % 60 + 1)
    return {
        str(base + number): list(_to_utm(base + number).transform(longitude, latitude))
        for number in sorted(zones)
    }


@cache
def _to_utm(epsg: int) -> Transformer:
    """Return the transformer from longitude and latitude in degrees."""
    return Transformer.from_crs(4326, epsg, always_xy=True)


def _outline(frame: RadarFrame, terrain: Terrain) -> Float64:
    """Ground under the edges of a frame, shape (n, 3)."""
    line = np.linspace(0, frame.lines - 1, 9)
    sample = np.linspace(0, frame.samples - 1, 9)
    return frame.ground(line, sample, terrain).reshape(-1, 3)


def _inside(frame: RadarFrame, where: Float64, *, margin: int = 0) -> NDArray[np.bool_]:
    """Whether pixels lie well within a frame."""
    line, sample = where.T
    rows, columns = EDGE_LINES + margin, EDGE_SAMPLES + margin
    return np.asarray(
        (line > rows)
        & (line < frame.lines - 1 - rows)
        & (sample > columns)
        & (sample < frame.samples - 1 - columns)
    )
