"""Digital numbers of an image: the ground seen through calibration, thermal noise and speckle.

DN**2 = (gamma0 * A_gamma**2 + eta) * speckle, plus the response of point targets. Speckle is a
hash of line and sample: any strip of any frame can be made alone, on any thread.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import stats

from simulator.annotation import Radiometry, Table
from simulator.ellipsoid import cartesian
from simulator.geometry import RadarFrame
from simulator.landscape import (
    Discs,
    disc_at,
    has_disc,
    only_fields,
    parcels,
    random_bits,
    scenery,
)
from simulator.terrain import Terrain

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

STRIP = 64  # lines made at a time
NODE_STEP = 8  # pixels between exact places; relief bends by less than 0.3 m in between
TARGET_REACH = 6  # pixels around a target that its response touches
TARGET_WIDTH = 1.0  # standard deviation of the response in power, pixels: 22 m at half power
SPREAD = 2 * TARGET_WIDTH**2
SPECKLE_SIZE = 1 << 14


@dataclass(frozen=True)
class Targets:
    """Point targets: line, sample (n,) and peak gamma0 of each polarisation kind (n, 2)."""

    line: Float64
    sample: Float64
    gamma0: Float64


@dataclass(frozen=True)
class Scene:
    """What there is to see, and the options of seeing it.

    Parameters
    ----------
    terrain, discs, targets
        The ground and what stands on it.
    looks
        Equivalent number of looks of the speckle; 0 for none.
    seed
        Of scenery and speckle.
    first_line
        Line of the pass at which the frame starts.
    valid
        First and last valid sample of each line, shape (lines, 2).
    clean_border
        Whether invalid pixels are 0, or low noise as old processors left there.
    beta0
        When given, the image of relief of uniform gamma0 = 1 by ray casting, shape (lines,
        samples): it takes the place of scenery and discs, times `uniform_gamma0`.
    uniform_gamma0
        Co- and cross-polarised, linear power.
    speckle_seed
        Of speckle alone, for another look at the same scenery; `seed` where None.
    """

    terrain: Terrain
    discs: Discs
    targets: Targets
    looks: float
    seed: int
    first_line: int
    valid: NDArray[np.int32]
    clean_border: bool = True
    beta0: Float32 | None = None
    uniform_gamma0: tuple[float, float] = (0.12, 0.025)
    speckle_seed: int | None = None

    @property
    def seed_of_speckle(self) -> int:
        """The seed of the speckle, whether it is one of its own or not."""
        return self.seed if self.speckle_seed is None else self.speckle_seed


def strips(
    frame: RadarFrame,
    scene: Scene,
    radiometry: dict[str, Radiometry],
    *,
    threads: int = 2,
) -> Iterator[NDArray[np.uint16]]:
    """Make the image strip after strip.

    Parameters
    ----------
    frame
        Geometry of the true image.
    scene
        The ground.
    radiometry
        Calibration and noise of each polarisation, in the order wanted.
    threads
        Strips in the making at once.

    Yields
    ------
    Digital numbers, shape (polarization, up to 64 lines, samples), from the first line down.
    """
    maker = _StripMaker(frame, scene, radiometry)
    starts = iter(range(0, frame.lines, STRIP))
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(maker.make, start) for start in islice(starts, threads + 2)]
        while waiting:
            yield waiting.pop(0).result()
            waiting.extend(pool.submit(maker.make, start) for start in islice(starts, 1))


class _StripMaker:
    """Holds what every strip of an image needs."""

    def __init__(self, frame: RadarFrame, scene: Scene, radiometry: dict[str, Radiometry]) -> None:
        self.frame = frame
        self.scene = scene
        index = scene.discs.index(scene.terrain)
        self.discs = (index.corner, index.cells, index.table)
        self.kinds = [int(name in {"VH", "HV"}) for name in radiometry]
        tables = radiometry.values()
        self.gamma = [_Lut(item.calibration["gamma"], frame.samples) for item in tables]
        self.beta = [_Lut(item.calibration["betaNought"], frame.samples) for item in tables]
        self.noise = [_Lut(item.noise, frame.samples) for item in tables]
        self.blocks = [item.noise_blocks for item in tables]
        steps = np.arange(0, frame.samples + NODE_STEP, NODE_STEP)
        self.node_sample = steps.astype(np.float64)
        self.speckle = _speckle_table(scene.looks)

    def make(self, start: int) -> NDArray[np.uint16]:
        """Strip of every polarisation from a line on."""
        count = min(STRIP, self.frame.lines - start)
        line = np.arange(start, start + count)
        beta0 = self.scene.beta0
        signal = self._signal(line) if beta0 is None else self._ray_cast_signal(beta0, line)
        strip = np.empty((len(self.kinds), count, self.frame.samples), np.uint16)
        for number in range(len(self.kinds)):
            power = signal[number] + self._noise_rows(number, line)
            whole = self.scene.first_line + start
            seed = self.scene.seed_of_speckle + 7919 * (number + 1)
            _apply_speckle(power, self.speckle, whole, seed)
            self._add_targets(power, number, line)
            valid = self.scene.valid[start : start + count]
            _quantise(power, valid, self.scene.clean_border, seed, strip[number])
        return strip

    def _ray_cast_signal(self, beta0: Float32, line: NDArray[np.intp]) -> list[Float32]:
        """Signal power of each polarisation over uniform ground seen by rays."""
        rows = beta0[line]
        return [
            self.scene.uniform_gamma0[kind] * rows * self.beta[number].rows(line) ** 2
            for number, kind in enumerate(self.kinds)
        ]

    def _signal(self, line: NDArray[np.intp]) -> list[Float32]:
        """Signal power of each polarisation over scenery and discs."""
        start, count = int(line[0]), line.size
        node_line = np.arange(start, start + count + NODE_STEP, NODE_STEP, dtype=np.float64)
        ground = self.frame.ground(node_line, self.node_sample, self.scene.terrain)
        east, north = self.scene.terrain.plane(ground[..., 0], ground[..., 1])
        backscatter = np.empty((2, count, self.frame.samples), np.float32)
        nodes = np.stack((east, north, _area_factor(ground, self.frame.range_spacing)))
        _fill_backscatter(nodes, self.discs, self.scene.seed, backscatter)
        return [
            backscatter[kind] * self.gamma[number].rows(line) ** 2
            for number, kind in enumerate(self.kinds)
        ]

    def _noise_rows(self, number: int, line: NDArray[np.intp]) -> Float32:
        """Thermal noise power at every pixel of some lines."""
        rows = self.noise[number].rows(line)
        for block in self.blocks[number]:
            inside = (line >= block.first_line) & (line <= block.last_line)
            along = np.interp(line[inside], block.line, block.value).astype(np.float32)
            rows[inside, block.first_sample : block.last_sample + 1] *= along[:, None]
        return rows

    def _add_targets(self, power: Float32, number: int, line: NDArray[np.intp]) -> None:
        """Add the response of the targets near a strip to its power, in place."""
        targets, kind = self.scene.targets, self.kinds[number]
        near = (targets.line > line[0] - TARGET_REACH - 1) & (
            targets.line < line[-1] + TARGET_REACH + 1
        )
        for at in np.flatnonzero(near):
            rows = _around(targets.line[at] - line[0], line.size)
            columns = _around(targets.sample[at], power.shape[1])
            if rows.size and columns.size:
                part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
                away = (rows[:, None] + line[0] - targets.line[at]) ** 2
                response = np.exp(-(away + (columns - targets.sample[at]) ** 2) / SPREAD)
                gain = self.gamma[number].rows(line[part[0]])[:, part[1]] ** 2
                power[part] += targets.gamma0[at, kind] * response * gain


def _around(place: float, size: int) -> NDArray[np.intp]:
    """Whole numbers from 0 to `size` - 1 within reach of a target's place."""
    middle = round(place)
    return np.arange(max(middle - TARGET_REACH, 0), min(middle + TARGET_REACH + 1, size))


class _Lut:
    """A look-up table at every sample, bilinear between its lines, held beyond them."""

    def __init__(self, table: Table, samples: int) -> None:
        self.line = table.line
        self.vectors = table.vectors(samples)

    def rows(self, line: NDArray[np.intp]) -> Float32:
        """Values at some lines, shape (lines, samples)."""
        place = np.interp(line, self.line, np.arange(self.line.size, dtype=np.float64))
        first = np.minimum(place.astype(np.intp), self.line.size - 1)
        second = np.minimum(first + 1, self.line.size - 1)
        weight = (place - first).astype(np.float32)[:, None]
        low, high = self.vectors[first], self.vectors[second]
        return np.asarray((1 - weight) * low + weight * high)


def valid_samples(
    lines: int, samples: int, *, ragged_start: bool, ragged_stop: bool
) -> NDArray[np.int32]:
    """First and last valid sample of each line, ragged as merged swaths leave them.

    A line with none has its first after its last. The ends are ragged at the start and stop of a
    data take only; frames cut from the middle of one are whole.
    """
    line = np.arange(lines)
    margin = min(60, samples // 50)
    first = margin + 8 * (line // 190 * 7 % 5)
    last = samples - 1 - (margin + 10 * (line // 230 * 3 % 4))
    if ragged_start:
        first[:16] = samples // 3
        first[:8] = samples
    if ragged_stop:
        last[-16:] = 2 * samples // 3
        last[-8:] = -1
    return np.column_stack((first, last)).astype(np.int32)


def _speckle_table(looks: float) -> Float32:
    """Quantiles of gamma-distributed speckle of mean 1, shape (16384,)."""
    if looks == 0:
        return np.ones(SPECKLE_SIZE, np.float32)
    share = (np.arange(SPECKLE_SIZE) + 0.5) / SPECKLE_SIZE
    table = stats.gamma.ppf(share, looks)
    return np.asarray(table / table.mean(), np.float32)


def _area_factor(ground: Float64, spacing: float) -> Float64:
    """Ground that a pixel sees over flat ground: slopes that face the antenna are bright."""
    place = cartesian(ground[..., 0], ground[..., 1], ground[..., 2])
    along = np.gradient(place, axis=0)
    across = np.gradient(place, axis=1)
    area = np.linalg.norm(np.cross(along, across), axis=-1) / NODE_STEP**2
    return np.asarray(np.clip(area / spacing**2, 0.4, 2.5))


@njit(cache=True, nogil=True)
def _fill_backscatter(nodes, discs, seed, backscatter) -> None:  # type: ignore[no-untyped-def]
    """Write gamma0 (co, cross) of every pixel from places known at every eighth.

    `nodes` holds east, north and area factor, shape (3, row, column), one row and column more
    than the cells that cover the pixels.
    """
    for row in range(nodes.shape[1] - 1):
        for column in range(nodes.shape[2] - 1):
            cell = nodes[:, row : row + 2, column : column + 2]
            part = backscatter[
                :,
                NODE_STEP * row : NODE_STEP * (row + 1),
                NODE_STEP * column : NODE_STEP * (column + 1),
            ]
            _fill_cell(cell, discs, seed, part)


@njit(cache=True, inline="always")
def _along(corners: Float64, down: float) -> tuple[float, float]:
    """Value at the left of a line between four nodes, and its step to the next sample."""
    left = corners[0, 0] + down * (corners[1, 0] - corners[0, 0])
    right = corners[0, 1] + down * (corners[1, 1] - corners[0, 1])
    return left, (right - left) / NODE_STEP


@njit(cache=True, nogil=True)
def _fill_cell(cell, discs, seed, part) -> None:  # type: ignore[no-untyped-def]
    """Write gamma0 of the pixels between four nodes."""
    corner, cells, table = discs
    east, north = cell[0].mean(), cell[1].mean()
    reach = 0.55 * math.hypot(cell[0, 1, 1] - cell[0, 0, 0], cell[1, 1, 1] - cell[1, 0, 0])
    reach = max(
        reach, 0.55 * math.hypot(cell[0, 1, 0] - cell[0, 0, 1], cell[1, 1, 0] - cell[1, 0, 1])
    )
    plain = only_fields(east, north, reach, seed)
    look_for_discs = has_disc(east, north, reach, corner, cells)
    for line in range(part.shape[1]):
        down = line / NODE_STEP
        east, east_step = _along(cell[0], down)
        north, north_step = _along(cell[1], down)
        factor, factor_step = _along(cell[2], down)
        for sample in range(part.shape[2]):
            number = disc_at(east, north, corner, cells, table) if look_for_discs else -1
            if number >= 0:
                part[0, line, sample] = table[number, 5]
                part[1, line, sample] = table[number, 6]
            else:
                if plain:
                    co, cross = parcels(east, north, seed)
                else:
                    co, cross = scenery(east, north, seed)
                part[0, line, sample] = factor * co
                part[1, line, sample] = factor * cross
            east += east_step
            north += north_step
            factor += factor_step


@njit(cache=True, nogil=True)
def _apply_speckle(power, table, first_line, seed) -> None:  # type: ignore[no-untyped-def]
    """Multiply power by speckle, in place."""
    for line in range(power.shape[0]):
        for sample in range(power.shape[1]):
            bits = random_bits(first_line + line, sample, seed)
            power[line, sample] *= table[bits >> np.uint64(50)]


@njit(cache=True, nogil=True)
def _quantise(power, valid, clean_border, seed, strip) -> None:  # type: ignore[no-untyped-def]
    """Write digital numbers; a valid pixel is at least 1."""
    for line in range(power.shape[0]):
        for sample in range(power.shape[1]):
            if valid[line, 0] <= sample <= valid[line, 1]:
                number = round(np.sqrt(power[line, sample]))
                strip[line, sample] = min(max(number, 1), 65_535)
            elif clean_border:
                strip[line, sample] = 0
            else:
                strip[line, sample] = random_bits(line, sample, seed) >> np.uint64(60)
