"""Totals of searches that match too many products to look at each.

Some cells are drawn, with odds in proportion to the products expected in them, and in each a share
of the time, so placed that every instant is as likely to be in it. What is found there, divided by
the odds of finding it, is an estimate without bias however wrong the expectation is (Horvitz and
Thompson 1952, Journal of the American Statistical Association 47, equation 5). The draws are
systematic: the same search of the same catalogue has the same total.
"""

import numpy as np
from numpy.typing import NDArray

from catalog_db.catalogue.candidates import Candidates
from catalog_db.catalogue.counts import DAY_US
from catalog_db.catalogue.scope import Scope
from catalog_db.catalogue.timeline import Timeline

# Products to look at, in all and in each draw.
_SAMPLE = 200
_PRODUCTS_A_DRAW = 12
_DRAWS = (24, 400)
# Places successive draws far from each other (Weyl 1916).
_GOLDEN_RATIO = 0.6180339887498949
# Below so many the sample says less than the page does.
_FEW = 25
# The least odds of a cell that the region only grazes.
_LEAST_OVERLAP = 0.1


def estimated_total(candidates: Candidates, whole: Timeline, *, seen: int, seen_of: float) -> int:
    """Return about how many products meet a search.

    Parameters
    ----------
    candidates
        Of the search.
    whole
        Products expected along all its time.
    seen, seen_of
        Products that the page found, of how many that were expected there.
    """
    cells, there, sizes = _cells(candidates)
    size = float(sizes.sum())
    if size <= 0.0:
        return seen
    a_draw = float(np.minimum(there, _PRODUCTS_A_DRAW) @ sizes) / size
    number = min(max(int(_SAMPLE / max(a_draw, 1e-9)), _DRAWS[0]), _DRAWS[1])
    chosen = np.searchsorted(np.cumsum(sizes), (np.arange(number) + 0.5) / number * size)
    chosen = np.minimum(chosen, len(sizes) - 1)
    shares = np.minimum(1.0, _PRODUCTS_A_DRAW / there[chosen])
    draws = _draws(candidates.census.cell_keys[cells[chosen]], shares, whole)
    found = np.zeros(number)
    if draws:
        counted = candidates.sampled(draws)
        found[: len(counted)] = counted
    if found.sum() < _FEW and seen_of > 0:
        looked_at = float((shares * there[chosen]).sum()) + seen_of
        return max(seen, round(whole.total * (float(found.sum()) + seen) / looked_at))
    return max(seen, round(size / number * float((found / (shares * sizes[chosen])).sum())))


def _cells(
    candidates: Candidates,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return cells that have products of the search, about how many, and how many in its region."""
    scope, census = candidates.scope, candidates.census
    cells = np.arange(len(census.cell_names)) if scope.cells is None else scope.cells
    in_time = _share_of_kinds(scope)
    there = census.counts[cells][:, scope.kinds] @ in_time[scope.kinds]
    has_any = there > 0
    cells, there = cells[has_any], there[has_any]
    if scope.region is None:
        return cells, there, there
    overlap = np.maximum(scope.region.overlap(census.boxes[:, cells]), _LEAST_OVERLAP)
    return cells, there, there * overlap


def _share_of_kinds(scope: Scope) -> NDArray[np.float64]:
    """Return the share of each kind's products that falls within the time of the search."""
    days = scope.days_within(scope.first_us, scope.last_us)
    starts = (np.arange(days.start, days.stop) + scope.first_day) * DAY_US
    within = np.minimum(starts + DAY_US, scope.last_us + 1) - np.maximum(starts, scope.first_us)
    inside = (within / DAY_US) @ scope.by_day[days]
    shares: NDArray[np.float64] = inside / np.maximum(scope.by_day.sum(axis=0), 1.0)
    return shares


def _draws(
    keys: NDArray[np.int64], shares: NDArray[np.float64], whole: Timeline
) -> list[tuple[int, int, int, int]]:
    """Return number, cell, first and last instant of each draw; one that wraps round is two."""
    number = np.arange(len(keys))
    lows = (number * _GOLDEN_RATIO) % 1.0
    highs = lows + shares
    pieces = [
        (number, lows, np.minimum(highs, 1.0)),
        (number[highs > 1.0], np.zeros((highs > 1.0).sum()), highs[highs > 1.0] - 1.0),
    ]
    draws: list[tuple[int, int, int, int]] = []
    for numbers, low, high in pieces:
        first = whole.instants(low * whole.total)
        last = whole.instants(high * whole.total) - 1
        table = np.column_stack([numbers, keys[numbers], first, last])
        draws += [(a, b, c, d) for a, b, c, d in table[first <= last].tolist()]
    return draws
