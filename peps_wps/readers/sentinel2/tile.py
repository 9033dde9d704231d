"""Where a tile lies and from where it was seen: the metadata of a granule."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from peps_wps.errors import SafeError
from peps_wps.readers.sentinel2.bands import BANDS, RESOLUTIONS
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import find, find_integer, find_number, find_text, find_time
from peps_wps.xml_parsing import Element

Float64 = NDArray[np.float64]
_MOST_PIXELS = 20_000  # along a side; a tile has 10,980


@dataclass(frozen=True, slots=True)
class AngleGrid:
    """Directions at nodes of a grid over a tile, degrees, shape (row, column).

    Node (0, 0) is the tile's upper left corner, the next ones `step_m` metres on; NaN where a
    detector did not look.
    """

    zenith: Float64
    azimuth: Float64
    step_m: float


@dataclass(frozen=True, slots=True)
class TileGeometry:
    """A tile's place and viewing geometry.

    Parameters
    ----------
    epsg
        Code of its UTM zone.
    sensing_time
        When its middle was seen, UTC.
    shapes, transforms
        Rows and columns, and the geotransform, of each resolution in metres.
    sun
        Angles of the sun.
    views
        Angles of the instrument by band and detector number.
    """

    epsg: int
    sensing_time: datetime
    shapes: dict[int, tuple[int, int]]
    transforms: dict[int, Affine]
    sun: AngleGrid
    views: dict[tuple[str, int], AngleGrid]


def read_tile(root: Element, name: str) -> TileGeometry:
    """Return the geometry that a granule's metadata state.

    Raises
    ------
    SafeError
        When something is missing or malformed.
    """
    shapes, transforms = _grids(root, name)
    return TileGeometry(
        epsg=_epsg(find_text(root, ".//{*}HORIZONTAL_CS_CODE", name), name),
        sensing_time=find_time(root, ".//{*}SENSING_TIME", name),
        shapes=shapes,
        transforms=transforms,
        sun=_angles(find(root, ".//{*}Sun_Angles_Grid", name), name),
        views=_views(root, name),
    )


def _epsg(text: str, name: str) -> int:
    code = text.upper().removeprefix("EPSG:")
    if not (code.isdigit() and (32601 <= int(code) <= 32660 or 32701 <= int(code) <= 32760)):
        raise SafeError(f"{name} has {printable(text)}, a UTM zone as EPSG:32631 expected")
    return int(code)


def _grids(root: Element, name: str) -> tuple[dict[int, tuple[int, int]], dict[int, Affine]]:
    shapes, transforms = {}, {}
    for size in root.iterfind(".//{*}Tile_Geocoding/{*}Size"):
        shape = find_integer(size, "{*}NROWS", name), find_integer(size, "{*}NCOLS", name)
        if not all(0 < side <= _MOST_PIXELS for side in shape):
            raise SafeError(f"{name} has {shape[0]} rows of {shape[1]} pixels")
        shapes[_resolution(size, name)] = shape
    for place in root.iterfind(".//{*}Tile_Geocoding/{*}Geoposition"):
        resolution = _resolution(place, name)
        left, top = find_number(place, "{*}ULX", name), find_number(place, "{*}ULY", name)
        transforms[resolution] = Affine(resolution, 0.0, left, 0.0, -resolution, top)
    if set(shapes) != set(RESOLUTIONS) or set(transforms) != set(RESOLUTIONS):
        raise SafeError(f"{name} does not place its images of 10, 20 and 60 m")
    return shapes, transforms


def _resolution(element: Element, name: str) -> int:
    text = element.get("resolution", "")
    if text not in map(str, RESOLUTIONS):
        raise SafeError(f"{name} has resolution {printable(text)}, 10, 20 or 60 expected")
    return int(text)


def _angles(parent: Element, name: str) -> AngleGrid:
    zenith = _values(find(parent, "{*}Zenith", name), name)
    azimuth = _values(find(parent, "{*}Azimuth", name), name)
    step_m = find_number(parent, "{*}Zenith/{*}COL_STEP", name)
    if zenith.shape != azimuth.shape or not step_m > 0:
        raise SafeError(f"{name} has angles of different grids")
    return AngleGrid(zenith, azimuth, step_m)


def _values(parent: Element, name: str) -> Float64:
    rows = [(row.text or "").split() for row in parent.iterfind(".//{*}VALUES")]
    try:
        values = np.array(rows, np.float64)
    except ValueError as error:
        raise SafeError(f"{name} has a malformed grid of angles") from error
    if values.ndim != 2 or values.size == 0 or np.isinf(values).any():
        raise SafeError(f"{name} has a malformed grid of angles")
    return values


def _views(root: Element, name: str) -> dict[tuple[str, int], AngleGrid]:
    views = {}
    for element in root.iterfind(".//{*}Viewing_Incidence_Angles_Grids"):
        detector = element.get("detectorId", "")
        if not (detector.isdigit() and 1 <= int(detector) <= 12):
            raise SafeError(f"{name} has detector {printable(detector)}, 1 to 12 expected")
        views[_band_of(element, name), int(detector)] = _angles(element, name)
    return views


def _band_of(element: Element, name: str) -> str:
    text = element.get("bandId", "")
    names = list(BANDS)
    if not (text.isdigit() and int(text) < len(names)):
        raise SafeError(f"{name} has band {printable(text)}, 0 to 12 expected")
    return names[int(text)]
