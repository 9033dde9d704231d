"""Where pixels of one image lie in another: a shift, an affine or a second-order polynomial."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Kind = Literal["shift", "affine", "polynomial"]

# Terms of each component: 1; rows and columns; their squares and product.
TERMS: dict[Kind, int] = {"shift": 1, "affine": 3, "polynomial": 6}


class Shift(NamedTuple):
    """A displacement, pixels along rows and columns."""

    dy: float
    dx: float


@dataclass(frozen=True, slots=True)
class Model:
    """A displacement for every pixel: what lies at (r, c) lies at (r + dy, c + dx) of the target.

    Places are pixel centres of the reference, rows and columns.

    Parameters
    ----------
    kind
        How it may vary.
    centre, span
        Row and column, and a length in pixels, by which places are normalised:
        `v = (r - centre[0]) / span`, `u = (c - centre[1]) / span`.
    dy, dx
        Coefficients of the terms `1, v, u, v v, v u, u u`, as many as the kind has, pixels.
    """

    kind: Kind
    centre: tuple[float, float]
    span: float
    dy: tuple[float, ...]
    dx: tuple[float, ...]

    def __post_init__(self) -> None:
        count = TERMS[self.kind]
        if not len(self.dy) == len(self.dx) == count:
            raise ValueError(
                f"{self.kind} has {len(self.dy)} and {len(self.dx)} coefficients, expected {count}"
            )

    def at(self, row: Any, column: Any) -> tuple[Float64, Float64]:
        """Return the displacement in rows and columns at pixels of the reference."""
        terms = terms_at(self.kind, row, column, self.centre, self.span)
        # Not by a product of matrices: it wakes threads that take more time than they save.
        dy, dx = (np.einsum("t,t...->...", values, terms) for values in (self.dy, self.dx))
        return dy, dx

    @property
    def shift(self) -> Shift:
        """The displacement at the centre."""
        return Shift(self.dy[0], self.dx[0])

    def regridded(self, size: float, row: float, column: float) -> "Model":
        """Return the same model over other pixels.

        Parameters
        ----------
        size
            Of the other pixels, in pixels of this model.
        row, column
            Upper left corner of the other raster, from that of this one, in pixels of this model.
        """
        centre = tuple(
            (place + 0.5 - corner) / size - 0.5
            for place, corner in zip(self.centre, (row, column), strict=True)
        )
        return replace(
            self,
            centre=(centre[0], centre[1]),
            span=self.span / size,
            dy=tuple(value / size for value in self.dy),
            dx=tuple(value / size for value in self.dx),
        )

    def moved(self, rows: float, columns: float) -> "Model":
        """Return the model with a further displacement, the same everywhere."""
        dy, dx = (self.dy[0] + rows, *self.dy[1:]), (self.dx[0] + columns, *self.dx[1:])
        return replace(self, dy=dy, dx=dx)

    def matrix(self) -> Affine:
        """Return where places of the reference lie in the target, from (column, row) of corners.

        Raises
        ------
        ValueError
            When the model is a polynomial: no matrix holds it.
        """
        if self.kind == "polynomial":
            raise ValueError("a polynomial is no matrix: expected a shift or an affine model")
        (dy, y_row, y_column), (dx, x_row, x_column) = (
            (values[0], *(value / self.span for value in values[1:]))
            if len(values) > 1
            else (values[0], 0.0, 0.0)
            for values in (self.dy, self.dx)
        )
        row, column = self.centre[0] + 0.5, self.centre[1] + 0.5
        return Affine(
            1.0 + x_column, x_row, dx - x_row * row - x_column * column,
            y_column, 1.0 + y_row, dy - y_row * row - y_column * column,
        )  # fmt: skip


def terms_at(
    kind: Kind, row: Any, column: Any, centre: tuple[float, float], span: float
) -> Float64:
    """Return the terms of a model at pixels, shape (term, ...)."""
    v = (np.asarray(row, np.float64) - centre[0]) / span
    u = (np.asarray(column, np.float64) - centre[1]) / span
    v, u = np.broadcast_arrays(v, u)
    terms = np.ones_like(v), v, u, v * v, v * u, u * u
    return np.stack(terms[: TERMS[kind]])
