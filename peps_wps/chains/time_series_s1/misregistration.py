"""The network of a stack: which pairs take part, and what each date lies off along the track."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.interferometry.spectral_diversity import invert_shifts
from algorithms.time_series.network import network
from peps_wps.chains.contract import FinishedTask, Json, Progress, TaskInputs, TaskResult
from peps_wps.chains.time_series_s1.acquisitions import LEAST_DATES
from peps_wps.chains.time_series_s1.cells_life import renew
from peps_wps.chains.time_series_s1.holdings import SHIFT_DIGITS, PairRecord, record_of
from peps_wps.chains.time_series_s1.order import MODELS
from peps_wps.chains.time_series_s1.pair import baseline_reason
from peps_wps.chains.time_series_s1.tasks import Pair, StackWork
from peps_wps.datalake.lake import Lake
from peps_wps.errors import ChainError

# An error that is not believed to be smaller, lines.
_LEAST_ERROR = 1e-5


@dataclass(frozen=True)
class Joined:
    """What the network of all pairs tells.

    Parameters
    ----------
    shifts
        Lines by which each date lies later than its orbit says, by product identifier, relative
        to the first date that it is connected with.
    dropped
        Pairs that do not take part, by name, with the reasons.
    """

    shifts: dict[str, float]
    dropped: dict[str, str]

    def lines(self, pair: Pair) -> float:
        """Return what the second date of a pair lies later than the first."""
        shift = self.shifts[pair.second.uid] - self.shifts[pair.first.uid]
        return round(shift, SHIFT_DIGITS) + 0.0  # no minus zero

    def to_json(self) -> Json:
        """Return it as JSON."""
        return {"shifts": self.shifts, "dropped": self.dropped}

    @classmethod
    def of(cls, earlier: Sequence[FinishedTask], name: str) -> "Joined":
        """Return what the task of the network, one of those before, told."""
        body = next(done.result.body for done in earlier if done.task.name == name)
        return cls(dict(body["shifts"]), dict(body["dropped"]))


def run_network(work: StackWork, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Find the shift of every date from those of all pairs.

    Raises
    ------
    ChainError
        When pairs that failed leave fewer than three dates, or dates that nothing connects.
    """
    progress("Joining the pairs", 0)
    lake = Lake(inputs.config.datalake.path)
    failures = {
        done.task.name: done.result.left_out
        for done in inputs.earlier
        if done.result.left_out is not None
    }
    records, dropped = _records(work, lake, failures)
    check_connected(work, list(records), next(iter(dropped.values()), ""))
    shifts = date_shifts(records, len(work.acquisitions))
    named = {one.uid: shift for one, shift in zip(work.acquisitions, shifts, strict=True)}
    return TaskResult(Joined(named, dropped).to_json())


def _records(
    work: StackWork, lake: Lake, failures: Mapping[str, str]
) -> tuple[dict[tuple[int, int], PairRecord], dict[str, str]]:
    """Return what is kept of the pairs that take part, and why others do not."""
    records = {}
    dropped = {work.pair((i, j)).name: reason for i, j, reason in work.too_long}
    for index in work.pairs:
        pair = work.pair(index)
        record = record_of(lake, pair)
        if record is None:
            dropped[pair.name] = failures.get(pair.name, "its cells are not there any more")
            continue
        limit = work.stack.order.max_baseline_m
        reason = baseline_reason(record.perpendicular_baseline, limit)
        if reason is not None:
            dropped[pair.name] = reason
        else:
            records[index] = record
            renew(lake, pair)
    return records, dropped


def check_connected(work: StackWork, pairs: Sequence[tuple[int, int]], reason: str) -> None:
    """Refuse to go on with pairs that make no series.

    Parameters
    ----------
    pairs
        Those that take part.
    reason
        Why one of the others does not, for the message.

    Raises
    ------
    ChainError
        When fewer than three dates are left, or nothing connects them and no model is stated.
    """
    used = sorted({date for pair in pairs for date in pair})
    because = f"; left out among others: {reason}" if reason else ""
    if len(used) < LEAST_DATES:
        raise ChainError(
            f"{len(used)} dates are left in {len(pairs)} pairs, {LEAST_DATES} or more "
            f"needed{because}"
        )
    parts = _parts(pairs, len(work.acquisitions))[used]
    if len(set(parts)) > 1 and work.stack.order.model == MODELS[0]:
        raise ChainError(
            f"the {len(pairs)} pairs left fall into {len(set(parts))} parts that nothing connects: "
            f"state a model that ties them, {' or '.join(MODELS[1:])}{because}"
        )


def date_shifts(records: Mapping[tuple[int, int], PairRecord], dates: int) -> list[float]:
    """Return the shift of each date by weighted least squares over the pairs that tell one.

    Dates that nothing connects are each told against the first of their own part, and zero where
    nothing is coherent.

    Parameters
    ----------
    records
        By indexes of the dates.
    dates
        How many there are.
    """
    told = {index: record.shift for index, record in records.items() if record.shift is not None}
    shifts = np.zeros(dates)
    if not told:
        return [0.0] * dates
    parts = _parts(list(told), dates)
    for part in np.unique(parts):
        members = np.flatnonzero(parts == part)
        place = {int(date): number for number, date in enumerate(members)}
        inside = {index: shift for index, shift in told.items() if index[0] in place}
        if not inside:
            continue
        shifts[members] = invert_shifts(
            [(place[first], place[second]) for first, second in inside],
            np.array([shift.lines for shift in inside.values()]),
            np.array([max(shift.standard_error, _LEAST_ERROR) for shift in inside.values()]),
            len(members),
        )
    return [float(shift) for shift in shifts]


def _parts(pairs: Sequence[tuple[int, int]], dates: int) -> NDArray[np.int64]:
    """Return which connected part each date is in."""
    if not pairs:
        return np.arange(dates)
    return network(range(dates), np.array(pairs)).parts()
