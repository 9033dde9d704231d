"""The ground: backscatter of fields, forests, rivers, lakes and towns, and discs of known gamma0.

Everything is a function of the place in the local plane of the terrain, so that two frames, or a
pass from the other side, see the same country. Only the discs are truth; the rest is scenery.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.ellipsoid import metres_per_radian
from simulator.terrain import Terrain

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

CELL = 700.0  # m, of the disc index: two discs never share a cell
# gamma0 (linear) of parcels by kind of crop, co- and cross-polarised.
CROPS = np.array(
    [
        (0.046, 0.0080), (0.055, 0.0090), (0.062, 0.0130), (0.070, 0.0120),
        (0.078, 0.0170), (0.088, 0.0160), (0.100, 0.0220), (0.120, 0.0260),
    ],
    dtype=np.float64,
)  # fmt: skip
FOREST = (0.150, 0.0420)
WATER = (0.0040, 0.0008)
STREET = (0.110, 0.0180)
HOUSES = (1.100, 0.1100)


@dataclass(frozen=True)
class Discs:
    """Discs of uniform backscatter.

    Parameters
    ----------
    longitude, latitude
        Centres, radians, shape (n,).
    radius
        Metres, shape (n,).
    gamma0
        Linear power, co- and cross-polarised, shape (n, 2).
    """

    longitude: Float64
    latitude: Float64
    radius: Float64
    gamma0: Float64

    def index(self, terrain: Terrain) -> "DiscIndex":
        """Discs in the local plane of a terrain, ready for the kernel."""
        east, north = terrain.plane(self.longitude, self.latitude)
        scale = np.array([metres_per_radian(value) for value in self.latitude]).reshape(-1, 2)
        # A disc is round on the ground, not in the plane of a distant origin.
        reference = np.array(metres_per_radian(terrain.latitude))
        table = np.column_stack((east, north, self.radius, scale / reference, self.gamma0))
        if not table.size:
            return DiscIndex(np.zeros(2), np.full((1, 1), -1, np.int32), np.zeros((1, 7)))
        reach = self.radius[:, None] / (scale / reference)
        low = np.floor((table[:, :2] - reach) / CELL).astype(int)
        high = np.floor((table[:, :2] + reach) / CELL).astype(int)
        corner = low.min(axis=0)
        cells = np.full(high.max(axis=0) - corner + 1, -1, np.int32)
        for number, (first, last) in enumerate(zip(low - corner, high - corner, strict=True)):
            part = cells[first[0] : last[0] + 1, first[1] : last[1] + 1]
            if (part >= 0).any():
                raise ValueError(f"disc {number} is closer than {CELL:g} m to another")
            part[:] = number
        return DiscIndex(corner * CELL, cells, table)


@dataclass(frozen=True)
class DiscIndex:
    """Discs by cell of the local plane.

    `cells` (east, north) holds the disc of each cell or -1; `table` (n, 7) holds east, north,
    radius, the two scales from plane to ground, and gamma0 of each polarisation kind.
    """

    corner: Float64
    cells: NDArray[np.int32]
    table: Float64


@njit(cache=True, inline="always")
def random_bits(a: int, b: int, seed: int) -> np.uint64:
    """64 random bits that belong to a pair of integers (the mixer of SplitMix64)."""
    bits = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)
    bits += np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
    bits += np.uint64(seed) * np.uint64(0xD6E8FEB86659FD93)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@njit(cache=True, inline="always")
def _share(bits: np.uint64, place: int) -> float:
    """Ten of the random bits as a number from 0 to 1."""
    return float((bits >> np.uint64(place)) & np.uint64(1023)) / 1023.0


@njit(cache=True)
def _depth_in_blob(east: float, north: float, pitch: float, largest: float, seed: int) -> float:
    """How far a place lies inside the random blob of its square cell, metres; negative outside."""
    column, row = math.floor(east / pitch), math.floor(north / pitch)
    bits = random_bits(column, row, seed)
    radius = largest * (0.2 + 0.8 * _share(bits, 0) ** 2)
    slack = pitch - 2.6 * radius
    x = east - (column * pitch + 1.3 * radius + slack * _share(bits, 10))
    y = north - (row * pitch + 1.3 * radius + slack * _share(bits, 20))
    distance = math.sqrt(x * x + y * y)
    if distance < 1.3 * radius:
        turn = math.atan2(y, x)
        shape = 0.14 * math.sin(2 * turn + 6.3 * _share(bits, 30))
        shape += 0.09 * math.sin(3 * turn + 6.3 * _share(bits, 40))
        shape += 0.06 * math.sin(7 * turn + 6.3 * _share(bits, 50))
        distance += shape * radius
    return radius - distance


@njit(cache=True, inline="always")
def _remainder(value: float, step: float) -> float:
    """Remainder from 0 to `step`; several times faster than the operator."""
    return value - step * math.floor(value / step)


@njit(cache=True, inline="always")
def _wave(angle: float) -> float:
    """Parabolas in place of a sine: the shape of scenery need not be exact, only quick."""
    turn = angle * (0.5 / math.pi)
    turn -= math.floor(turn + 0.5)
    return turn * (8.0 - 16.0 * abs(turn))


@njit(cache=True)
def _to_river(east: float, north: float) -> float:
    """Distance north or south to the bank of the next of the rivers that wind east, metres."""
    bend = 2600.0 * _wave(east / 9000.0) + 450.0 * _wave(east / 1700.0 + 0.6)
    middle = abs(_remainder(north - bend, 26_000.0) - 13_000.0)
    return middle - 70.0 - 40.0 * _wave(east / 3100.0)


@njit(cache=True)
def _to_brook(east: float, north: float) -> float:
    """Distance east or west to the bank of the next of the brooks that wind north, metres."""
    bend = 1500.0 * _wave(north / 4700.0) + 240.0 * _wave(north / 830.0)
    return abs(_remainder(east - bend, 17_000.0) - 8_500.0) - 22.0


@njit(cache=True)
def _depth_in_lake(east: float, north: float, seed: int) -> float:
    """How far a place lies inside a lake, metres; negative outside."""
    return _depth_in_blob(east, north, 9_500.0, 900.0, seed + 1)


@njit(cache=True)
def _depth_in_town(east: float, north: float, seed: int) -> float:
    """How far a place lies inside a town or village, metres; negative outside."""
    town = _depth_in_blob(east, north, 21_000.0, 3_800.0, seed + 2)
    village = _depth_in_blob(east + 2_000.0, north, 6_000.0, 520.0, seed + 4)
    return max(town, village)


@njit(cache=True)
def _wood(east: float, north: float) -> float:
    """Lie of the forests: they stand where it exceeds 1.15."""
    wood = _wave(east / 1900.0 + 1.7 * _wave(north / 2900.0))
    wood += _wave(north / 1500.0 + 1.3 * _wave(east / 2300.0))
    wood += 0.30 * _wave(east / 310.0 + north / 520.0) + 0.25 * _wave(north / 270.0)
    return wood


@njit(cache=True)
def parcels(east: float, north: float, seed: int) -> tuple[float, float]:
    """Backscatter (co, cross) of fields."""
    shifted_east = east + 130.0 * _wave(north / 640.0)
    shifted_north = north + 0.35 * shifted_east + 90.0 * _wave(east / 810.0)
    column = math.floor(shifted_east / 420.0)
    row = math.floor(shifted_north / 310.0 + 0.37 * column)
    parcel = random_bits(column, row, seed + 3)
    if parcel & np.uint64(3 << 20):  # three in four are cut in two or four
        column = math.floor(shifted_east / 210.0)
        if parcel & np.uint64(1 << 20):
            row = math.floor(shifted_north / 155.0 + 0.37 * column)
        parcel = random_bits(column, row, seed + 5)
    kind = parcel & np.uint64(7)
    return CROPS[kind, 0], CROPS[kind, 1]


@njit(cache=True)
def scenery(east: float, north: float, seed: int) -> tuple[float, float]:
    """Backscatter (co, cross) of the open country at a place of the local plane."""
    if _to_river(east, north) < 0 or _to_brook(east, north) < 0:
        return WATER
    if _depth_in_lake(east, north, seed) > 0:
        return WATER
    built = _depth_in_town(east, north, seed)
    if built > 0:
        block = random_bits(math.floor(east / 70.0), math.floor(north / 60.0), seed)
        if _share(block, 0) < min(0.15 + built / 2500.0, 0.6):
            bright = 0.25 + 1.6 * _share(block, 10) ** 3
            return bright * HOUSES[0], bright * HOUSES[1]
        return STREET
    if _wood(east, north) > 1.15:
        return FOREST
    return parcels(east, north, seed)


@njit(cache=True)
def only_fields(east: float, north: float, margin: float, seed: int) -> bool:
    """Whether nothing but fields lies within a distance (metres) of a place.

    Cautious, from how fast each distance can change: then pixels need not look for the rest.
    """
    if _to_river(east, north) < 2 * margin or _to_brook(east, north) < 2 * margin:
        return False
    if _wood(east, north) > 1.15 - 0.008 * margin:
        return False
    # Blobs end short of the borders of their cells; look across none.
    for shift, pitch in ((0.0, 9_500.0), (0.0, 21_000.0), (2_000.0, 6_000.0)):
        along = _remainder(east + shift + margin, pitch)
        across = _remainder(north + margin, pitch)
        if along < 2 * margin or across < 2 * margin:
            return False
    depth = max(_depth_in_lake(east, north, seed), _depth_in_town(east, north, seed))
    return depth < -3 * margin


@njit(cache=True)
def has_disc(  # type: ignore[no-untyped-def]
    east, north, margin, corner, cells
) -> bool:
    """Whether a disc may lie within a distance of a place; shorter than a cell of the index."""
    for across in (east - margin, east + margin):
        for along in (north - margin, north + margin):
            column = math.floor((across - corner[0]) / CELL)
            row = math.floor((along - corner[1]) / CELL)
            if (
                0 <= column < cells.shape[0]
                and 0 <= row < cells.shape[1]
                and cells[column, row] >= 0
            ):
                return True
    return False


@njit(cache=True)
def disc_at(  # type: ignore[no-untyped-def]
    east, north, corner, cells, table
) -> int:
    """Return the number of the disc that holds a place of the local plane, or -1."""
    column = math.floor((east - corner[0]) / CELL)
    row = math.floor((north - corner[1]) / CELL)
    if column < 0 or row < 0 or column >= cells.shape[0] or row >= cells.shape[1]:
        return -1
    number = cells[column, row]
    if number >= 0:
        x = (east - table[number, 0]) * table[number, 3]
        y = (north - table[number, 1]) * table[number, 4]
        if x * x + y * y > table[number, 2] ** 2:
            return -1
    return int(number)
