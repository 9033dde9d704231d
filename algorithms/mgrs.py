"""The tile grid of Sentinel-2: 100 km squares of the military grid, as 109.8 km tiles.

Nothing is stored: names, zones, origins and which squares have a tile follow from the rules of the
grid, inferred from the published list of 56,686 names and exact on it.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import affinity
from shapely.geometry.base import BaseGeometry

Float64 = NDArray[np.float64]

SQUARE_M = 100_000
TILE_M = 109_800
PIXEL_M = 10
# Sentinel-2 puts tile origins on multiples of 60 m, common to its 10, 20 and 60 m pixels.
ORIGIN_STEP_M = 60
FALSE_NORTHING_M = 10_000_000
CENTRAL_EASTING_M = 500_000
BANDS = "CDEFGHJKLMNPQRSTUVWX"  # of 8 degrees from 80 S; the outer two reach the poles' grids
ROWS = "ABCDEFGHJKLMNPQRSTUV"  # of 100 km, from 0 in odd zones, five letters on in even ones
COLUMN_SETS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")  # by zone modulo 3, from 100 km easting
NAME = re.compile(r"(\d{2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")
# Rows of squares that have tiles, by the northing of their south edge in squares.
NORTHERN_ROWS = range(94)
SOUTHERN_ROWS = range(7, 100)
# West and east of the zones that are not 6 degrees wide, in degrees; None: the zone is not there.
ZONE_EDGES: dict[tuple[int, str], tuple[float, float] | None] = {
    (31, "V"): (0.0, 3.0),
    (32, "V"): (3.0, 12.0),
    (31, "X"): (0.0, 9.0),
    (32, "X"): None,
    (33, "X"): (9.0, 21.0),
    (34, "X"): None,
    (35, "X"): (21.0, 33.0),
    (36, "X"): None,
    (37, "X"): (33.0, 42.0),
}
# Northern squares (zone, row, column) beside those zones that the neighbour's tiles cover.
COVERED = {
    *((32, 62, column) for column in (1, 2)),
    *((32, row, 1) for row in (63, 64)),
    *((zone, 79, 4) for zone in (32, 34, 36)),
}
# Vertices of a footprint are put this close before it is projected, degrees.
VERTEX_SPACING_DEG = 0.05


@dataclass(frozen=True)
class Tile:
    """A Sentinel-2 tile.

    Parameters
    ----------
    name
        Zone, band, column and row, as in 31TCJ.
    epsg
        Code of its UTM projection, 326zz or 327zz.
    transform
        Column and row of 10 m pixels to easting and northing of their corner, metres.
    shape
        Rows and columns at 10 m.
    """

    name: str
    epsg: int
    transform: Affine
    shape: tuple[int, int] = (TILE_M // PIXEL_M, TILE_M // PIXEL_M)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north in metres."""
        west, north = self.transform.c, self.transform.f
        return west, north - TILE_M, west + TILE_M, north


def tile(name: str) -> Tile:
    """Return the tile of a name.

    Raises
    ------
    ValueError
        When the name is not one of a Sentinel-2 tile.
    """
    match = NAME.fullmatch(name)
    if match is None or not 1 <= int(match[1]) <= 60:
        raise ValueError(f"{name!r} is not a Sentinel-2 tile: zone, band, column, row as in 31TCJ")
    zone, south = int(match[1]), match[2] < "N"
    letters = COLUMN_SETS[zone % 3]
    column = letters.find(match[3]) + 1
    for row, (band, columns) in _squares(zone, south=south).items():
        if band == match[2] and column in columns and _row_letter(zone, row) == match[4]:
            return _tile(name, zone, column, row, south=south)
    raise ValueError(f"{name!r} is not a Sentinel-2 tile: there is no such square in its zone")


def coverage(tile: Tile, footprint: BaseGeometry) -> float:
    """Return the share of a tile that a footprint covers, 0 to 1.

    Parameters
    ----------
    tile
        Which tile.
    footprint
        Polygon or polygons, longitude and latitude in degrees; one that crosses the antimeridian
        may be split there, run past 180, or jump from one side to the other. It may hold a pole.
    """
    projected = _project(_unwrapped(footprint), tile.epsg)
    box = shapely.box(*tile.bounds)
    return float(projected.intersection(box).area / box.area)


def tiles_over(footprint: BaseGeometry) -> dict[str, float]:
    """Return the tiles that a footprint touches and the share of each that it covers.

    Parameters
    ----------
    footprint
        As in `coverage`.

    Returns
    -------
    Shares above 0 by tile name, in the order of names.
    """
    unwrapped = _unwrapped(footprint)
    west, south, east, north = unwrapped.bounds
    # A tile reaches past its zone by less than its own width.
    farthest = min(max(abs(south), abs(north)) + 1.0, 85.0)
    reach = 3.0 + math.degrees(1.5 * TILE_M / (6.3e6 * math.cos(math.radians(farthest))))
    shares: dict[str, float] = {}
    for zone in range(1, 61):
        central = _central_meridian(zone)
        turns = 360.0 * round((0.5 * (west + east) - central) / 360.0)
        if not west - reach <= central + turns <= east + reach:
            continue
        for is_south in (False, True):
            if (south < 1.0 and is_south) or (north > -1.0 and not is_south):
                shares.update(_tiles_of_zone(unwrapped, zone, south=is_south))
    return dict(sorted(shares.items()))


def _tiles_of_zone(footprint: BaseGeometry, zone: int, *, south: bool) -> dict[str, float]:
    """Return names and shares of the tiles of one zone and hemisphere."""
    projected = _project(footprint, _epsg(zone, south=south))
    if projected.is_empty:
        return {}
    west, low, east, high = projected.bounds
    shares = {}
    for row, (band, columns) in _squares(zone, south=south).items():
        if not low - TILE_M < row * SQUARE_M < high + TILE_M:
            continue
        for column in columns:
            if not west - TILE_M < column * SQUARE_M < east + TILE_M:
                continue
            letter = COLUMN_SETS[zone % 3][column - 1]
            name = f"{zone:02d}{band}{letter}{_row_letter(zone, row)}"
            box = shapely.box(*_tile(name, zone, column, row, south=south).bounds)
            share = float(projected.intersection(box).area / box.area)
            if share > 0.0:
                shares[name] = share
    return shares


def _tile(name: str, zone: int, column: int, row: int, *, south: bool) -> Tile:
    """Return the tile of the square whose south-west corner is (column, row) in squares."""
    west = column * SQUARE_M // ORIGIN_STEP_M * ORIGIN_STEP_M
    # South of the equator the steps count from it, not from the false northing.
    base = FALSE_NORTHING_M if south else 0
    top = (row + 1) * SQUARE_M - base
    north = -(-top // ORIGIN_STEP_M) * ORIGIN_STEP_M + base
    transform = Affine(PIXEL_M, 0.0, west, 0.0, -PIXEL_M, north)
    return Tile(name, _epsg(zone, south=south), transform)


@lru_cache(maxsize=120)
def _squares(zone: int, *, south: bool) -> dict[int, tuple[str, range]]:
    """Return, by row of squares, its band and the columns that have a tile.

    At the seam between two zones the square of the eastern zone has a tile only when half of it
    lies in the zone, for the western zone's tile reaches over; at the antimeridian it is the
    square of zone 60 that yields.
    """
    projection = Transformer.from_crs(4326, _epsg(zone, south=south), always_xy=True)
    rows = SOUTHERN_ROWS if south else NORTHERN_ROWS
    _, latitude = projection.transform(
        np.full(len(rows) + 1, CENTRAL_EASTING_M),
        np.arange(rows.start, rows.stop + 1) * SQUARE_M,
        direction="INVERSE",
    )
    squares = {}
    for row, low, high in zip(rows, latitude[:-1], latitude[1:], strict=True):
        west, east = _extent(projection, zone, float(low), float(high))
        if west > east:
            continue
        first = math.ceil(west - 1.0 if zone == 1 else west - 0.5)
        last = math.floor(east - 0.5 if zone == 60 else east)
        while not south and (zone, row, first) in COVERED:
            first += 1
        if first <= last:
            squares[row] = (_band(0.5 * float(low + high)), range(first, last + 1))
    return squares


def _extent(projection: Transformer, zone: int, low: float, high: float) -> tuple[float, float]:
    """Return the least and largest easting, in squares, of a zone between two latitudes."""
    west, east = math.inf, -math.inf
    for band in {_band(low), _band(high)}:
        edges = ZONE_EDGES.get((zone, band), (6.0 * zone - 186.0, 6.0 * zone - 180.0))
        if edges is None:
            continue
        # Meridians are farthest apart where the band is nearest to the equator.
        band_low = 8.0 * BANDS.index(band) - 80.0 if band != "C" else -90.0
        nearest = max(low, band_low) if low >= 0.0 else min(high, 8.0 * BANDS.index(band) - 72.0)
        easting, _ = projection.transform(np.array(edges), np.full(2, nearest))
        west, east = min(west, easting[0] / SQUARE_M), max(east, easting[1] / SQUARE_M)
    return west, east


def _band(latitude: float) -> str:
    """Return the letter of the latitude band."""
    return BANDS[min(max(int((latitude + 80.0) // 8.0), 0), len(BANDS) - 1)]


def _row_letter(zone: int, row: int) -> str:
    """Return the letter of a row of squares."""
    return ROWS[(row + 5 * (zone % 2 == 0)) % len(ROWS)]


def _epsg(zone: int, *, south: bool) -> int:
    """Return the code of a UTM projection."""
    return (32700 if south else 32600) + zone


def _central_meridian(zone: int) -> float:
    """Return the central meridian of a zone, degrees."""
    return 6.0 * zone - 183.0


def _unwrapped(footprint: BaseGeometry) -> BaseGeometry:
    """Return a footprint whose longitudes are continuous, degrees."""
    parts = []
    for polygon in shapely.get_parts(footprint):
        rings = [polygon.exterior, *polygon.interiors]
        outlines = [_continuous(np.asarray(ring.coords)[:, :2]) for ring in rings]
        parts.append(shapely.Polygon(outlines[0], outlines[1:]))
    reference = parts[0].centroid.x
    shifted = [
        affinity.translate(part, 360.0 * round((reference - part.centroid.x) / 360.0))
        for part in parts
    ]
    return shapely.union_all(shifted)


def _continuous(ring: Float64) -> Float64:
    """Return a ring (longitude, latitude) without jumps, closed over a pole that it circles.

    A step of exactly 360 degrees is an edge along a pole, where the ring is closed already.
    """
    steps = np.diff(ring[:, 0])
    turns = np.where(np.abs(steps) == 360.0, 0.0, -np.round(steps / 360.0))
    ring = ring + np.column_stack([360.0 * np.append(0.0, np.cumsum(turns)), np.zeros(len(ring))])
    (first, _), (last, latitude) = ring[0], ring[-1]
    if abs(last - first) <= 180.0:
        return ring
    pole = math.copysign(90.0, latitude)
    return np.vstack([ring, [(last, pole), (first, pole), (first, latitude)]])


def _project(footprint: BaseGeometry, epsg: int) -> BaseGeometry:
    """Project a continuous footprint to UTM, as far as 60 degrees from the central meridian."""
    central = _central_meridian(epsg % 100)
    nearest = round((central - footprint.centroid.x) / 360.0)
    zone = shapely.box(central - 60.0, -89.0, central + 60.0, 89.0)
    # One that holds a pole may reach the zone from both sides.
    near = shapely.union_all(
        [
            affinity.translate(footprint, 360.0 * turns).intersection(zone)
            for turns in (nearest - 1, nearest, nearest + 1)
        ]
    )
    projection = Transformer.from_crs(4326, epsg, always_xy=True)
    dense = shapely.segmentize(near, VERTEX_SPACING_DEG)
    return shapely.transform(
        dense, lambda points: np.column_stack(projection.transform(points[:, 0], points[:, 1]))
    )
