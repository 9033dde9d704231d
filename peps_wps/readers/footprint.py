"""The outline of a product from the few corners that its manifest gives.

Corners are joined by geodesics: at 80 degrees of latitude an edge that is straight in longitude
and latitude leaves the image by 20 km. The catalogue, resto and GeoJSON have straight edges, so
that vertices are put in until both agree.
"""

from collections.abc import Sequence
from itertools import pairwise

from pyproj import Geod
from shapely.geometry import Polygon

Vertex = tuple[float, float]  # longitude, latitude in degrees

# A thousandth of a Sentinel-2 tile.
TOLERANCE_M = 100.0
_ELLIPSOID = Geod(ellps="WGS84")


def outline(corners: Sequence[Vertex]) -> Polygon:
    """Return the polygon of some corners in degrees, closed or not.

    Longitudes are continuous from the first corner on, past 180 where the product crosses the
    antimeridian. A product that holds a pole is closed along its latitude of 90 degrees.
    """
    ring = [*corners, corners[0]] if corners[0] != corners[-1] else list(corners)
    for index in range(1, len(ring)):
        ring[index] = (nearest_turn(ring[index][0], ring[index - 1][0]), ring[index][1])
    vertices = [vertex for edge in pairwise(ring) for vertex in _geodesic(*edge)]
    (first, latitude), (last, _) = ring[0], ring[-1]
    if abs(last - first) > 180:
        pole = 90.0 if latitude > 0 else -90.0
        vertices += [(last, latitude), (last, pole), (first, pole)]
    return Polygon(vertices)


def nearest_turn(longitude: float, to: float) -> float:
    """Return the longitude, whole turns added, that is nearest to another one."""
    return longitude + 360 * round((to - longitude) / 360)


def _geodesic(start: Vertex, end: Vertex) -> list[Vertex]:
    """Return vertices from the start to before the end whose edges are straight enough."""
    azimuth, _, length = _ELLIPSOID.inv(*start, *end)
    longitude, latitude, _ = _ELLIPSOID.fwd(*start, azimuth, 0.5 * length)
    straight = 0.5 * (start[0] + end[0]), 0.5 * (start[1] + end[1])
    middle = nearest_turn(longitude, straight[0]), latitude
    if _ELLIPSOID.inv(*middle, *straight)[2] <= TOLERANCE_M:
        return [start]
    return _geodesic(start, middle) + _geodesic(middle, end)
