"""The part of a product that an order is for: an area in longitude and latitude."""

import json

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from peps_wps.chains.fields import Fields, refused
from peps_wps.errors import InvalidInputError, OrderRefusedError
from peps_wps.readers.footprint import nearest_turn

NAME = "geometry"
MOST_VERTICES = 5_000
_KINDS = ("POLYGON", "MULTIPOLYGON")
# Sides of a region are straight in longitude and latitude: followed on the map so closely.
_LONGEST_SIDE_DEG = 0.02


_NOT_A_POLYGON = (
    *(shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError),
    RecursionError,
)


def region_of(fields: Fields, name: str = NAME) -> str | None:
    """Return the area that an input gives as WKT, None where it is not given.

    Raises
    ------
    InvalidInputError
        When it is neither WKT nor GeoJSON of a sound polygon in longitude and latitude.
    """
    text = fields.one(name)
    if text is None:
        return None
    try:
        geometry = _read(text)
    except _NOT_A_POLYGON as error:
        raise refused(name, text, "a polygon as WKT or GeoJSON") from error
    _check(geometry, text, name)
    return shapely.to_wkt(geometry, rounding_precision=9)


def _read(text: str) -> BaseGeometry:
    """Return a polygon, or several, of WKT or GeoJSON: a geometry, or a feature with one."""
    if not text.startswith("{"):
        if not text.upper().startswith(_KINDS):
            raise ValueError("not a polygon")
        return shapely.from_wkt(text)
    document = json.loads(text)
    if document["type"] == "Feature":
        document = document["geometry"]
    if document["type"].upper() not in _KINDS:
        raise ValueError("not a polygon")
    return shapely.from_geojson(json.dumps(document))


def _check(geometry: BaseGeometry, text: str, name: str) -> None:
    if not isinstance(geometry, Polygon | MultiPolygon) or geometry.is_empty:
        raise refused(name, text, "a polygon as WKT or GeoJSON")
    count = int(shapely.get_num_coordinates(geometry))
    if count > MOST_VERTICES:
        raise InvalidInputError(
            name, f"{name} has {count} vertices, at most {MOST_VERTICES} expected"
        )
    places = shapely.get_coordinates(geometry)
    if not (np.isfinite(places).all() and np.all(np.abs(places) <= (180.0, 90.0))):
        raise refused(name, text, "longitudes from -180 to 180 and latitudes from -90 to 90")
    if not geometry.is_valid:
        reason = shapely.is_valid_reason(geometry)
        raise InvalidInputError(name, f"{name} is no sound polygon: {reason}")


def check_meets(region: str | None, footprint: BaseGeometry, title: str, name: str = NAME) -> None:
    """Refuse a product that lies outside the area of an order.

    Raises
    ------
    OrderRefusedError
        When they have no point in common.
    """
    if region is None:
        return
    area = shapely.from_wkt(region)
    turned = [shapely.affinity.translate(area, turn) for turn in (-360.0, 0.0, 360.0)]
    if not any(footprint.intersects(part) for part in turned):
        west, south, east, north = footprint.bounds
        raise OrderRefusedError(
            name,
            f"{name} lies outside {title}, which covers longitudes {west:.2f} to {east:.2f}, "
            f"latitudes {south:.2f} to {north:.2f}",
        )


def shorter_side(area: BaseGeometry) -> float:
    """Return the shorter side of the box around an area on a map, 0 of nothing."""
    west, south, east, north = area.bounds
    return 0.0 if area.is_empty else min(east - west, north - south)


def on_map(region: str, epsg: int, bounds: tuple[float, float, float, float]) -> BaseGeometry:
    """Return what of an area lies about a tile, in metres of its UTM zone.

    Parameters
    ----------
    region
        WKT, longitude and latitude.
    epsg, bounds
        The zone; west, south, east, north of the tile.
    """
    west, south, east, north = bounds
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform([west, west, east, east], [south, north] * 2)
    longitude = [nearest_turn(value, longitude[0]) for value in longitude]
    around = shapely.box(min(longitude), min(latitude), max(longitude), max(latitude)).buffer(0.1)
    area = shapely.from_wkt(region)
    parts = [
        shapely.affinity.translate(area, turn).intersection(around) for turn in (-360.0, 0.0, 360.0)
    ]
    near = shapely.segmentize(shapely.union_all(parts), _LONGEST_SIDE_DEG)
    to_map = Transformer.from_crs(4326, epsg, always_xy=True)
    return shapely.transform(near, lambda places: np.column_stack(to_map.transform(*places.T)))
