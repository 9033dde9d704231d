"""The terrain of a tile, from the configured DEM."""

import math

import shapely
from pyproj import Transformer

from algorithms.mgrs import Tile
from algorithms.terrain_profiles import dem_margin
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.scene import Scene
from peps_wps.config import Config
from peps_wps.readers.dem import Dem, DemWindow

Bounds = tuple[float, float, float, float]

INTERPOLATION_MARGIN_DEG = 0.01
# Footprints are given for the terrain of the annotation's grid: relief moves their border by less.
FOOTPRINT_MARGIN_DEG = 0.1
STEEPEST_INCIDENCE = math.radians(18.0)  # of any Sentinel-1 mode, near range
METRES_A_DEGREE = 111_195.0  # of latitude, on a sphere of 6371 km


def configured_dem(config: Config) -> Dem:
    """Return the DEM of section ``[dem]``."""
    section = config.dem
    return Dem.open(
        section.path,
        vertical_datum=section.vertical_datum,
        geoid_path=section.geoid_path,
        geoid_fallback=section.geoid_fallback,
        sea=section.sea,
    )


def tile_bounds(tile: Tile) -> Bounds:
    """Return west, south, east, north of a tile in degrees; west above east at the antimeridian."""
    to_geographic = Transformer.from_crs(tile.epsg, 4326, always_xy=True)
    bounds: Bounds = to_geographic.transform_bounds(*tile.bounds, densify_pts=21)
    return bounds


def tile_heights(config: Config, tile: Tile, scene: Scene, order: Order) -> DemWindow:
    """Return the heights under the part of a tile that the pass covers, with what surrounds it.

    Raises
    ------
    DemError
        When there are none.
    """
    dem = configured_dem(config)
    bounds, margin = _covered_bounds(tile, scene), INTERPOLATION_MARGIN_DEG
    heights = dem.heights(bounds, margin=margin)
    if order.masks or order.calibration == "gamma0_rtc":
        # Terrain beside the tile is displaced into it, or shades it.
        low, high = float(heights.height.min()), float(heights.height.max())
        reach = dem_margin(high - low, STEEPEST_INCIDENCE) / METRES_A_DEGREE
        shortest = math.cos(math.radians(max(abs(bounds[1]), abs(bounds[3]))))
        heights = dem.heights(bounds, margin=margin + reach / max(shortest, 0.05))
    return heights


def _covered_bounds(tile: Tile, scene: Scene) -> Bounds:
    """Return the bounds of a tile, cut to those of the pass."""
    west, south, east, north = tile_bounds(tile)
    footprint = shapely.union_all([frame.footprint for frame in scene.frames])
    if west > east or footprint.bounds[2] > 180:  # at the antimeridian the tile is small enough
        return west, south, east, north
    left, bottom, right, top = footprint.buffer(FOOTPRINT_MARGIN_DEG).bounds
    return max(west, left), max(south, bottom), min(east, right), min(north, top)
