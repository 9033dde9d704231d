"""From the pairs of a series to the displacement of each date and its velocity."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.time_series import Inverter, Series, Settings, inverter
from algorithms.time_series.network import days_of
from peps_wps.chains.contract import FinishedTask, Json
from peps_wps.chains.correlation_s2.field import GroundMotion
from peps_wps.chains.correlation_s2.order import Order
from peps_wps.chains.correlation_s2.pair import Pair
from peps_wps.chains.optical import results
from peps_wps.chains.optical.grid import SceneGrid
from peps_wps.errors import ChainError
from peps_wps.writers.stac_optical import Observation

Float32 = NDArray[np.float32]

MOTION = "motion.npy"
# Residuals beyond so many pixels lower the weight of a pair.
_SCALE = 0.1
# Predicted errors below so many pixels are not believed.
_LEAST_SIGMA = 0.02
_STRIP = 64  # rows solved at once


@dataclass(frozen=True)
class PairField:
    """One pair of a series, its field on disk.

    Parameters
    ----------
    path
        Array of shape (3, row, column): displacement to the east and to the north and the
        predicted error of a component, metres; NaN where there is no answer.
    titles, starts
        Of the earlier and the later product.
    answered_percent
        Share of the nodes with an answer.
    observation
        What items say of both.
    """

    path: Path
    titles: tuple[str, str]
    starts: tuple[datetime, datetime]
    answered_percent: float
    observation: Observation


@dataclass(frozen=True)
class SolvedBlock:
    """What a block of nodes did; metres and years.

    Parameters
    ----------
    displacement
        Of each date since the reference, to the east and to the north: (date, 2, row, column).
    velocity, sigma
        Of both components and their standard errors, shape (2, row, column).
    residual
        Root mean square of what pairs differ from their dates, both components together.
    parts
        Parts of the network that only a constant velocity ties, 0 where there is no answer.
    """

    displacement: Float32
    velocity: Float32
    sigma: Float32
    residual: Float32
    parts: NDArray[np.uint8]


@dataclass(frozen=True)
class SeriesOfPairs:
    """The pairs that gave a field, and what they are inverted by.

    Parameters
    ----------
    pairs
        Those with a field.
    failures
        Why the others have none, by the names of their tasks.
    dates
        Times of all products, ascending.
    reference
        Index of the date that displacement is told against.
    grid
        Of the nodes.
    solver
        Inverts blocks.
    """

    pairs: tuple[PairField, ...]
    failures: dict[str, str]
    dates: tuple[datetime, ...]
    reference: int
    grid: SceneGrid
    solver: Inverter

    @classmethod
    def of(cls, finished: Sequence[FinishedTask], order: Order) -> "SeriesOfPairs":
        """Return the series of finished tasks.

        Raises
        ------
        ChainError
            When pairs failed so that a date is in none.
        """
        bodies = [done.result.body for done in finished]
        failures = {
            done.task.name: str(body["failed"])
            for done, body in zip(finished, bodies, strict=True)
            if "failed" in body
        }
        kept = [done for done in finished if "failed" not in done.result.body]
        pairs = tuple(_pair_field(done) for done in kept)
        dates = sorted({_time(one) for done in finished for one in done.task.body["starts"]})
        seen = {one for pair in pairs for one in pair.starts}
        for date in dates:
            if date not in seen:
                raise ChainError(
                    f"no pair of {date:%Y-%m-%d} gave a field: {next(iter(failures.values()))}"
                )
        scale = _SCALE * order.resolution
        return cls(
            pairs,
            failures,
            tuple(dates),
            dates.index(_time(finished[0].task.body["reference"])),
            _common_grid([done.result.body["grid"] for done in kept]),
            inverter(dates, [pair.starts for pair in pairs], settings=Settings(scale=scale)),
        )

    @property
    def observation(self) -> Observation:
        """What items say of all products: of the first pair, until the last date."""
        first = min(self.pairs, key=lambda pair: pair.starts)
        last = max(self.pairs, key=lambda pair: pair.starts[1])
        return replace(first.observation, stop=last.observation.stop)

    @property
    def days(self) -> NDArray[np.float64]:
        """Of each date since the reference."""
        days = days_of(self.dates)
        return np.asarray(days - days[self.reference])

    def solve(self, block: Block, resolution: int) -> SolvedBlock:
        """Invert the nodes of a block.

        Parameters
        ----------
        resolution
            Metres a pixel of the images.
        """
        least = np.float32(_LEAST_SIGMA * resolution)
        parts = [self._strip(strip, least) for strip in _strips(block)]
        joined = (np.concatenate(one, axis=-2) for one in zip(*parts, strict=True))
        return SolvedBlock(*joined)

    def _strip(self, strip: Block, least: np.float32) -> tuple[NDArray[Any], ...]:
        """Invert a few rows."""
        rows = slice(strip.row, strip.row + strip.rows)
        columns = slice(strip.column, strip.column + strip.columns)
        fields = np.stack(
            [np.load(pair.path, mmap_mode="r")[:, rows, columns] for pair in self.pairs], axis=1
        )
        weights = 1.0 / np.maximum(fields[2], least) ** 2
        both = [self.solver.solve(one, weights) for one in fields[:2]]
        values = np.stack([self._told(one) for one in both], axis=1)
        velocity, sigma = (
            np.stack([getattr(one, name)[0] for one in both]) for name in ("terms", "sigmas")
        )
        residual = np.hypot(both[0].residual, both[1].residual)
        return values, velocity, sigma, residual, both[0].parts.astype(np.uint8)

    def _told(self, series: Series) -> Float32:
        return np.asarray(series.values - series.values[self.reference], np.float32)


def _strips(block: Block) -> Iterator[Block]:
    for row in range(block.row, block.row + block.rows, _STRIP):
        rows = min(_STRIP, block.row + block.rows - row)
        yield Block(row, block.column, rows, block.columns)


def keep_field(folder: Path, pair: Pair, motion: GroundMotion) -> Json:
    """Write the field of a pair of a series; return what `SeriesOfPairs.of` needs of it."""
    sigma = np.where(motion.flags == 0, motion.sigma, np.float32(np.nan))
    np.save(folder / MOTION, np.stack([motion.east, motion.north, sigma]))
    grid = motion.grid
    seen = results.observation_of(pair.reference)
    return {
        "observation": {
            **asdict(seen),
            "start": seen.start.isoformat(),
            "stop": pair.secondary.product.stop.isoformat(),
            "footprint": seen.footprint.wkt,
        },
        "answered_percent": round(100.0 * float(np.mean(motion.flags == 0)), 3),
        "corrections": motion.removed,
        "grid": {
            "epsg": grid.epsg,
            "resolution": grid.resolution,
            "row": grid.row,
            "column": grid.column,
            "shape": list(grid.shape),
            "tile_transform": list(grid.tile_transform)[:6],
        },
    }


def _common_grid(grids: Sequence[Json]) -> SceneGrid:
    first = grids[0]
    if any(grid != first for grid in grids):
        raise ChainError("the pairs of the series do not have the same nodes")
    return SceneGrid(
        first["epsg"],
        first["resolution"],
        first["row"],
        first["column"],
        (first["shape"][0], first["shape"][1]),
        Affine(*first["tile_transform"]),
    )


def _pair_field(done: FinishedTask) -> PairField:
    body = done.task.body
    first, second = (_time(one) for one in body["starts"])
    return PairField(
        done.folder / MOTION,
        (body["titles"][0], body["titles"][1]),
        (first, second),
        float(done.result.body["answered_percent"]),
        _observation(done.result.body["observation"]),
    )


def _observation(seen: Json) -> Observation:
    times = {name: _time(seen[name]) for name in ("start", "stop")}
    return Observation(**{**seen, **times, "footprint": shapely.from_wkt(seen["footprint"])})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
