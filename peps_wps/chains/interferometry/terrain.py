"""The terrain under bursts and under maps, from the configured DEM."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from algorithms.block import Block
from algorithms.interferometry.model import Burst
from algorithms.regridding import regrid
from algorithms.terrain.nodes import Terrain
from peps_wps.chains.interferometry.bursts import footprint
from peps_wps.chains.interferometry.map_grid import MapGrid
from peps_wps.chains.ortho_s1.heights import surrounding_heights
from peps_wps.readers.dem import Dem, DemWindow
from peps_wps.readers.sentinel1_slc import Swath

# Pixels of a map between places that are projected exactly: millimetres of curvature between them.
_NODE_STEP = 32


@dataclass(frozen=True)
class Relief:
    """Terrain, and what is told of its heights.

    Parameters
    ----------
    terrain
        Heights.
    datum
        One sentence: what they were measured from, and how it is known.
    missing
        Share of them that no file holds, taken as sea level.
    """

    terrain: Terrain
    datum: str
    missing: float

    @classmethod
    def of(cls, window: DemWindow) -> "Relief":
        """Return the terrain of a window of the DEM."""
        return cls(Terrain(window.height, window.transform), window.datum, window.missing)


def burst_relief(dem: Dem, swath: Swath, burst: Burst) -> Relief:
    """Return the terrain that a burst shows, and what is displaced into it.

    Raises
    ------
    DemError
        When there is none.
    """
    shown = footprint(swath, burst)
    incidence = float(swath.grid.incidence_angle.min())
    return Relief.of(surrounding_heights(dem, shown.bounds, incidence, shown))


def map_relief(dem: Dem, shown: BaseGeometry, near_incidence: float) -> Relief:
    """Return the terrain around an area (degrees, longitudes continuous); as `burst_relief`."""
    return Relief.of(surrounding_heights(dem, shown.bounds, near_incidence, shown))


def heights_on_map(relief: Relief, grid: MapGrid, block: Block) -> NDArray[np.float32]:
    """Return the heights of the pixels of a block of a map, NaN where there are none."""
    rows, columns = (
        np.linspace(start, start + size, -(-size // _NODE_STEP) + 1)
        for start, size in ((block.row, block.rows), (block.column, block.columns))
    )
    across, down = np.meshgrid(columns, rows)
    easting = grid.transform.c + grid.transform.a * across
    northing = grid.transform.f + grid.transform.e * down
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(easting, northing)
    column, row = relief.terrain.position(np.radians(longitude), np.radians(latitude))
    return regrid(
        relief.terrain.heights,
        row + 0.5,
        column + 0.5,
        shape=(block.rows, block.columns),
        method="bilinear",
    )
