"""What the product metadata of a Sentinel-2 SAFE say of the product as a whole.

Levels 1C and 2A, compact (one tile) and as it was before December 2016 (many granules). Source:
Sentinel-2 Products Specification Document S2-PDGS-TAS-DI-PSD, user product metadata; naming of the
old products in its issue 13, of the compact ones from issue 14 on.
"""

import re
from dataclasses import dataclass
from datetime import datetime

import shapely
from shapely.geometry import MultiPolygon, Polygon

from peps_wps.errors import SafeError
from peps_wps.readers.footprint import nearest_turn, outline
from peps_wps.readers.safe import Safe
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import find, find_integer, find_text, find_time, parse_xml
from peps_wps.xml_parsing import Element

PLATFORMS = ("S2A", "S2B", "S2C", "S2D")
_LEVELS = {"Level-1C": "LEVEL1C", "Level-2A": "LEVEL2A", "Level-2Ap": "LEVEL2A"}
_METADATA = re.compile(r"MTD_MSIL(1C|2A)\.xml|S2[A-D]_[A-Z]{4}_MTD_SAFL(1C|2A)_[^/]*\.xml")
_GRANULE = re.compile(r"_A(?P<orbit>[0-9]{6})_T(?P<tile>[0-9]{2}[A-Z]{3})_")
# Granules of old products trace the footprint by thousands of vertices.
_MOST_VERTICES = 100
_TOLERANCE_DEGREES = 5e-4


@dataclass(frozen=True)
class Sentinel2Metadata:
    """A Sentinel-2 product as a whole.

    Parameters
    ----------
    title
        Name without ``.SAFE``.
    platform
        "S2A" to "S2D".
    level, product_type, datatake_type
        "LEVEL1C", "S2MSI1C", "INS-NOBS".
    baseline
        Processing baseline: "05.10".
    datatake
        Identifier of the whole acquisition: "GS2A_20240120T105341_044807_N05.10".
    start, stop
        Sensing, UTC.
    tiles
        MGRS tiles without T, sorted; one of a compact product.
    cloud_cover, snow_cover
        Percent; None where the product does not say.
    footprint
        Longitude and latitude in degrees, past 180 where it crosses the antimeridian.
    """

    title: str
    platform: str
    level: str
    product_type: str
    datatake_type: str
    baseline: str
    datatake: str
    start: datetime
    stop: datetime
    orbit_number: int | None
    relative_orbit: int
    orbit_direction: str
    tiles: tuple[str, ...]
    cloud_cover: float | None
    snow_cover: float | None
    footprint: Polygon | MultiPolygon


def metadata_name(safe: Safe) -> str | None:
    """Return the name of the user product metadata, None where it is no Sentinel-2 product."""
    names = [name for name in safe.names(suffix=".xml") if _METADATA.fullmatch(name)]
    return names[0] if names else None


def read_sentinel2(safe: Safe) -> Sentinel2Metadata:
    """Return what the metadata of a product say.

    Raises
    ------
    SafeError
        When it is no Sentinel-2 product, or not a sound one.
    """
    file = metadata_name(safe)
    if file is None:
        raise SafeError(f"{safe.title} has no metadata of a Sentinel-2 product")
    name = f"{file} of {safe.title}"
    root = parse_xml(safe.read(file), name)
    datatake = find(root, ".//{*}Datatake", name).get("datatakeIdentifier", "")
    orbit_number, tiles = _granules(root, datatake)
    if not tiles:  # level 2A of some baselines lists no granule; its folder is named after it
        _, tiles = _tiles_of(safe.names("GRANULE/"))
    return Sentinel2Metadata(
        title=safe.title,
        platform=_platform(root, name),
        level=_one_of(find_text(root, ".//{*}PROCESSING_LEVEL", name), _LEVELS, "level", name),
        product_type=_word(find_text(root, ".//{*}PRODUCT_TYPE", name), "type", name),
        datatake_type=_word(find_text(root, ".//{*}DATATAKE_TYPE", name), "datatake type", name),
        baseline=find_text(root, ".//{*}PROCESSING_BASELINE", name).removeprefix("N"),
        datatake=printable(datatake),
        start=_time_of(root, ("PRODUCT_START_TIME", "DATATAKE_SENSING_START"), name),
        stop=_time_of(root, ("PRODUCT_STOP_TIME", "DATATAKE_SENSING_START"), name),
        orbit_number=orbit_number,
        relative_orbit=find_integer(root, ".//{*}SENSING_ORBIT_NUMBER", name),
        orbit_direction=_one_of(
            find_text(root, ".//{*}SENSING_ORBIT_DIRECTION", name),
            {"ASCENDING": "ascending", "DESCENDING": "descending"},
            "orbit direction",
            name,
        ),
        tiles=tiles,
        cloud_cover=_percent(root, "Cloud_Coverage_Assessment", name),
        snow_cover=_percent(root, "SNOW_ICE_PERCENTAGE", name),
        footprint=_footprint(root, name),
    )


def _platform(root: Element, name: str) -> str:
    spacecraft = find_text(root, ".//{*}SPACECRAFT_NAME", name)
    platform = re.sub(r"(?i)sentinel-", "S", spacecraft).upper()
    if platform not in PLATFORMS:
        raise SafeError(f"{name} is of spacecraft {printable(spacecraft)}, Sentinel-2 expected")
    return platform


def _one_of(value: str, known: dict[str, str], what: str, name: str) -> str:
    if value not in known:
        raise SafeError(f"{name} has {what} {printable(value)}, {' or '.join(known)} expected")
    return known[value]


def _word(value: str, what: str, name: str) -> str:
    """Return a short word; anything else is not of a product."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", value):
        raise SafeError(f"{name} has a {what} {printable(value)}, a word expected")
    return value


def _time_of(root: Element, tags: tuple[str, ...], name: str) -> datetime:
    """Return the instant of the first of some elements that is there."""
    for tag in tags:
        if root.find(f".//{{*}}{tag}") is not None:
            return find_time(root, f".//{{*}}{tag}", name)
    raise SafeError(f"{name} has no {tags[0]}")


def _granules(root: Element, datatake: str) -> tuple[int | None, tuple[str, ...]]:
    """Return absolute orbit and tiles by the granules' names: ``..._A008785_T32TNM_N02.04``."""
    names = [
        element.get("granuleIdentifier", "")
        for path in (".//{*}Granule", ".//{*}Granules")
        for element in root.iterfind(path)
    ]
    orbit, tiles = _tiles_of(names)
    in_datatake = re.fullmatch(r"GS2[A-D]_[0-9T]{15}_([0-9]{6})_N[0-9.]+", datatake)
    return (int(in_datatake[1]) if in_datatake else orbit), tiles


def _tiles_of(names: list[str]) -> tuple[int | None, tuple[str, ...]]:
    """Return the orbit number and the tiles that granules are named after."""
    orbit, tiles = None, set()
    for name in names:
        compact = re.search(r"L(?:1C|2A)_T([0-9]{2}[A-Z]{3})_A([0-9]{6})_", name)
        if compact:
            orbit = int(compact[2])
            tiles.add(compact[1])
        elif match := _GRANULE.search(name):
            orbit = int(match["orbit"])
            tiles.add(match["tile"])
    return orbit, tuple(sorted(tiles))


def _percent(root: Element, tag: str, name: str) -> float | None:
    element = root.find(f".//{{*}}{tag}")
    if element is None or not (element.text or "").strip():
        return None
    try:
        value = float(element.text or "")
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise SafeError(f"{name} has {tag} {printable(element.text or '')}, 0 to 100 expected")
    return value


def _footprint(root: Element, name: str) -> Polygon | MultiPolygon:
    """Return the footprint, simplified to about 50 m where it has very many vertices."""
    rings = [
        _ring(element.text or "", name)
        for element in root.iterfind(".//{*}Global_Footprint/{*}EXT_POS_LIST")
    ]
    if not rings:
        raise SafeError(f"{name} has no footprint")
    first = rings[0][0][0]
    parts = [outline([(nearest_turn(ring[0][0], first), ring[0][1]), *ring[1:]]) for ring in rings]
    footprint = shapely.union_all([shapely.make_valid(part) for part in parts])
    footprint = _polygons(footprint, name)
    if shapely.get_num_coordinates(footprint) > _MOST_VERTICES:
        footprint = _polygons(footprint.simplify(_TOLERANCE_DEGREES), name)
    return footprint


def _polygons(geometry: shapely.Geometry, name: str) -> Polygon | MultiPolygon:
    """Return the polygons of a geometry, without what repairing left of lines and points."""
    parts = [
        part for part in shapely.get_parts(geometry) if isinstance(part, Polygon) and part.area > 0
    ]
    if not parts:
        raise SafeError(f"{name} has a footprint that is no polygon")
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _ring(text: str, name: str) -> list[tuple[float, float]]:
    """Return (longitude, latitude) of a text "latitude longitude latitude longitude ..."."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError as error:
        raise SafeError(f"{name} has a malformed footprint") from error
    ring = list(zip(numbers[1::2], numbers[::2], strict=False))
    if (
        len(numbers) % 2
        or len(ring) < 3
        or any(not (abs(x) <= 180 and abs(y) <= 90) for x, y in ring)
    ):
        raise SafeError(f"{name} has a footprint outside the Earth")
    return ring
