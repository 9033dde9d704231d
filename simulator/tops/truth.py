"""What is true of two passes: phases, coherence, displacement and geometry of any place.

All of it is computed from the order alone: relief and displacement are formulas, and ranges are
those of the orbits. Nothing is read from the images.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.ellipsoid import cartesian
from simulator.tops.doppler import WAVELENGTH
from simulator.tops.geometry import Nodes, ground_nodes, line_time, view
from simulator.tops.instrument import MODES
from simulator.tops.orbits import ZeroDoppler, zero_doppler
from simulator.tops.plan import Order, Pass, PassFrame, plan
from simulator.tops.scene import Scene

Float64 = NDArray[np.float64]

FIELD_LINES, FIELD_SAMPLES = 16, 16  # steps of the fields that are saved


def describe(order: Order) -> dict[str, Any]:
    """Return what rebuilds an order, for a file."""
    flat = {name: getattr(order, name) for name in _PLAIN}
    return flat | {
        "scene": order.scene.document(),
        "passes": [asdict(one) for one in order.passes],
        "mode": order.mode.name,
        "start": order.start.isoformat(),
    }


_PLAIN = (
    "swaths", "bursts", "lines", "samples", "overlap", "swath_overlap", "satellite", "ascending",
    "processor", "polarizations", "bistatic", "seed",
)  # fmt: skip


def order_of(document: dict[str, Any]) -> Order:
    """Rebuild an order from what `describe` gave."""
    plain = {name: document[name] for name in _PLAIN}
    plain |= {name: tuple(document[name]) for name in ("swaths", "polarizations")}
    passes = tuple(
        Pass(**(one | {"orbit_error": tuple(one["orbit_error"])})) for one in document["passes"]
    )
    return Order(
        scene=Scene.of(document["scene"]),
        passes=passes,
        mode=MODES[document["mode"]],
        start=datetime.fromisoformat(document["start"]),
        **plain,
    )


@dataclass(frozen=True)
class PairTruth:
    """What is true of a pair.

    Signs: phases are those of reference times conjugate of secondary; displacement is towards the
    antenna, secondary minus reference.

    Parameters
    ----------
    order
        From which the passes are planned.
    secondary, reference
        Numbers of the passes.
    """

    order: Order
    secondary: int = 1
    reference: int = 0

    @classmethod
    def read(cls, path: Path) -> "PairTruth":
        """Read a `<title>.truth.json`: the pair of that product with the first one."""
        document = json.loads(path.read_text())
        return cls(order_of(document["order"]), secondary=document["pass"])

    @cached_property
    def passes(self) -> tuple[PassFrame, PassFrame]:
        """Reference and secondary as they were flown."""
        planned = plan(self.order)
        return planned[self.reference], planned[self.secondary]

    def displacement(self, longitude: Float64, latitude: Float64) -> Float64:
        """Displacement towards the antenna of the reference, m, at radians of any shape."""
        return self._moved(longitude, latitude, 1) - self._moved(longitude, latitude, 0)

    def displacement_phase(self, longitude: Float64, latitude: Float64) -> Float64:
        """Phase (rad, not wrapped) that is left when that of the relief is taken off."""
        return -4 * np.pi / WAVELENGTH * self.displacement(longitude, latitude)

    def topographic_phase(self, longitude: Float64, latitude: Float64) -> Float64:
        """Phase (rad, not wrapped) of the Earth and its relief at rest."""
        reference, secondary = (self.seen(longitude, latitude, k) for k in (0, 1))
        difference = secondary.slant_range - reference.slant_range
        return np.asarray(4 * np.pi / WAVELENGTH * difference)

    def coherence(self, longitude: Float64, latitude: Float64) -> Float64:
        """Coherence of co-polarised images, noise included."""
        scene = self.order.scene
        power = scene.backscatter(*scene.terrain.plane(longitude, latitude))
        kept = [self.order.passes[k].coherence for k in (self.reference, self.secondary)]
        return scene.coherence(power, kept[0] * kept[1])

    def seen(self, longitude: Float64, latitude: Float64, which: int = 0) -> ZeroDoppler:
        """When and how far the reference (0) or the secondary (1) sees the ground at rest."""
        place = cartesian(longitude, latitude, self.order.scene.terrain.height(longitude, latitude))
        flown = self.passes[which]
        return zero_doppler(flown.trajectory, place, flown.start_time)

    def incidence(self, longitude: Float64, latitude: Float64) -> Float64:
        """Angle between the ray of the reference and the normal of the ellipsoid, radians."""
        height = self.order.scene.terrain.height(longitude, latitude)
        place = cartesian(longitude, latitude, height)
        normal = cartesian(longitude, latitude, height + 1.0) - place
        antenna = self.passes[0].trajectory.position_at(self.seen(longitude, latitude).time)
        ray = antenna - place
        return np.asarray(np.arccos((ray * normal).sum(-1) / np.linalg.norm(ray, axis=-1)))

    def targets(self) -> list[dict[str, float]]:
        """Places of the point targets (degrees, m) and when and how far the reference sees them."""
        terrain = self.order.scene.terrain
        found = []
        for target in self.order.scene.targets:
            place = terrain.geographic(np.array([target.east]), np.array([target.north]))
            seen = self.seen(*place)
            found.append({
                "longitude": float(np.degrees(place[0][0])),
                "latitude": float(np.degrees(place[1][0])),
                "height": float(terrain.height(*place)[0]),
                "azimuth_time": float(seen.time[0]),
                "slant_range": float(seen.slant_range[0]),
            })  # fmt: skip
        return found

    def nodes(self, swath: int, burst: int, lines: Float64, samples: Float64) -> Nodes:
        """Ground that the reference sees at lines and samples of one of its bursts."""
        flown = self.passes[0]
        frame = flown.swaths[swath]
        late = frame.bursts[burst].azimuth_time - frame.bursts[0].azimuth_time
        before = late / frame.line_interval
        return ground_nodes(flown, frame, self.order.scene.terrain, before + lines, samples)

    def _moved(self, longitude: Float64, latitude: Float64, which: int) -> Float64:
        """Displacement towards the antenna since the beginning, metres."""
        terrain = self.order.scene.terrain
        longitude, latitude = np.broadcast_arrays(longitude, latitude)
        nodes = Nodes(
            np.empty(0), np.empty(0), longitude, latitude, terrain.height(longitude, latitude)
        )
        return view(self.passes[which], self.order.scene, nodes).displacement


def save_fields(path: Path, order: Order, secondary: int) -> None:
    """Save what is true of a pair in the geometry of the first pass, every so many pixels.

    For each burst, named as "IW2_1_" and a field: `line` and `sample` of its nodes; `longitude`,
    `latitude` (degrees), `height` (m); `displacement` (m), `displacement_phase` and
    `topographic_phase` (rad); `coherence`; `late` (lines of the secondary, in the burst of the
    same number) and `far` (m).
    """
    truth = PairTruth(order, secondary)
    fields: dict[str, Float64] = {}
    for number, frame in enumerate(truth.passes[0].swaths):
        for burst in range(len(frame.bursts)):
            prefix = f"{frame.swath.name}_{burst + 1}_"
            values = _burst_fields(truth, number, burst)
            fields |= {prefix + name: value for name, value in values.items()}
    np.savez_compressed(path, **fields)  # type: ignore[arg-type]


def _burst_fields(truth: PairTruth, swath: int, burst: int) -> dict[str, Float64]:
    """Fields of one burst."""
    reference, secondary = truth.passes
    frame, other = reference.swaths[swath], secondary.swaths[swath]
    lines = np.arange(0.0, frame.lines, FIELD_LINES)
    samples = np.arange(0.0, frame.samples, FIELD_SAMPLES)
    nodes = truth.nodes(swath, burst, lines, samples)
    place = nodes.longitude, nodes.latitude
    near, far = (truth.seen(*place, which) for which in (0, 1))
    time = line_time(truth.order, far)
    late = (time - other.bursts[burst].azimuth_time) / other.line_interval
    return {
        "line": lines,
        "sample": samples,
        "longitude": np.degrees(nodes.longitude),
        "latitude": np.degrees(nodes.latitude),
        "height": nodes.height,
        "displacement": truth.displacement(*place),
        "displacement_phase": truth.displacement_phase(*place),
        "topographic_phase": truth.topographic_phase(*place),
        "coherence": truth.coherence(*place),
        "late": late + secondary.flown.misregistration - lines[:, None],
        "far": far.slant_range - near.slant_range,
    }
