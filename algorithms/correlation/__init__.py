"""Displacement between two images of the same ground, to a few hundredths of a pixel.

One engine for dense correlation and for tie points: a search by zero-mean normalised
cross-correlation down a pyramid, then inverse compositional Gauss-Newton on cubic B-splines.
"""

from algorithms.correlation.engine import correlate
from algorithms.correlation.field import CorrelationSettings, DisplacementField, Flag

__all__ = ["CorrelationSettings", "DisplacementField", "Flag", "correlate"]
