"""Masks of a granule as rasters: polygons (GML) before baseline 04.00, JPEG 2000 from there on."""

import re
from enum import IntFlag

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry import Polygon

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2.images import Jp2Image
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import parse_xml
from peps_wps.xml_parsing import Element

Mask = NDArray[np.uint8]

_FOOTPRINT = re.compile(r"detector_footprint-B[01][0-9A]-(?P<detector>[01][0-9])-[0-9]+")
_POLYGONS_LIMIT = 200_000  # vertices of one mask; cloudy ones of real tiles have 60,000


class Cloud(IntFlag):
    """What hides the ground."""

    OPAQUE = 1
    CIRRUS = 2
    SHADOW = 4
    SNOW = 8


# Of the scene classification of level 2A (Sen2Cor ATBD, S2-PDGS-MPC-ATBD-L2A, table 2-5).
_OF_CLASS = {3: Cloud.SHADOW, 8: Cloud.OPAQUE, 9: Cloud.OPAQUE, 10: Cloud.CIRRUS, 11: Cloud.SNOW}
_OF_BAND = {1: Cloud.OPAQUE, 2: Cloud.CIRRUS, 3: Cloud.SNOW}
_OF_TYPE = {"OPAQUE": Cloud.OPAQUE, "CIRRUS": Cloud.CIRRUS}


def clouds_of_classes(classes: Mask) -> Mask:
    """Return `Cloud` bits of a scene classification (SCL), of the same shape."""
    table = np.zeros(256, np.uint8)
    for number, cloud in _OF_CLASS.items():
        table[number] = cloud
    return table[classes]


def read_clouds(safe: Safe, name: str, shape: tuple[int, int], transform: Affine) -> Mask:
    """Return `Cloud` bits of a level 1C mask.

    Parameters
    ----------
    safe, name
        The product and its mask: ``MSK_CLOUDS`` as GML, ``MSK_CLASSI`` as JPEG 2000 of three bands.
    shape, transform
        Grid of the result; that of 60 m for JPEG 2000.

    Raises
    ------
    SafeError
        When the mask is damaged.
    """
    out = np.zeros(shape, np.uint8)
    if name.endswith(".jp2"):
        image = Jp2Image(safe, name, shape)
        for band, cloud in _OF_BAND.items():
            if band <= image.count:
                out |= np.where(image.read_all(band=band) > 0, np.uint8(cloud), np.uint8(0))
        return out
    for kind, polygons in _polygons(safe, name, "maskType").items():
        if kind in _OF_TYPE:
            out |= _burnt(
                [(polygon, int(_OF_TYPE[kind])) for polygon in polygons], shape, transform
            )
    return out


def read_detectors(safe: Safe, name: str, shape: tuple[int, int], transform: Affine) -> Mask:
    """Return the number of the detector that saw each pixel, 0 outside all.

    Parameters
    ----------
    safe, name
        The product and its mask ``MSK_DETFOO`` of a band. Numbers are taken from the pixels or the
        identifiers of polygons: their order means nothing.
    shape, transform
        Grid of the band.

    Raises
    ------
    SafeError
        When the mask is damaged.
    """
    if name.endswith(".jp2"):
        return np.asarray(Jp2Image(safe, name, shape).read_all(), np.uint8)
    shapes = []
    for identifier, polygons in _polygons(safe, name, None).items():
        match = _FOOTPRINT.fullmatch(identifier)
        if match is None:
            raise SafeError(f"{printable(name)} of {safe.title} has a footprint without detector")
        shapes += [(polygon, int(match["detector"])) for polygon in polygons]
    return _burnt(shapes, shape, transform)


def _burnt(shapes: list[tuple[Polygon, int]], shape: tuple[int, int], transform: Affine) -> Mask:
    """Write values into the pixels whose centres polygons hold."""
    if not shapes:
        return np.zeros(shape, np.uint8)
    burnt = rasterize(shapes, out_shape=shape, transform=transform, fill=0, dtype=np.uint8)
    return np.asarray(burnt, np.uint8)


def _polygons(safe: Safe, name: str, key: str | None) -> dict[str, list[Polygon]]:
    """Return the polygons of a GML mask by the text of an element, or by identifier."""
    label = f"{printable(name)} of {safe.title}"
    root = parse_xml(safe.read(name), label)
    found: dict[str, list[Polygon]] = {}
    vertices = 0
    for feature in root.iterfind(".//{*}MaskFeature"):
        if key is None:
            group = feature.get("{http://www.opengis.net/gml/3.2}id", "")
        else:
            group = (feature.findtext(f"{{*}}{key}") or "").strip()
        for element in feature.iterfind(".//{*}Polygon"):
            polygon = _polygon(element, label)
            vertices += int(shapely.get_num_coordinates(polygon))
            if vertices > _POLYGONS_LIMIT:
                raise SafeError(f"{label} has more than {_POLYGONS_LIMIT} vertices")
            found.setdefault(group, []).append(polygon)
    return found


def _polygon(element: Element, label: str) -> Polygon:
    exterior = element.find("{*}exterior")
    if exterior is None:
        raise SafeError(f"{label} has a polygon without outline")
    holes = [_ring(interior, label) for interior in element.iterfind("{*}interior")]
    return Polygon(_ring(exterior, label), holes)


def _ring(parent: Element, label: str) -> NDArray[np.float64]:
    """Return easting and northing of a ring, shape (vertex, 2); heights are left out."""
    places = parent.find(".//{*}posList")
    dimension = 2 if places is None else int(places.get("srsDimension", "2") == "3") + 2
    try:
        numbers = np.array(("" if places is None else places.text or "").split(), np.float64)
    except ValueError as error:
        raise SafeError(f"{label} has a polygon that is no list of numbers") from error
    if numbers.size % dimension or numbers.size < 3 * dimension or not np.isfinite(numbers).all():
        raise SafeError(f"{label} has a polygon of {numbers.size} numbers")
    return numbers.reshape(-1, dimension)[:, :2]
