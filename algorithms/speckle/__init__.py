"""Speckle: filters over time and in space, what is left of it, and statistics of a series.

Images hold linear power, float32; what is not above 0 (0, NaN) is no data, in and out. Means are
taken over power, so that the filters keep the mean backscatter. Nothing here opens a file: series
that do not fit in memory go through `RunningSums` and `filtered` by strips of rows.
"""

from algorithms.speckle.looks import equivalent_looks, looks_map
from algorithms.speckle.multitemporal import RunningSums, filtered, local_mean, quegan
from algorithms.speckle.refined_lee import refined_lee
from algorithms.speckle.single_date import frost, gamma_map, lee
from algorithms.speckle.time_statistics import TimeStatistics

__all__ = [
    "RunningSums",
    "TimeStatistics",
    "equivalent_looks",
    "filtered",
    "frost",
    "gamma_map",
    "lee",
    "local_mean",
    "looks_map",
    "quegan",
    "refined_lee",
]
