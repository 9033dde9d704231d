"""What the satellites see again and again: slices of Sentinel-1, clipped tiles of Sentinel-2.

A template is one footprint, at one moment of the repeat cycle. Products are its occurrences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from algorithms import mgrs
from benchmarks.catalogue.land import is_europe, is_land
from benchmarks.catalogue.orbits import SENTINEL_1, SENTINEL_2, Float64, continuous

# Mode -> seconds of a slice, and its swath: angles from the track at the centre of the Earth, for
# incidences of 29 to 46, 19 to 47 and 23 degrees at 693 km.
_S1_MODES = {"IW": (25.0, 3.05, 5.5), "EW": (60.0, 1.95, 5.7), "WV": (75.0, 2.3, 2.5)}
_S2_HALF_SWATH_DEG = 1.303
# Where Sentinel-2 looks: latitudes of its land plan.
_S2_LATITUDES = (-56.0, 83.0)
_LEAST_COVERAGE = 0.02


@dataclass(frozen=True)
class Templates:
    """Templates of one mission, in the order of `offset_s`.

    Parameters
    ----------
    offset_s
        Moment in the repeat cycle, seconds, shape (template,).
    duration_s
        Length of a product.
    revolution
        Relative orbit, from 0.
    is_ascending
        Direction of flight.
    mode
        ``IW``, ``EW``, ``WV`` or ``MSI``.
    tile
        Tile of the grid, empty where there is none.
    is_europe
        In the region of which every pass is acquired.
    shapes
        Footprints with continuous longitudes, shape (template,).
    """

    offset_s: Float64
    duration_s: Float64
    revolution: NDArray[np.int64]
    is_ascending: NDArray[np.bool_]
    mode: NDArray[np.str_]
    tile: NDArray[np.str_]
    is_europe: NDArray[np.bool_]
    shapes: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.shapes)

    def taken(self, order: NDArray[np.int64]) -> "Templates":
        """Return some of them, in this order."""
        return Templates(*(getattr(self, name)[order] for name in self.__dataclass_fields__))


@cache
def sentinel_1() -> Templates:
    """Return the slices: IW over land, EW over polar seas, WV over the others."""
    parts = [_slices(mode) for mode in _S1_MODES]
    joined = Templates(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in Templates.__dataclass_fields__
        )
    )
    return joined.taken(np.argsort(joined.offset_s, kind="stable"))


def _slices(mode: str) -> Templates:
    length, near, far = _S1_MODES[mode]
    orbit = SENTINEL_1
    number = int(orbit.period_s // length)
    step = 2 * np.pi * length / orbit.period_s
    revolution, index = (grid.ravel() for grid in np.mgrid[0 : orbit.revolutions, 0:number])
    start = index * step
    corners = [
        orbit.swath_point(revolution, start + ahead, across)
        for ahead, across in ((0.0, near), (0.0, far), (step, far), (step, near), (0.0, near))
    ]
    rings = np.round(continuous(np.stack(corners, axis=1)), 6)
    middle = rings[:, :4].mean(axis=1)
    land = is_land(rings[:, :4, 0], rings[:, :4, 1]).any(axis=1) | is_land(*middle.T)
    polar = np.abs(middle[:, 1]) > 62
    wanted = {"IW": land, "EW": ~land & polar, "WV": ~land & ~polar & (index % 2 == 0)}[mode]
    wanted &= np.abs(rings[..., 1]).max(axis=1) < 87.5
    wanted &= rings[..., 0].max(axis=1) - rings[..., 0].min(axis=1) < 170  # not about a pole
    chosen = np.flatnonzero(wanted)
    return Templates(
        offset_s=(revolution + start / (2 * np.pi))[chosen] * orbit.period_s,
        duration_s=np.full(len(chosen), length),
        revolution=revolution[chosen],
        is_ascending=np.cos(start[chosen] + step / 2) > 0,
        mode=np.full(len(chosen), mode),
        tile=np.full(len(chosen), "", "U5"),
        is_europe=is_europe(*middle[chosen].T),
        shapes=shapely.polygons(rings[chosen]),
    )


@cache
def sentinel_2() -> Templates:
    """Return the tiles on land, clipped by the swath of each descending orbit that meets them."""
    names, tiles = _land_tiles()
    pieces, arguments, revolutions = _swath_pieces()
    tree = shapely.STRtree(tiles)
    turns = (-1, 0, 1)
    copies = [
        shapely.transform(pieces, lambda xy, turn=turn: xy + np.array([360.0 * turn, 0.0]))
        for turn in turns
    ]
    met = np.concatenate(
        [
            np.column_stack([found[0], found[1], np.full(found.shape[1], turn)])
            for turn, copy in zip(turns, copies, strict=True)
            for found in [tree.query(copy, predicate="intersects")]
        ]
    )
    piece, tile, turn = met.T
    # A tile meets up to three pieces of the same pass: the one in the middle stands for the pass.
    key = (revolutions[piece] * len(tiles) + tile) * 3 + turn + 1
    order = np.lexsort((arguments[piece], key))
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    count = np.diff(np.append(first, len(order)))
    chosen = order[first + count // 2]
    piece, tile, turn = piece[chosen], tile[chosen], turn[chosen]
    strips = _moved(_strips(revolutions[piece], arguments[piece]), tiles[tile])
    shapes = shapely.intersection(tiles[tile], strips)
    kept = np.flatnonzero(
        (shapely.get_type_id(shapes) == 3)
        & (shapely.area(shapes) > _LEAST_COVERAGE * shapely.area(tiles[tile]))
    )
    centre = shapely.get_coordinates(shapely.centroid(shapes[kept]))
    made = Templates(
        offset_s=(revolutions[piece] + arguments[piece] / (2 * np.pi))[kept] * SENTINEL_2.period_s,
        duration_s=np.full(len(kept), 15.0),
        revolution=revolutions[piece][kept],
        is_ascending=np.zeros(len(kept), bool),
        mode=np.full(len(kept), "MSI"),
        tile=names[tile[kept]],
        is_europe=is_europe(*centre.T),
        shapes=shapes[kept],
    )
    return made.taken(np.argsort(made.offset_s, kind="stable"))


def _swath_pieces() -> tuple[NDArray[np.object_], Float64, NDArray[np.int64]]:
    """Return the swath of all descending orbits in pieces of 2 degrees, their middle and orbit."""
    step = np.radians(2.0)
    revolution, index = (grid.ravel() for grid in np.mgrid[0 : SENTINEL_2.revolutions, 0:90])
    middle = np.pi / 2 + (index + 0.5) * step
    rings = _swath_rings(revolution, middle, np.array([-0.5, 0.5]) * step)
    wide = rings[..., 0].max(axis=1) - rings[..., 0].min(axis=1)
    kept = np.flatnonzero(wide < 120)
    rings = rings[kept]
    rings[..., 0] -= 360 * np.round(rings[..., 0].mean(axis=1) / 360)[:, None]
    return shapely.polygons(rings), middle[kept], revolution[kept]


def _strips(revolution: NDArray[np.int64], middle: Float64) -> NDArray[np.object_]:
    """Return the swath three degrees before and after a moment."""
    steps = np.radians(np.linspace(-3, 3, 7))
    rings = _swath_rings(revolution, middle, steps)
    valid = rings[..., 0].max(axis=1) - rings[..., 0].min(axis=1) < 150
    shapes = np.full(len(rings), shapely.Polygon(), object)
    shapes[valid] = shapely.polygons(rings[valid])
    shapes[~shapely.is_valid(shapes)] = shapely.Polygon()
    return shapes


def _swath_rings(revolution: NDArray[np.int64], middle: Float64, steps: Float64) -> Float64:
    edges = [
        SENTINEL_2.swath_point(revolution, middle + step, across)
        for across, along in ((-_S2_HALF_SWATH_DEG, steps), (_S2_HALF_SWATH_DEG, steps[::-1]))
        for step in along
    ]
    return continuous(np.stack([*edges, edges[0]], axis=1))


def _moved(shapes: NDArray[np.object_], targets: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes moved by whole turns to where their targets lie."""
    here, there = shapely.bounds(shapes), shapely.bounds(targets)
    turns = np.round(((there[:, 0] + there[:, 2]) - (here[:, 0] + here[:, 2])) / 720)
    coordinates, index = shapely.get_coordinates(shapes, return_index=True)
    coordinates[:, 0] += 360 * np.nan_to_num(turns)[index]
    return shapely.set_coordinates(shapes.copy(), coordinates)


def _land_tiles() -> tuple[NDArray[np.str_], NDArray[np.object_]]:
    """Return names and outlines, continuous, of the tiles on land that Sentinel-2 looks at."""
    names: list[str] = []
    shapes: list[Sequence[BaseGeometry]] = []
    for zone in range(1, 61):
        for is_south in (False, True):
            found = [(name, *_corners(name)) for name in _names(zone, south=is_south)]
            if not found:
                continue
            epsg = (32700 if is_south else 32600) + zone
            to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
            corners = np.array([[one[1], one[2]] for one in found])
            longitude, latitude = to_degrees.transform(corners[:, 0], corners[:, 1])
            rings = np.round(np.stack([longitude, latitude], axis=-1), 6)
            central = 6 * zone - 183
            rings[..., 0] -= 360 * np.round((rings[..., 0] - central) / 360)
            land = is_land(rings[..., 0], rings[..., 1]).any(axis=1)
            low, high = _S2_LATITUDES
            chosen = land & (rings[..., 1].min(axis=1) > low) & (rings[..., 1].max(axis=1) < high)
            names += [found[place][0] for place in np.flatnonzero(chosen)]
            shapes.append(shapely.polygons(rings[chosen]))
    return np.array(names), np.concatenate(shapes)


def _names(zone: int, *, south: bool) -> list[str]:
    """Return the names of the tiles of half a zone, by the rules of `algorithms.mgrs`."""
    letters = mgrs.COLUMN_SETS[zone % 3]
    return [
        f"{zone:02d}{band}{letters[column - 1]}{mgrs._row_letter(zone, row)}"
        for row, (band, columns) in mgrs._squares(zone, south=south).items()
        for column in columns
    ]


def _corners(name: str) -> tuple[list[float], list[float]]:
    """Return eastings and northings of the corners of a tile, the first one twice."""
    west, south, east, north = mgrs.tile(name).bounds
    return [west, east, east, west, west], [south, south, north, north, south]
