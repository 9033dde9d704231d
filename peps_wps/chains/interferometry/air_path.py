"""What the troposphere adds to an interferogram: the delay of the second date less the first's."""

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from algorithms.block import Block
from algorithms.geodesy import ecef_to_geodetic
from algorithms.interferometry.geocoding import MapBlock, radar_view
from algorithms.interferometry.geometry import ground_at
from algorithms.interferometry.model import RadarFrame
from peps_wps.chains.interferometry.air import Air, Float32, read_air
from peps_wps.chains.interferometry.facts import PairFacts
from peps_wps.chains.interferometry.map_grid import utm_grid
from peps_wps.chains.interferometry.mapping import Seen
from peps_wps.chains.interferometry.solve import Merged, Solution
from peps_wps.chains.interferometry.terrain import Relief, heights_on_map
from peps_wps.config import Config

# Heights and places of a pixel settle by a factor of the slope over the tangent of incidence.
_ITERATIONS = 8
_PIXEL = 20  # m


@dataclass(frozen=True)
class AirPath:
    """What the air adds to the paths between two dates.

    Parameters
    ----------
    air
        At both.
    zero
        Metres that it adds at the reference of the displacement.
    """

    air: Air
    zero: float

    def of(self, seen: Seen) -> Float32:
        """Return what a part of a map is farther away by at the second date, metres, NaN outside.

        It is added to a displacement towards the satellite to correct it.
        """
        first, second = self.air.slant_delays(
            seen.target, seen.part, seen.height, seen.view.incidence_angle
        )
        longer: Float32 = second - first - np.float32(self.zero)
        return longer


def air_path(
    config: Config,
    facts: PairFacts,
    area: BaseGeometry,
    whole: Merged,
    solution: Solution,
    relief: Relief,
) -> AirPath:
    """Read the air of a pair over an area (degrees), told against the reference of the phase.

    Raises
    ------
    AirError
        When a file is missing, or not what it should be.
    """
    times = facts.reference.time, facts.secondary.time
    air = read_air(config, times, area.bounds)
    if solution.reference_place is None:
        return AirPath(air, 0.0)
    return AirPath(air, _longer_at(air, whole.grid.frame, relief, *solution.reference_place))


def _longer_at(air: Air, frame: RadarFrame, relief: Relief, line: float, sample: float) -> float:
    """Return what the air adds at a place of the frame, metres; 0 beside the terrain."""
    height = 0.0
    only = Block(0, 0, 1, 1)
    for _ in range(_ITERATIONS):
        place = ecef_to_geodetic(ground_at(frame, line, sample, height))
        target = utm_grid(shapely.Point(*np.degrees(place[:2]).tolist()), _PIXEL)
        heights = heights_on_map(relief, target, only)
        if not np.isfinite(heights).all():
            return 0.0
        height = float(heights[0, 0])
    view = radar_view(frame, MapBlock(target.epsg, target.transform, heights))
    first, second = air.slant_delays(target, only, heights, view.incidence_angle)
    return float(second[0, 0] - first[0, 0])
