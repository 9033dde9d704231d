"""Where scatterers lie: from the lattice of the first pass to the ground, and to every pass.

Rays are turned until they end on the relief at nodes of a coarse grid; what lies between is smooth,
and splines through the nodes hold it to a micrometre of range.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from algorithms.constants import SPEED_OF_LIGHT
from simulator.ellipsoid import cartesian
from simulator.terrain import Terrain
from simulator.tops.orbits import ZeroDoppler, zero_doppler
from simulator.tops.plan import Order, PassFrame, SwathFrame
from simulator.tops.scene import Scene
from simulator.zero_doppler import fill_ground

Float64 = NDArray[np.float64]
Surface = Callable[[Float64, Float64], Float64]

NODE_LINES, NODE_SAMPLES = 24.0, 24.0


@dataclass(frozen=True)
class Nodes:
    """Nodes of a coarse grid in the lattice of a swath, and the ground there.

    `line` (n,) and `sample` (m,) count from the first line and sample of the swath's first burst;
    `longitude`, `latitude` (radians) and `height` (m) have shape (n, m).
    """

    line: Float64
    sample: Float64
    longitude: Float64
    latitude: Float64
    height: Float64

    def surface(self, values: Float64) -> Surface:
        """Spline through values at the nodes: a function of lines and samples, as of a grid."""
        spline = RectBivariateSpline(self.line, self.sample, values)
        return lambda line, sample: np.asarray(spline(line, sample))


def ground_nodes(
    first: PassFrame, frame: SwathFrame, terrain: Terrain, line: Float64, sample: Float64
) -> Nodes:
    """Find the relief that the first pass sees at lines and samples of a swath's lattice."""
    time = frame.bursts[0].azimuth_time + line * frame.line_interval
    orbit = (
        first.trajectory.position_at(time),
        first.trajectory.velocity_at(time),
        first.trajectory.acceleration_at(time),
    )
    reach = np.tile([frame.near_range, frame.range_spacing], (time.size, 1))
    relief = (terrain.frame, terrain.base, terrain.waves)
    ground = np.empty((time.size, sample.size, 3))
    bulk_delay = first.order.bulk_delay
    late = np.nan if bulk_delay is None else bulk_delay
    fill_ground(orbit, sample, np.zeros(time.size), reach, late, relief, ground)
    return Nodes(line, sample, *np.moveaxis(ground, -1, 0))


def covering(low: float, high: float, step: float) -> Float64:
    """Nodes a step apart that reach beyond an interval, at least four."""
    count = max(int(np.ceil((high - low) / step)), 3)
    return np.asarray(low + np.arange(count + 1) * step)


def line_time(order: Order, seen: ZeroDoppler) -> Float64:
    """Time (s) that the line has in which a place is imaged, from when and how far it is seen."""
    if order.bulk_delay is None:
        return seen.time
    return seen.time - seen.slant_range / SPEED_OF_LIGHT + order.bulk_delay / 2


@dataclass(frozen=True)
class View:
    """How a pass sees nodes: in the line of which time (s) and how far (m), shape of the nodes.

    `displacement` is what the ground has moved towards the antenna, metres: `slant_range` is
    shorter by it than of the ground that stood still.
    """

    line_time: Float64
    slant_range: Float64
    displacement: Float64


def view(seen_by: PassFrame, scene: Scene, nodes: Nodes) -> View:
    """Find where a pass sees the ground at nodes, as it lies by then."""
    middle = 0.5 * (seen_by.start_time + seen_by.stop_time)
    still = cartesian(nodes.longitude, nodes.latitude, nodes.height)
    seen = zero_doppler(seen_by.trajectory, still, middle)
    if seen_by.flown.uplift == 0 or not scene.bowls:
        still_time = line_time(seen_by.order, seen)
        return View(still_time, seen.slant_range, np.zeros(still_time.shape))
    east, north = scene.terrain.plane(nodes.longitude, nodes.latitude)
    uplift = seen_by.flown.uplift * scene.uplift(east, north)
    moved = zero_doppler(
        seen_by.trajectory,
        cartesian(nodes.longitude, nodes.latitude, nodes.height + uplift),
        middle,
    )
    towards = seen.slant_range - moved.slant_range
    return View(line_time(seen_by.order, moved), moved.slant_range, towards)
