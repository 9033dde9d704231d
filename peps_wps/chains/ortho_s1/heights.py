"""The terrain of a tile, from the configured DEM."""

import math

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from algorithms.mgrs import Tile
from algorithms.radar.grd import GeolocationGrid
from algorithms.terrain.profiles import dem_margin
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.scene import Scene
from peps_wps.config import Config
from peps_wps.readers.dem import Dem, DemWindow

Bounds = tuple[float, float, float, float]

INTERPOLATION_MARGIN_DEG = 0.01
# Grids are given on the terrain of their own points: relief moves the image's border by less.
IMAGE_MARGIN = 11_000.0  # m
# Terrain beside what was read may be this much higher, and its heights are not known yet.
HIGHER_BESIDE = 500.0  # m
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
    image = _outline(tile, scene)
    bounds = _covered_bounds(tile, image)
    if order.masks or order.calibration == "gamma0_rtc":
        near_range = min(float(grid.incidence_angle.min()) for grid in _grids(scene))
        seen = image.intersection(shapely.box(*bounds))
        return surrounding_heights(dem, bounds, near_range, seen)
    return dem.heights(bounds, margin=INTERPOLATION_MARGIN_DEG, needed=image)


def surrounding_heights(
    dem: Dem, bounds: Bounds, near_incidence: float, needed: BaseGeometry
) -> DemWindow:
    """Return the heights of an area with the terrain beside it that is displaced into it.

    Parameters
    ----------
    dem
        Where from.
    bounds
        West, south, east, north, degrees; east may be beyond 180.
    near_incidence
        The least incidence angle there, radians.
    needed
        Where heights matter.

    Raises
    ------
    DemError
        When there are none.
    """
    heights = dem.heights(bounds, margin=INTERPOLATION_MARGIN_DEG, needed=needed)
    relief = -1.0
    # The wider the view, the higher the terrain may be: mostly the first one is wide enough.
    while (found := float(np.ptp(heights.height))) > relief:
        relief = found + HIGHER_BESIDE
        wider = grown(bounds, dem_margin(relief, near_incidence))
        heights = dem.heights(wider, margin=INTERPOLATION_MARGIN_DEG, needed=needed)
    return heights


def _outline(tile: Tile, scene: Scene) -> BaseGeometry:
    """Return the outline of the image, degrees, longitudes continuous over the tile."""
    west, _, east, _ = _continuous_bounds(tile)
    centre = (west + east) / 2
    outlines = []
    for grid in _grids(scene):
        longitude = centre + (np.degrees(grid.longitude) - centre + 180) % 360 - 180
        points = np.column_stack([longitude.ravel(), np.degrees(grid.latitude).ravel()])
        outlines.append(shapely.MultiPoint(points).convex_hull)
    return shapely.union_all(outlines)


def _continuous_bounds(tile: Tile) -> Bounds:
    """Return the bounds of a tile; east may be beyond 180."""
    west, south, east, north = tile_bounds(tile)
    return west, south, east + 360 if west > east else east, north


def _covered_bounds(tile: Tile, image: BaseGeometry) -> Bounds:
    """Return the bounds of a tile, cut to those of the image."""
    west, south, east, north = _continuous_bounds(tile)
    reach = grown(image.bounds, IMAGE_MARGIN)
    left, right = max(west, reach[0]), min(east, reach[2])
    bottom, top = max(south, reach[1]), min(north, reach[3])
    if left < right and bottom < top:
        return left, bottom, right, top
    return west, south, east, north  # the tile will turn out to hold no valid pixel


def _grids(scene: Scene) -> list[GeolocationGrid]:
    """Return the geolocation grid of each frame: it follows curved edges, as footprints do not."""
    return [next(iter(frame.images.values())).annotation.grid for frame in scene.frames]


def grown(bounds: Bounds, metres: float) -> Bounds:
    """Return bounds with a margin on every side."""
    west, south, east, north = bounds
    parallel = math.cos(math.radians(min(max(abs(south), abs(north)), 89.0)))
    rows = metres / METRES_A_DEGREE
    columns = rows / parallel
    return west - columns, max(south - rows, -90.0), east + columns, min(north + rows, 90.0)
