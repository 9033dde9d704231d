"""Dates and the pairs between them: how they are chosen, what connects them, which close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import Delaunay

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

DAYS_A_YEAR = 365.25
_SECONDS_A_DAY = 86_400.0
_LARGEST = 2_000


@dataclass(frozen=True, slots=True)
class Network:
    """Dates and the pairs between them.

    Parameters
    ----------
    years
        Time of each date since the first, years of 365.25 days, ascending; shape (date,).
    pairs
        Index of the earlier and the later date of each pair, shape (pair, 2).
    signs
        1 where a pair was given in that order, -1 where it runs back in time, shape (pair,).
    """

    years: Float64
    pairs: Int32
    signs: Float64

    @property
    def dates(self) -> int:
        """How many dates there are."""
        return self.years.size

    def triplets(self) -> Int32:
        """Return the pairs of each closed triangle, shape (triplet, 3).

        What the first two observe, less what the third does, is nothing, forwards in time.
        """
        index = {(int(i), int(j)): k for k, (i, j) in enumerate(self.pairs)}
        onward: dict[int, list[int]] = {}
        for i, j in index:
            onward.setdefault(i, []).append(j)
        found = [
            (index[i, j], index[j, k], index[i, k])
            for i, j in index
            for k in onward.get(j, [])
            if (i, k) in index
        ]
        return np.array(found, np.int32).reshape(-1, 3)

    def parts(self) -> NDArray[np.int64]:
        """Return which connected part of the network each date is in, shape (date,)."""
        part = np.arange(self.dates)
        for i, j in self.pairs:
            low, high = sorted((part[i], part[j]))
            part[part == high] = low
        return np.unique(part, return_inverse=True)[1]

    def incidence(self) -> Float64:
        """Return the matrix that turns values of dates into those of pairs as they were given."""
        matrix = np.zeros((len(self.pairs), self.dates))
        line = np.arange(len(self.pairs))
        matrix[line, self.pairs[:, 0]] = -self.signs
        matrix[line, self.pairs[:, 1]] = self.signs
        return matrix


def network(dates: Sequence[Any], pairs: ArrayLike | Sequence[Any]) -> Network:
    """Return the network of dates and pairs.

    Parameters
    ----------
    dates
        `datetime.date`, `datetime.datetime`, `numpy.datetime64`, or days as numbers; ascending.
    pairs
        Two dates, or their indexes, each; shape (pair, 2).

    Raises
    ------
    ValueError
        When dates do not ascend, or a pair is given twice, is none, or has an unknown date.
    """
    days = days_of(dates)
    if days.size < 2 or np.any(np.diff(days) <= 0.0):
        raise ValueError("dates must be two or more, ascending, none of them twice")
    if days.size > _LARGEST:
        raise ValueError(f"{days.size} dates are more than {_LARGEST}")
    index = _indexes(dates, pairs)
    if len(index) == 0:
        raise ValueError("there are no pairs")
    if index.min() < 0 or index.max() >= days.size:
        raise ValueError(f"pairs name dates {index.min()} to {index.max()} of {days.size}")
    if np.any(index[:, 0] == index[:, 1]):
        raise ValueError("a pair is of one date")
    if len(np.unique(np.sort(index, axis=1), axis=0)) < len(index):
        raise ValueError("two pairs are of the same dates")
    signs = np.sign(index[:, 1] - index[:, 0]).astype(np.float64)
    return Network((days - days[0]) / DAYS_A_YEAR, np.sort(index, axis=1), signs)


def days_of(dates: Sequence[Any]) -> Float64:
    """Return dates as days since any moment, shape (date,)."""
    values = np.asarray(dates)
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    seconds = np.array([_moment(one) for one in dates], "datetime64[us]").astype(np.int64)
    return np.asarray(seconds / 1e6 / _SECONDS_A_DAY, np.float64)


def _moment(value: Any) -> np.datetime64:
    """Return a date of any kind; times with a zone are taken to UTC."""
    offset = getattr(value, "utcoffset", lambda: None)()
    if offset is not None:
        value = (value - offset).replace(tzinfo=None)
    return np.datetime64(value)


def _indexes(dates: Sequence[Any], pairs: ArrayLike | Sequence[Any]) -> Int32:
    """Return pairs as indexes, pairs of dates by looking them up."""
    given: Any = list(pairs)  # type: ignore[arg-type]
    first = np.asarray(given[:1], object).ravel()
    if first.size and isinstance(first[0], str | date | np.datetime64):
        place = {_moment(one): k for k, one in enumerate(dates)}
        try:
            given = [[place[_moment(one)] for one in pair] for pair in given]
        except KeyError as error:
            raise ValueError(f"a pair is of {error.args[0]}, which is no date given") from error
    index = np.asarray(given)
    if index.size == 0:
        return np.empty((0, 2), np.int32)
    if index.ndim != 2 or index.shape[1] != 2 or index.dtype.kind not in "iu":
        raise ValueError(f"pairs have shape {index.shape}, expected (pair, 2) of indexes")
    return index.astype(np.int32)


def nearest_pairs(dates: int, count: int) -> Int32:
    """Return the pairs of each date with the `count` next ones, shape (pair, 2)."""
    found = [(i, i + k) for i in range(dates) for k in range(1, count + 1) if i + k < dates]
    return np.array(found, np.int32).reshape(-1, 2)


def delaunay_pairs(days: Float64, baselines: Float64) -> Int32:
    """Return the pairs that Delaunay's triangles have for sides, shape (pair, 2).

    Time and baseline are each taken in units of their whole spread. The sides connect all dates.
    Dates that lie on one line, and two alone, make pairs with the next ones.

    Parameters
    ----------
    days, baselines
        Time and perpendicular baseline (metres) of each date, ascending in time, shape (date,).

    References
    ----------
    Pepe & Lanari, IEEE TGRS 44(9), 2006, section III.
    """
    spread = np.array([np.ptp(days), np.ptp(baselines)])
    places = np.column_stack([days, baselines]) / np.where(spread > 0.0, spread, 1.0)
    centred = places - places.mean(axis=0)
    if len(places) < 3 or np.linalg.matrix_rank(centred, tol=1e-9) < 2:
        return nearest_pairs(days.size, 1)
    sides = Delaunay(places).simplices[:, [0, 1, 1, 2, 0, 2]].reshape(-1, 2)
    return np.unique(np.sort(sides, axis=1), axis=0).astype(np.int32)
