"""Delays of the acquisitions in the troposphere, from the configured files of ERA5, on a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms.block import Block
from algorithms.troposphere import ZenithDelay, slant_delay, zenith_delay
from peps_wps.chains.interferometry.map_grid import MapGrid
from peps_wps.config import Config
from peps_wps.errors import AirError, DemError, OrderRefusedError
from peps_wps.readers.era5 import Bounds, air_files, find_air, read_levels
from peps_wps.readers.geoid import Geoid, find_geoid

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Of a node of ERA5: the pixels of a map that are shown may reach beyond the outline of bursts.
_MARGIN_DEG = 0.05
# Pixels between places that are projected exactly, as under `terrain.heights_on_map`.
_NODE_STEP = 32


@dataclass(frozen=True)
class Air:
    """The troposphere at some dates over an area.

    Parameters
    ----------
    names
        Files that it was read from, one for each date.
    delays
        Of each date, at heights above the ellipsoid.
    geoid
        What the model's heights are above; "" where no grid of it is on this machine, and its
        heights are taken for those above the ellipsoid.
    """

    names: tuple[str, ...]
    delays: tuple[ZenithDelay, ...]
    geoid: str

    @property
    def note(self) -> str:
        """One sentence about what was done."""
        level = self.geoid or "the ellipsoid, as there is no grid of the geoid"
        return f"tropospheric delay from {', '.join(self.names)}, heights of ERA5 above {level}"

    def slant_delays(
        self, target: MapGrid, block: Block, height: Float32, incidence_angle: Float32
    ) -> Float32:
        """Return the delays along the lines of sight of a block of a map.

        Parameters
        ----------
        target, block
            The map and the block.
        height
            Metres above the ellipsoid, shape of the block, NaN where unknown.
        incidence_angle
            Radians, same shape.

        Returns
        -------
        Metres one way, float32, shape (date, row, column), NaN where height is.
        """
        longitude, latitude = _degrees(target, block)
        middle = self.delays[0].longitude.mean()
        longitude = middle + (longitude - middle + 180.0) % 360.0 - 180.0
        return np.stack(
            [
                slant_delay(one.at(longitude, latitude, height), incidence_angle)
                for one in self.delays
            ]
        )


def check_air(config: Config, times: Sequence[datetime], bounds: Bounds) -> None:
    """Refuse an order for whose dates there is no file of the air; nothing of it is decoded.

    Parameters
    ----------
    config
        With section ``[atmosphere]``.
    times
        Of the acquisitions, UTC.
    bounds
        West, south, east, north, degrees; east may be beyond 180.

    Raises
    ------
    OrderRefusedError
        When there is none for a date and an hour, or none that covers the area.
    """
    files = air_files(config.atmosphere.path)
    try:
        for time in times:
            find_air(files, time, _with_margin(bounds))
    except AirError as error:
        raise OrderRefusedError("atmosphere", str(error)) from error


def read_air(config: Config, times: Sequence[datetime], bounds: Bounds) -> Air:
    """Read the air of some dates, parameters as those of `check_air`.

    Raises
    ------
    AirError
        When a file is missing, or not what it should be.
    """
    files = air_files(config.atmosphere.path)
    area = _with_margin(bounds)
    geoid = _geoid(config)
    names, delays = [], []
    for time in times:
        file = find_air(files, time, area)
        levels = read_levels(file, area)
        above = geoid.undulation(levels.longitude, levels.latitude) if geoid else None
        names.append(file.path.name)
        delays.append(zenith_delay(levels, above))
    return Air(tuple(names), tuple(delays), geoid.model if geoid else "")


def _geoid(config: Config) -> Geoid | None:
    """Return the geoid that heights of ERA5 are above; without it delays are right to millimetres.

    All of a delay that 50 m of height change is nearly the same over an area and at all dates.
    """
    try:
        return find_geoid("EGM96", geoid_path=config.dem.geoid_path)
    except DemError:
        return None


def _with_margin(bounds: Bounds) -> Bounds:
    west, south, east, north = bounds
    return west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG


def _degrees(target: MapGrid, block: Block) -> tuple[Float64, Float64]:
    """Return longitude and latitude of the pixels of a block, exact at nodes every 32 or less."""
    hats, edges = [], []
    for start, size in ((block.row, block.rows), (block.column, block.columns)):
        nodes = -(-size // _NODE_STEP) + 1
        edges.append(np.linspace(start, start + size, nodes))
        place = (np.arange(size) + 0.5) * (nodes - 1) / size
        hats.append(np.maximum(1.0 - np.abs(place[:, np.newaxis] - np.arange(nodes)), 0.0))
    across, down = np.meshgrid(edges[1], edges[0])
    easting = target.transform.c + target.transform.a * across
    northing = target.transform.f + target.transform.e * down
    to_degrees = Transformer.from_crs(target.epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(easting, northing)
    turn = longitude[0, 0] + (longitude - longitude[0, 0] + 180.0) % 360.0 - 180.0
    return hats[0] @ turn @ hats[1].T, hats[0] @ latitude @ hats[1].T
