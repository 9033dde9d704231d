"""From the maps of all pairs to the displacement of each date, block by block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from algorithms.block import Block
from algorithms.interferometry.coherence import phase_noise
from algorithms.time_series import DisplacementSeries, Radar, Settings, TemporalModel, invert
from algorithms.time_series.inversion import inverter
from peps_wps.chains.time_series_s1.air import PairAir
from peps_wps.chains.time_series_s1.corrections import Correction
from peps_wps.chains.time_series_s1.order import MODELS, Order

Float32 = NDArray[np.float32]

# Rows solved at once: 80 pairs of 1024 columns are 40 MB.
_STRIP = 64
# Coherences above and below are not believed, so that no pair decides alone.
_COHERENCES = (0.05, 0.98)


def settings_of(order: Order) -> Settings:
    """Return how pairs are inverted."""
    model = TemporalModel(
        acceleration=order.model == MODELS[2], seasonal=order.seasonal, steps=order.steps
    )
    return Settings(model=model, iterations=order.iterations)


def term_count(
    dates: Sequence[datetime], pairs: Sequence[tuple[int, int]], settings: Settings
) -> int:
    """Return how many terms the model has, but for the error of heights.

    Raises
    ------
    ValueError
        When the dates cannot tell them.
    """
    return len(inverter(dates, np.array(pairs), settings=settings).terms.names)


@dataclass(frozen=True)
class MappedPair:
    """The maps of a pair.

    Parameters
    ----------
    phase, coherence
        Files: unwrapped phase, radians, and coherence; NaN where there is none.
    dates
        Indexes of the first and the second.
    offset
        Phase at the reference, radians.
    perpendicular_baseline
        Metres.
    """

    phase: Path
    coherence: Path
    dates: tuple[int, int]
    offset: float
    perpendicular_baseline: float


@dataclass(frozen=True)
class Geometry:
    """How the radar sees the map.

    Parameters
    ----------
    wavelength
        Metres.
    looks
        Independent looks of a cell.
    incidence, slant_range, elevation
        Files: degrees, metres, metres.
    """

    wavelength: float
    looks: float
    incidence: Path
    slant_range: Path
    elevation: Path

    def heights_and_angles(self, block: Block) -> tuple[Float32, Float32]:
        """Return heights (m) and incidence angles (rad) of a block."""
        return _read(self.elevation, block), np.radians(_read(self.incidence, block))


@dataclass(frozen=True)
class StackSolver:
    """Inverts blocks of the maps of a stack.

    Parameters
    ----------
    dates
        Those that pairs connect.
    pairs
        Their maps, told against the reference.
    geometry
        Of the map.
    correction
        What is taken off the pairs for the air and the orbits.
    order
        How they are inverted.
    air
        The delay in the troposphere that is taken off besides, if any.
    """

    dates: tuple[datetime, ...]
    pairs: tuple[MappedPair, ...]
    geometry: Geometry
    correction: Correction
    order: Order
    air: PairAir | None = None

    def solve(self, block: Block) -> DisplacementSeries:
        """Invert a block; what agrees too little has no displacement and no velocity."""
        parts = [self._strip(strip) for strip in _strips(block)]
        joined = {
            name: _joined([getattr(part, name) for part in parts])
            for name in DisplacementSeries.__dataclass_fields__
        }
        return _masked(DisplacementSeries(**joined), self.order.min_temporal_coherence)

    def _strip(self, strip: Block) -> DisplacementSeries:
        """Invert a few rows."""
        phases = np.stack([_read(pair.phase, strip) - pair.offset for pair in self.pairs])
        elevation, incidence = self.geometry.heights_and_angles(strip)
        phases -= self.correction.of(strip, elevation)
        if self.air is not None:
            phases -= self.air.of(strip, elevation, incidence)
        coherence = np.stack([_read(pair.coherence, strip) for pair in self.pairs])
        noise = phase_noise(np.clip(coherence, *_COHERENCES), self.geometry.looks)
        # Interferometry counts baselines the other way: higher ground has a larger phase.
        across = [-pair.perpendicular_baseline for pair in self.pairs]
        return invert(
            phases.astype(np.float32),
            np.array([pair.dates for pair in self.pairs]),
            self.dates,
            perpendicular_baselines=across if self.order.dem_error else None,
            weights=1.0 / noise**2,
            radar=Radar(
                self.geometry.wavelength,
                _read(self.geometry.slant_range, strip),
                incidence,
            ),
            settings=settings_of(self.order),
        )


def _strips(block: Block) -> Iterator[Block]:
    for row in range(block.row, block.row + block.rows, _STRIP):
        rows = min(_STRIP, block.row + block.rows - row)
        yield Block(row, block.column, rows, block.columns)


def _read(path: Path, block: Block) -> Float32:
    window = Window(block.column, block.row, block.columns, block.rows)
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1, window=window), np.float32)


def _joined(parts: Sequence[Any]) -> Any:
    """Put strips together: arrays, or arrays by name."""
    if isinstance(parts[0], dict):
        return {name: _joined([part[name] for part in parts]) for name in parts[0]}
    return np.concatenate(parts, axis=-2)


def _masked(series: DisplacementSeries, least: float) -> DisplacementSeries:
    """Take out what agrees too little; its temporal coherence and residual stay."""
    is_poor = ~(series.temporal_coherence >= least)
    for name in ("displacement", "velocity", "velocity_sigma", "dem_error"):
        getattr(series, name)[..., is_poor] = np.nan
    for values in (*series.terms.values(), *series.term_sigmas.values()):
        values[is_poor] = np.nan
    return series
