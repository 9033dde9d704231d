"""Smooth functions of three variables as products of polynomials.

Geometry of a burst is a smooth function of line, sample and height (or of row, column and height on
a map): exact solutions at a few hundred nodes give it everywhere within micrometres. All that is
not smooth, the relief, enters by the height alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike

from algorithms.radar.grd import Float64

Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
Function = Callable[[Float64, Float64, Float64], Float64]
# The narrowest interval that is fitted; narrower ones are widened about their middle.
_LEAST_SPAN = 1e-3


@dataclass(frozen=True)
class SmoothFunction:
    """Some functions of three variables.

    Parameters
    ----------
    middle, half_span
        Of each variable, shape (3,): the polynomials' variables are (value - middle) / half_span.
    coefficients
        Powers of the three variables, shape (function, n, m, k).
    residual
        Largest misfit of each function halfway between the nodes, shape (function,).
    """

    middle: Float64
    half_span: Float64
    coefficients: Float64
    residual: Float64

    def at(self, first: ArrayLike, second: ArrayLike, third: ArrayLike) -> Float64:
        """Return the values at points whose shapes broadcast: shape (function, ...)."""
        places = (np.asarray(place, np.float64) for place in (first, second, third))
        x, y, z = (
            (place - middle) / half
            for place, middle, half in zip(places, self.middle, self.half_span, strict=True)
        )
        shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
        return np.stack([_horner(block, x, y, z, shape) for block in self.coefficients])


def fit_smooth(function: Function, bounds: Bounds, degrees: tuple[int, int, int]) -> SmoothFunction:
    """Fit functions exactly at Chebyshev nodes.

    Parameters
    ----------
    function
        Takes three arrays of one shape (...) and returns shape (function, ...).
    bounds
        Lowest and highest value of each variable.
    degrees
        Of the polynomial in each variable.
    """
    low, high = np.array(bounds, np.float64).T
    middle, half_span = 0.5 * (low + high), np.maximum(0.5 * (high - low), _LEAST_SPAN)
    nodes = [chebyshev.chebpts1(degree + 1) for degree in degrees]
    values = function(*_mesh(nodes, middle, half_span))
    for axis, node in enumerate(nodes, 1):
        inverse = np.linalg.inv(np.vander(node, increasing=True))
        values = np.moveaxis(np.tensordot(inverse, values, (1, axis)), 0, axis)
    fitted = SmoothFunction(middle, half_span, np.ascontiguousarray(values), np.empty(0))
    between = [np.concatenate([[-1.0], 0.5 * (n[1:] + n[:-1]), [1.0]]) for n in nodes]
    places = _mesh(between, middle, half_span)
    misfit = np.abs(fitted.at(*places) - function(*places)).reshape(len(values), -1)
    return SmoothFunction(middle, half_span, fitted.coefficients, misfit.max(axis=1))


def _mesh(
    nodes: list[Float64], middle: Float64, half_span: Float64
) -> tuple[Float64, Float64, Float64]:
    """Return the three variables at every node."""
    axes = [m + h * n for n, m, h in zip(nodes, middle, half_span, strict=True)]
    first, second, third = np.meshgrid(*axes, indexing="ij")
    return first, second, third


def _horner(block: Float64, x: Float64, y: Float64, z: Float64, shape: tuple[int, ...]) -> Float64:
    """Evaluate one polynomial."""
    value: Float64 = np.zeros(shape)
    for plane in block[::-1]:
        inner: Float64 = np.zeros(())
        for row in plane[::-1]:
            innermost: Float64 = np.zeros(())
            for coefficient in row[::-1]:
                innermost = innermost * z + coefficient
            inner = inner * y + innermost
        value = value * x + inner
    return value
