"""Displacement of each date out of pairs of dates, by weighted least squares with a model."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algorithms.time_series.closure import corrected_cycles
from algorithms.time_series.kernels import Solved, System, solve_pixels
from algorithms.time_series.model import TemporalModel, Terms, baselines_of_dates, terms_of
from algorithms.time_series.network import Network, days_of, network

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_CYCLE = 2.0 * np.pi
# Pixels solved together: some 20 MB of 80 pairs.
_BLOCK = 16_384


@dataclass(frozen=True)
class Settings:
    """How pairs are inverted.

    Parameters
    ----------
    model
        Terms beside velocity, offset and, where baselines are given, the error of heights.
    gamma
        Weight of the model against that of a pair, of which it is the square root: so small that
        a connected network does not notice.
    iterations
        How often pairs whose residual is beyond `scale` are weighted again; phases are then
        moved by the whole cycles that are left of it, and weighted as before. 0 trusts all.
    scale
        In the unit of the observations: a pair with this residual weighs 0.7 of what it did.
    """

    model: TemporalModel = field(default_factory=TemporalModel)
    gamma: float = 1e-3
    iterations: int = 3
    scale: float = 0.006


@dataclass(frozen=True)
class Series:
    """What pairs tell of the dates, in the unit of the observations; NaN is no answer.

    Parameters
    ----------
    values
        Value of each date less that of the first, error of the heights included, shape (date,
        row, column). Dates that no pair of a pixel has are the model's.
    terms, sigmas
        Of the model and their standard errors, shape (term, row, column): the first is the
        velocity, a year; in the order of `names`.
    coherence
        Temporal coherence of phases, 0 to 1; NaN of other observations; shape (row, column).
    residual
        Root mean square of what pairs differ from their dates, shape (row, column).
    parts
        Parts of the network that only the model ties: 1 is a connected one, 0 no answer.
    names
        Of the terms.
    """

    values: Float32
    terms: Float32
    sigmas: Float32
    coherence: Float32
    residual: Float32
    parts: NDArray[np.uint16]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Inverter:
    """Inverts block after block of one network.

    Parameters
    ----------
    net
        Dates and pairs.
    terms
        The model at the dates.
    settings
        How pairs are inverted.
    is_phase
        Observations are unwrapped phases, radians: triangles are closed, coherence is wanted.
    """

    net: Network
    terms: Terms
    settings: Settings
    is_phase: bool = False

    def solve(
        self, observed: ArrayLike, weights: ArrayLike | None = None, *, threads: int = 1
    ) -> Series:
        """Invert the pairs of every pixel of a block.

        Parameters
        ----------
        observed
            Second date less first, shape (pair, row, column); NaN is missing.
        weights
            Inverse variances up to a factor, shape (pair,) or that of `observed`; not above zero
            or NaN is missing; None: all alike.
        threads
            That solve parts of the block.

        Raises
        ------
        ValueError
            When shapes do not fit.
        """
        given = np.asarray(observed)
        if given.ndim != 3 or len(given) != len(self.net.pairs):
            raise ValueError(
                f"observations have shape {given.shape}, expected ({len(self.net.pairs)}, row, "
                "column)"
            )
        loads = _checked_weights(weights, given.shape)
        series = self._empty(given.shape[1:])
        flat = given.reshape(len(given), -1)
        parts = list(_slices(flat.shape[1]))

        def work(part: slice) -> None:
            own = loads if loads.ndim == 1 else loads.reshape(len(loads), -1)[:, part]
            self._solve_part(flat[:, part], own, part, series)

        if threads == 1 or len(parts) == 1:
            for part in parts:
                work(part)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, parts))
        return series

    def _empty(self, shape: tuple[int, ...]) -> Series:
        terms = len(self.terms.names)
        return Series(
            values=np.empty((self.net.dates, *shape), np.float32),
            terms=np.empty((terms, *shape), np.float32),
            sigmas=np.empty((terms, *shape), np.float32),
            coherence=np.empty(shape, np.float32),
            residual=np.empty(shape, np.float32),
            parts=np.empty(shape, np.uint16),
            names=self.terms.names,
        )

    def _solve_part(
        self, observed: NDArray[Any], weights: Float32, part: slice, series: Series
    ) -> None:
        """Solve some pixels, shape (pair, pixel), into the whole."""
        forwards = observed * self.net.signs[:, None].astype(np.float32)
        pixels = np.ascontiguousarray(forwards.T, np.float32)
        own = np.ascontiguousarray(np.atleast_2d(weights.T), np.float32)
        pattern = _patterns(pixels) if len(own) == 1 else np.arange(len(pixels))
        if self.is_phase and self.settings.iterations:
            cycles = corrected_cycles(pixels, self.net.triplets())
            pixels += np.float32(_CYCLE) * cycles
        system, columns = self._system()
        solved = _solved(len(pixels), len(self.net.pairs), *self.terms.matrix.shape)
        solve_pixels(pixels, own, np.argsort(pattern, kind="stable"), pattern, system, solved)
        found: dict[str, NDArray[Any]] = {
            "values": solved.values,
            "terms": solved.terms / columns,
            "sigmas": solved.sigmas / columns,
            "coherence": _coherence(solved.residuals, is_phase=self.is_phase),
            "residual": _rms(solved.residuals),
            "parts": solved.parts,
        }
        for name, values in found.items():
            whole = getattr(series, name)
            whole.reshape(*whole.shape[:-2], -1)[..., part] = values.T

    def _system(self) -> tuple[System, Float64]:
        """Return what pixels share, and by what the terms are divided in it."""
        matrix = self.terms.matrix
        columns = np.abs(matrix).max(axis=0)
        starts = np.ones(self.net.dates + matrix.shape[1], np.int32)
        starts[: self.net.dates] = np.arange(self.net.dates)
        inner = self.net.pairs[self.net.pairs[:, 0] > 0]
        np.minimum.at(starts, inner[:, 1], inner[:, 0])
        settings = self.settings
        system = System(
            pairs=self.net.pairs,
            terms=matrix / columns,
            starts=starts,
            gamma=settings.gamma**2,
            iterations=settings.iterations,
            scale=settings.scale,
            cycle=_CYCLE if self.is_phase else 0.0,
        )
        return system, columns


def _slices(pixels: int) -> Iterator[slice]:
    for begin in range(0, pixels, _BLOCK):
        yield slice(begin, min(begin + _BLOCK, pixels))


def _checked_weights(weights: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[Any]:
    if weights is None:
        return np.ones(shape[0], np.float32)
    values = np.asarray(weights)
    if values.shape not in ((shape[0],), shape):
        raise ValueError(f"weights have shape {values.shape}, expected ({shape[0]},) or {shape}")
    return values


def _patterns(pixels: Float32) -> Int64:
    """Return a number for each pixel that those share which miss the same pairs."""
    bits = np.packbits(np.isnan(pixels), axis=1)
    words = np.zeros((len(bits), -(-bits.shape[1] // 8) * 8), np.uint8)
    words[:, : bits.shape[1]] = bits
    keys = words.view(np.uint64)
    order = np.lexsort(keys.T)
    is_other = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    pattern = np.empty(len(keys), np.int64)
    pattern[order] = np.concatenate([[0], np.cumsum(is_other)])
    return pattern


def _coherence(residuals: Float32, *, is_phase: bool) -> Float32:
    """Return the temporal coherence of pixels, NaN where pairs are no phases."""
    if not is_phase:
        return np.full(len(residuals), np.nan, np.float32)
    known = np.isfinite(residuals)
    cosines, sines = (
        np.where(known, wave(residuals), np.float32(0.0)).sum(axis=1) for wave in (np.cos, np.sin)
    )
    return _by_count(np.hypot(cosines, sines), known)


def _rms(residuals: Float32) -> Float32:
    known = np.isfinite(residuals)
    squares = np.where(known, residuals * residuals, np.float32(0.0)).sum(axis=1)
    return np.sqrt(_by_count(squares, known))


def _by_count(sums: Float32, known: NDArray[np.bool_]) -> Float32:
    """Divide sums over pairs by how many there are, NaN where there are none."""
    count = np.count_nonzero(known, axis=1)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan).astype(np.float32)


def _solved(pixels: int, pairs: int, dates: int, terms: int) -> Solved:
    return Solved(
        values=np.empty((pixels, dates), np.float32),
        terms=np.empty((pixels, terms), np.float32),
        sigmas=np.empty((pixels, terms), np.float32),
        residuals=np.empty((pixels, pairs), np.float32),
        parts=np.empty(pixels, np.int32),
    )


def inverter(
    dates: Sequence[Any],
    pairs: ArrayLike | Sequence[Any],
    *,
    perpendicular_baselines: ArrayLike | None = None,
    settings: Settings | None = None,
    is_phase: bool = False,
) -> Inverter:
    """Return what inverts blocks of a network; parameters are those of `network` and `invert`.

    Raises
    ------
    ValueError
        When dates, pairs, baselines or the model do not fit each other.
    """
    settings = settings or Settings()
    net = network(dates, pairs)
    baselines = None
    if perpendicular_baselines is not None:
        baselines = baselines_of_dates(net, perpendicular_baselines)
    terms = terms_of(settings.model, net, float(days_of(dates)[0]), baselines)
    return Inverter(net, terms, settings, is_phase)
