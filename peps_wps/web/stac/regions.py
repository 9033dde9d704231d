"""Regions as STAC gives them: boxes of four or six numbers, and GeoJSON."""

import json
from collections.abc import Mapping, Sequence

import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.regions import box_region
from peps_wps.web.problem import ProblemError

_TYPES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)


def bbox_region(numbers: Sequence[object]) -> BaseGeometry:
    """Return the region of a box: west, south, east, north; heights of a box of six count not."""
    if len(numbers) not in (4, 6) or not all(_is_number(number) for number in numbers):
        raise ProblemError(400, "a bbox has four or six numbers", locator="bbox")
    corners = [float(str(number)) for number in numbers]
    half = len(corners) // 2
    if half == 3 and corners[2] > corners[5]:
        raise ProblemError(400, "a bbox has its lower height above the upper", locator="bbox")
    return box_region(corners[0], corners[1], corners[half], corners[half + 1])


def geojson_region(document: object) -> BaseGeometry:
    """Return the region of a GeoJSON geometry (RFC 7946), heights left out."""
    if not isinstance(document, Mapping) or document.get("type") not in _TYPES:
        raise ProblemError(400, "intersects is no GeoJSON geometry", locator="intersects")
    try:
        return shapely.force_2d(shapely.from_geojson(json.dumps(document)))
    except ShapelyError as error:
        raise ProblemError(
            400, "intersects is no GeoJSON geometry", locator="intersects"
        ) from error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
