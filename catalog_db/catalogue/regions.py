"""Regions of a search: the boxes to look up in the index, and the exact test of a footprint."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import GeometryCollection, Polygon, box
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.footprints import UNITS_PER_DEGREE
from catalog_db.errors import QueryError

# Metres of one degree of a great circle on the sphere of the Earth's mean radius, 6371.0088 km.
_METRES_PER_DEGREE = 111_195.08
# More parts than this are looked up by the box around all of them.
_MOST_BOXES = 8
# A country of EODAG's or Natural Earth's has a few hundred; more would cost more than the search.
MOST_VERTICES = 5000
_TURNS = (-1, 0, 1)


def box_region(west: float, south: float, east: float, north: float) -> Polygon:
    """Return the box as a region; `west` beyond `east` means over the antimeridian."""
    if not (math.isfinite(west + east) and -90 <= south <= north <= 90):
        raise QueryError(f"a box from {west} {south} to {east} {north} is not on the Earth")
    if max(abs(west), abs(east)) > 540:
        raise QueryError(f"a box has longitudes {west} and {east}, expected -180 to 180")
    return box(west, south, east + 360 if west > east else east, north)


def square_region(longitude: float, latitude: float, radius_m: float) -> Polygon:
    """Return the square of half side `radius_m` around a point, cut at the poles."""
    if not (-540 <= longitude <= 540 and -90 <= latitude <= 90 and 0 <= radius_m < math.inf):
        raise QueryError(f"{longitude} {latitude} with radius {radius_m} m is not on the Earth")
    height = radius_m / _METRES_PER_DEGREE
    south, north = max(latitude - height, -90.0), min(latitude + height, 90.0)
    # The widest parallel of the square decides; beyond a pole it holds every longitude.
    narrowest = math.cos(math.radians(max(abs(south), abs(north))))
    width = min(height / narrowest, 180.0) if narrowest > 1e-9 else 180.0
    return box(longitude - width, south, longitude + width, north)


@dataclass(frozen=True)
class Region:
    """A region prepared for one search.

    Parameters
    ----------
    boxes
        Shape (box, 4) float64: x0, y0, x1, y1 in 1e-4 degrees, repeated at every turn at which a
        stored box may lie.
    is_box
        The region fills its box: what lies within the box needs no exact test.
    geometry
        The region with its copies a turn away that reach [-180, 180], prepared.
    """

    boxes: NDArray[np.float64]
    is_box: bool
    geometry: BaseGeometry

    @classmethod
    def of(cls, geometry: BaseGeometry) -> "Region":
        """Prepare a geometry: points, lines or polygons.

        Raises
        ------
        QueryError
            When it is empty, crosses itself, has too many vertices or is not on the Earth.
        """
        if geometry.is_empty:
            raise QueryError("the region of the search is empty")
        vertices = shapely.get_num_coordinates(geometry)
        if vertices > MOST_VERTICES:
            raise QueryError(
                f"the region of the search has {vertices} vertices, at most {MOST_VERTICES}"
            )
        west, south, east, north = geometry.bounds
        if not (-540 <= west <= east <= 540 and -90 <= south <= north <= 90):
            raise QueryError(
                f"the region of the search reaches from {west} {south} to {east} {north}, "
                "expected longitudes from -180 to 180 and latitudes from -90 to 90"
            )
        if not geometry.is_valid:
            raise QueryError(
                f"the region of the search is not valid: {shapely.is_valid_reason(geometry)}"
            )
        valid = translate(geometry, -360.0 * math.floor((west + 180) / 360))
        parts = list(shapely.get_parts(valid))
        bounds = [part.bounds for part in parts] if len(parts) <= _MOST_BOXES else [valid.bounds]
        boxes = np.array(bounds) * UNITS_PER_DEGREE
        turn = np.array([360.0, 0.0, 360.0, 0.0]) * UNITS_PER_DEGREE
        repeated = _repeated(valid)
        shapely.prepare(repeated)
        return cls(
            boxes=np.concatenate([boxes + turns * turn for turns in _TURNS]),
            is_box=_is_box(valid),
            geometry=repeated,
        )

    @property
    def is_everywhere(self) -> bool:
        """The region is the whole Earth."""
        x0, y0, x1, y1 = self.boxes[0] / UNITS_PER_DEGREE
        return bool(self.is_box and x1 - x0 >= 360 and y0 <= -90 and y1 >= 90)

    def boxes_within(self, west: int, east: int) -> NDArray[np.float64]:
        """Return the boxes that reach longitudes from west to east, in stored units."""
        return self.boxes[(self.boxes[:, 2] >= west) & (self.boxes[:, 0] <= east)]

    def may_meet(self, boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which boxes, shape (4, item) in stored units, meet a box of the region."""
        met = np.zeros(boxes.shape[1], bool)
        if not len(met):
            return met
        for x0, y0, x1, y1 in self.boxes_within(int(boxes[0].min()), int(boxes[2].max())):
            met |= (boxes[0] <= x1) & (boxes[2] >= x0) & (boxes[1] <= y1) & (boxes[3] >= y0)
        return met

    def overlap(self, boxes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the share of each box, shape (4, item), that the boxes of the region cover."""
        west, south, east, north = boxes
        share = np.zeros(len(west))
        area = np.maximum((east - west) * (north - south), 1)
        for x0, y0, x1, y1 in self.boxes:
            width = np.minimum(east, x1) - np.maximum(west, x0)
            height = np.minimum(north, y1) - np.maximum(south, y0)
            share += np.maximum(width, 0.0) * np.maximum(height, 0.0) / area
        return np.minimum(share, 1.0)

    def meets_boxes(self, corners: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which boxes, shape (4, item) in degrees and continuous, meet the region itself."""
        west, south, east, north = corners
        met = np.zeros(len(west), bool)
        for turns in _TURNS:
            moved = shapely.box(west + 360 * turns, south, east + 360 * turns, north)
            met |= shapely.intersects(self.geometry, moved)
        return met

    def intersects(self, footprints: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Say which footprints, cut at the antimeridian, meet the region."""
        found: NDArray[np.bool_] = shapely.intersects(self.geometry, footprints)
        return found


def _is_box(geometry: BaseGeometry) -> bool:
    """Say whether a valid geometry is a box: a ring through its four corners and no others."""
    if geometry.geom_type != "Polygon" or shapely.get_num_coordinates(geometry) != 5:
        return False
    west, south, east, north = geometry.bounds
    return all(
        x in (west, east) and y in (south, north) for x, y in shapely.get_coordinates(geometry)
    )


def _repeated(geometry: BaseGeometry) -> BaseGeometry:
    """Return the geometry with its copies a turn away that touch [-180, 180].

    Not cut there: a region that ends at 180 must still meet what starts at -180.
    """
    west, _, east, _ = geometry.bounds
    copies = [
        translate(geometry, 360.0 * turns)
        for turns in _TURNS
        if west + 360 * turns <= 180 and east + 360 * turns >= -180
    ]
    if len(copies) == 1:
        return copies[0]
    # Sides that cross each other, as combs do, would give a union of millions of vertices.
    is_apart = east - west <= 360 and geometry.geom_type != "GeometryCollection"
    return shapely.unary_union(copies) if is_apart else GeometryCollection(copies)
