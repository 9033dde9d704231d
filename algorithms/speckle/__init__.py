"""Speckle: filters over time and in space, what is left of it, and statistics of a series.

Images hold linear power, float32; what is not above 0 (0, NaN) is no data, in and out. Means are
taken over power, so that the filters keep the mean backscatter. Nothing here opens a file: series
that do not fit in memory go through `RunningSums` and `filtered` by strips of rows.
"""

from algorithms.speckle.multitemporal import RunningSums, filtered, local_mean, quegan

__all__ = ["RunningSums", "filtered", "local_mean", "quegan"]
