"""What GeoJSON features of every kind have in common."""

from collections.abc import Mapping
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from peps_wps.records.record import RecordError

_MOST_VERTICES = 10_000


def properties_of(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a feature, which must be an object."""
    properties = feature.get("properties")
    if not isinstance(properties, Mapping):
        raise RecordError("properties are missing")
    return properties


def footprint_of(feature: Mapping[str, Any]) -> BaseGeometry:
    """Return the geometry of a feature: polygons, without heights."""
    return checked(_shape(feature.get("geometry")))


def checked(geometry: BaseGeometry) -> BaseGeometry:
    """Return a footprint that the catalogue can place."""
    if geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        raise RecordError(f"geometry is a {geometry.geom_type}, a polygon expected")
    vertices = shapely.get_num_coordinates(geometry)
    if vertices > _MOST_VERTICES:
        raise RecordError(f"geometry has {vertices} vertices, at most {_MOST_VERTICES} expected")
    flat: BaseGeometry = shapely.force_2d(geometry)
    return flat


def _shape(geometry: object) -> BaseGeometry:
    if not isinstance(geometry, Mapping):
        raise RecordError("geometry is missing")
    try:
        return shape(dict(geometry))
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise RecordError("geometry is not GeoJSON") from error
