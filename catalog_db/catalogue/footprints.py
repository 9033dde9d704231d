"""Where a product lies: its footprint cut at the antimeridian, and one continuous box around it.

Longitudes and latitudes are degrees. A footprint arrives as its producer wrote it: vertices jump
from 179 to -179 where it crosses the antimeridian, or circle a pole. It is *unrolled* (longitudes
made continuous), closed over the pole it circles, then cut into parts within [-180, 180]. Edges are
straight in longitude and latitude, as resto and GeoJSON (RFC 7946, 3.1.1) have them.
"""

import math
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, box
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from catalog_db.errors import FootprintError

# Boxes are stored as integers of 1e-4 degrees (11 m), rounded outwards.
UNITS_PER_DEGREE = 10_000
TURN = 360 * UNITS_PER_DEGREE


class Box(NamedTuple):
    """A box in 1e-4 degrees: continuous, `x0` in [-180, 180) degrees, `x1` may exceed 180."""

    x0: int
    y0: int
    x1: int
    y1: int


def placed(footprint: BaseGeometry) -> tuple[BaseGeometry, Box]:
    """Return the footprint as valid parts within [-180, 180], and its continuous box.

    Raises
    ------
    FootprintError
        When the geometry is empty, not areal, or holds latitudes beyond 90 degrees.
    """
    polygons = [part for part in shapely.get_parts(footprint) if isinstance(part, Polygon)]
    if not polygons or footprint.is_empty:
        raise FootprintError(f"a footprint is a {footprint.geom_type}, expected a polygon")
    west, south, east, north = footprint.bounds
    if not (math.isfinite(west + east) and -90 <= south <= north <= 90):
        raise FootprintError(f"a footprint has latitudes from {south} to {north}")
    is_on_one_side = west >= -180 and east <= 180 and east - west < 180
    if is_on_one_side and len(polygons) == 1 and footprint.is_valid:
        return polygons[0], outward_box(west, south, east, north)
    unrolled = [_unrolled(polygon) for polygon in polygons]
    extent = _smallest_extent([(part.bounds[0], part.bounds[2]) for part in unrolled])
    y0, y1 = min(p.bounds[1] for p in unrolled), max(p.bounds[3] for p in unrolled)
    return _cut(shapely.unary_union(unrolled)), outward_box(extent[0], y0, extent[1], y1)


def outward_box(west: float, south: float, east: float, north: float) -> Box:
    """Return the box in stored units, rounded outwards, its west within [-180, 180) degrees."""
    shift = -360 * math.floor((west + 180) / 360)
    x0 = math.floor(west * UNITS_PER_DEGREE) + shift * UNITS_PER_DEGREE
    x1 = math.ceil(east * UNITS_PER_DEGREE) + shift * UNITS_PER_DEGREE
    return Box(
        max(x0, -TURN // 2),
        math.floor(south * UNITS_PER_DEGREE),
        x1,
        math.ceil(north * UNITS_PER_DEGREE),
    )


def _unrolled(polygon: Polygon) -> Polygon:
    """Return the polygon with continuous longitudes, closed over a pole that it circles."""
    ring = shapely.get_coordinates(polygon.exterior)
    longitudes = _continuous(ring[:, 0])
    turn = longitudes[-1] - longitudes[0]
    vertices = np.column_stack([longitudes, ring[:, 1]])
    if abs(turn) > 180:  # it ends a turn away from where it started
        pole = math.copysign(90.0, float(ring[:, 1].mean()))
        start = vertices[0, 0]
        vertices = np.vstack([vertices, [start + turn, pole], [start, pole], vertices[0]])
    centre = (vertices[:, 0].min() + vertices[:, 0].max()) / 2
    vertices[:, 0] -= 360 * math.floor((centre + 180) / 360)
    holes = [_hole(ring, vertices) for ring in polygon.interiors]
    return Polygon(vertices, holes)


def _hole(ring: BaseGeometry, shell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a hole with continuous longitudes, moved by whole turns into its shell."""
    hole = shapely.get_coordinates(ring)
    hole[:, 0] = _continuous(hole[:, 0])
    centre = (shell[:, 0].min() + shell[:, 0].max()) / 2
    hole[:, 0] += 360 * np.round((centre - hole[:, 0].mean()) / 360)
    return hole


def _continuous(longitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return longitudes without jumps: each step goes the shorter way round.

    A step of exactly 360 degrees is meant: it is the edge along a pole of a ring that somebody
    has already closed there.
    """
    steps = np.diff(longitudes)
    meant = np.isclose(np.abs(steps), 360.0, rtol=0, atol=1e-9)
    turns = np.where(meant, 0.0, -360.0 * np.round(steps / 360.0))
    continuous: NDArray[np.float64] = longitudes + np.concatenate([[0.0], np.cumsum(turns)])
    return continuous


def _smallest_extent(intervals: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the shortest arc of longitudes that holds all intervals: it starts after a gap."""
    if any(east - west >= 360 for west, east in intervals):
        return -180.0, 180.0
    starts = sorted({west for west, _ in intervals})
    arcs = []
    for start in starts:
        turned = [
            (west + (360 if west < start else 0), east + (360 if west < start else 0))
            for west, east in intervals
        ]
        arcs.append((max(east for _, east in turned) - start, start))
    length, start = min(arcs)
    return (-180.0, 180.0) if length >= 360 else (start, start + length)


def _cut(geometry: BaseGeometry) -> BaseGeometry:
    """Return a continuous geometry cut into valid polygons within [-180, 180]."""
    valid = geometry if geometry.is_valid else shapely.make_valid(geometry)
    west, _, east, _ = valid.bounds
    first, last = math.floor((west + 180) / 360), math.ceil((east + 180) / 360)
    cuts = [
        translate(valid.intersection(box(-180 + 360 * n, -90, 180 + 360 * n, 90)), -360.0 * n)
        for n in range(first, last)
    ]
    parts = [
        part
        for part in shapely.get_parts(cuts)
        if isinstance(part, Polygon | MultiPolygon) and part.area > 0
    ]
    merged = shapely.unary_union(parts)
    if merged.is_empty:
        raise FootprintError("a footprint has no area")
    return merged
