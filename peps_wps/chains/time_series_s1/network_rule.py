"""Which dates make pairs: the rule of an order, within its limits of time and baseline."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.time_series.network import days_of, delaunay_pairs, nearest_pairs, network
from peps_wps.chains.contract import Json
from peps_wps.chains.time_series_s1.acquisitions import Found
from peps_wps.chains.time_series_s1.baselines import Baselines, baselines_of
from peps_wps.chains.time_series_s1.order import DELAUNAY, MODELS, Order
from peps_wps.chains.time_series_s1.pair import baseline_reason
from peps_wps.config import Config
from peps_wps.errors import OrderRefusedError

MOST_PAIRS = 2_000

Index = tuple[int, int]


@dataclass(frozen=True)
class Chosen:
    """Pairs by a rule.

    Parameters
    ----------
    pairs
        Indexes of the dates of each.
    too_long
        Pairs of the rule whose perpendicular baselines are beyond the limit, with the reasons.
    """

    pairs: list[Index]
    too_long: dict[Index, str] = field(default_factory=dict)


def chosen_pairs(order: Order, found: Found, config: Config) -> Chosen:
    """Return the pairs by the rule of an order.

    A limit of the baseline holds here for dates whose orbits are known; the task of another pair
    finds its baseline before it reads a pixel.

    Raises
    ------
    OrderRefusedError
        When there are none or too many, they do not connect the dates, or a rule needs baselines
        that are not known.
    """
    days = days_of([one.start for one in found.products])
    baselines = None
    if order.max_baseline_m is not None or order.network == DELAUNAY:
        baselines = baselines_of(found.passes, found.polarization, found.area, config)
    longest = np.inf if order.max_days is None else order.max_days + 0.5
    of_rule = [
        (i, j) for i, j in _of_rule(order, days, baselines, found) if days[j] - days[i] <= longest
    ]
    too_long = {} if baselines is None else _too_long(of_rule, baselines, order.max_baseline_m)
    chosen = Chosen([one for one in of_rule if one not in too_long], too_long)
    _check_number(order, chosen, days)
    _check_connected(order, found, chosen)
    return chosen


def rule_of(order: Order) -> Json:
    """Return what is told of the rule of an order."""
    return {
        "rule": order.network,
        "neighbours": None if order.network == DELAUNAY else order.neighbours,
        "max_days": order.max_days,
        "max_baseline_m": order.max_baseline_m,
    }


def _too_long(
    pairs: Sequence[Index], baselines: Baselines, limit: float | None
) -> dict[Index, str]:
    """Return which pairs are known to be beyond the limit, with the reasons."""
    lengths = {one: baselines.between(*one) for one in pairs}
    known = {one: length for one, length in lengths.items() if np.isfinite(length)}
    reasons = {one: baseline_reason(length, limit) for one, length in known.items()}
    return {one: reason for one, reason in reasons.items() if reason is not None}


def _of_rule(
    order: Order, days: NDArray[np.float64], baselines: Baselines | None, found: Found
) -> list[Index]:
    """Return the pairs of a rule, before its limits."""
    if order.network == DELAUNAY and baselines is not None:
        across = np.array([baselines.between(0, date) for date in range(days.size)])
        unknown = np.flatnonzero(np.isnan(across))
        if unknown.size:
            title = found.products[int(unknown[0])].title
            raise OrderRefusedError(
                "network",
                f"network is {DELAUNAY}, which needs the orbit of every date: there is no orbit "
                f"file of {title}, and it is not on disk",
            )
        pairs = delaunay_pairs(days, across)
    else:
        pairs = nearest_pairs(days.size, order.neighbours or days.size - 1)
    return [(int(first), int(second)) for first, second in pairs]


def _check_number(order: Order, chosen: Chosen, days: NDArray[np.float64]) -> None:
    """Refuse no pair, or more than can be worked on."""
    if not chosen.pairs and chosen.too_long:
        raise OrderRefusedError(
            "max_baseline_m",
            f"no pair is left: {next(iter(chosen.too_long.values()))}",
        )
    if not chosen.pairs:
        shortest = float(np.diff(days).min())
        raise OrderRefusedError(
            "max_days",
            f"max_days is {order.max_days}, but no two dates are nearer than {shortest:.0f} days",
        )
    if len(chosen.pairs) > MOST_PAIRS:
        raise OrderRefusedError(
            "neighbours",
            f"{days.size} dates make {len(chosen.pairs)} pairs, at most {MOST_PAIRS}: "
            "give neighbours",
        )


def _check_connected(order: Order, found: Found, chosen: Chosen) -> None:
    """Refuse pairs that do not connect the dates where no model ties them."""
    dates = [one.start for one in found.products]
    parts = network(dates, np.array(chosen.pairs)).parts()
    if parts.max() == 0 or order.model != MODELS[0]:
        return
    gaps = [
        f"{dates[k]:%Y-%m-%d} and {dates[k + 1]:%Y-%m-%d}"
        for k in range(len(dates) - 1)
        if parts[k] != parts[k + 1]
    ]
    because = next(iter(chosen.too_long.values()), "")
    raise OrderRefusedError(
        "model",
        f"no pairs connect the dates {', '.join(gaps)}: state a model that ties them "
        f"({' or '.join(MODELS[1:])}), or allow longer pairs" + (f"; {because}" if because else ""),
    )
