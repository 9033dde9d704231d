"""What displacement is expected to do in time: the functions that tie a series together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.time_series.network import DAYS_A_YEAR, Network, days_of

Float64 = NDArray[np.float64]

VELOCITY, OFFSET, BASELINE = "velocity", "offset", "baseline"
ACCELERATION, COSINE, SINE = "acceleration", "annual_cosine", "annual_sine"


@dataclass(frozen=True)
class TemporalModel:
    """Terms beside a velocity and an offset.

    Parameters
    ----------
    acceleration
        Half of it times the square of time: a velocity that changes evenly.
    seasonal
        A cosine and a sine of one year.
    steps
        Moments, as dates are given, at which everything after is displaced: earthquakes.
    """

    acceleration: bool = False
    seasonal: bool = False
    steps: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """A model at the dates of a network.

    Parameters
    ----------
    names
        Of the terms: the velocity first, then the offset.
    matrix
        Value of each term at each date, shape (date, term): years for the velocity, metres for
        the baseline, 1 for offset and steps.
    """

    names: tuple[str, ...]
    matrix: Float64


def terms_of(
    model: TemporalModel, net: Network, first_day: float, baselines: Float64 | None
) -> Terms:
    """Return the terms of a model at the dates of a network.

    Parameters
    ----------
    first_day
        First date, as `days_of` gives it.
    baselines
        Perpendicular baseline of each date, metres; None leaves the term out.

    Raises
    ------
    ValueError
        When there are more terms than dates, or no date before or after a step.
    """
    years = net.years
    columns = {VELOCITY: years, OFFSET: np.ones_like(years)}
    if baselines is not None:
        columns[BASELINE] = baselines
    if model.acceleration:
        columns[ACCELERATION] = 0.5 * years**2
    if model.seasonal:
        columns[COSINE], columns[SINE] = np.cos(2 * np.pi * years), np.sin(2 * np.pi * years)
    for index, day in enumerate(days_of(model.steps) if model.steps else ()):
        is_after = years >= (day - first_day) / DAYS_A_YEAR
        if is_after.all() or not is_after.any():
            raise ValueError(f"step {model.steps[index]} has not dates before and after it")
        columns[f"step_{index + 1}"] = is_after.astype(np.float64)
    if len(columns) > years.size:
        raise ValueError(f"{years.size} dates are fewer than the {len(columns)} terms of the model")
    matrix = np.column_stack(list(columns.values()))
    if np.linalg.matrix_rank(matrix / np.abs(matrix).max(axis=0).clip(1e-30)) < len(columns):
        raise ValueError(f"the dates cannot tell the terms {', '.join(columns)} from each other")
    return Terms(tuple(columns), matrix)


def baselines_of_dates(net: Network, baselines: Any) -> Float64:
    """Return the perpendicular baseline of each date against the first, metres.

    Parameters
    ----------
    baselines
        Of each date, or of each pair: those are made agree by least squares, of a network of
        several parts each part about its own mean. As many pairs as dates: of dates.

    Raises
    ------
    ValueError
        When they are neither as many as dates nor as pairs.
    """
    values = np.asarray(baselines, np.float64)
    if values.shape == (net.dates,):
        return np.asarray(values - values[0])
    if values.shape != (len(net.pairs),):
        raise ValueError(
            f"perpendicular_baselines have shape {values.shape}, expected ({net.dates},) of dates "
            f"or ({len(net.pairs)},) of pairs"
        )
    solution = np.linalg.lstsq(net.incidence(), values, rcond=None)[0]
    return np.asarray(solution - solution[0], np.float64)
