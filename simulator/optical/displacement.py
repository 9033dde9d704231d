"""How the ground and the instrument move between two dates; pixels of 10 m, as functions of place.

Each displacement is given at pixels (row, column) of the reference, in rows and columns: what is
seen at (r, c) of the reference lies at (r + dy, c + dx) of the secondary.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Displacement = Callable[[Float64, Float64], tuple[Float64, Float64]]

DETECTOR_WIDTH = 2_580.0  # pixels of 10 m between the seams of two detectors
DETECTOR_SLOPE = 0.27  # columns that a seam moves west a row, descending passes


def still(row: Float64, column: Float64) -> tuple[Float64, Float64]:
    """Move nothing."""
    return np.zeros_like(row), np.zeros_like(column)


@dataclass(frozen=True)
class Shift:
    """The same everywhere."""

    dy: float
    dx: float

    def __call__(self, row: Float64, column: Float64) -> tuple[Float64, Float64]:
        """Return the displacement at pixels."""
        return np.full_like(row, self.dy), np.full_like(column, self.dx)


@dataclass(frozen=True)
class Ramp:
    """An affine field: displacement at the origin, then by row and by column."""

    dy: tuple[float, float, float]
    dx: tuple[float, float, float]

    def __call__(self, row: Float64, column: Float64) -> tuple[Float64, Float64]:
        """Return the displacement at pixels."""
        return (
            self.dy[0] + self.dy[1] * row + self.dy[2] * column,
            self.dx[0] + self.dx[1] * row + self.dx[2] * column,
        )


@dataclass(frozen=True)
class Fault:
    """A strike-slip fault: ground slides along a line, half of the slip on either side.

    Parameters
    ----------
    row, column
        A point of the fault.
    strike
        Direction of the line, radians from the column axis towards the row axis.
    slip
        Relative displacement of the sides, pixels.
    decay
        Distance over which the displacement falls to 1 / e, pixels.
    """

    row: float
    column: float
    strike: float
    slip: float
    decay: float = np.inf

    def distance(self, row: Float64, column: Float64) -> Float64:
        """Return the signed distance to the fault, pixels."""
        normal = np.cos(self.strike), -np.sin(self.strike)
        away = (row - self.row) * normal[0] + (column - self.column) * normal[1]
        return np.asarray(away, np.float64)

    def __call__(self, row: Float64, column: Float64) -> tuple[Float64, Float64]:
        """Return the displacement at pixels."""
        away = self.distance(row, column)
        amount = 0.5 * self.slip * np.sign(away) * np.exp(-np.abs(away) / self.decay)
        return amount * np.sin(self.strike), amount * np.cos(self.strike)


@dataclass(frozen=True)
class Glacier:
    """Ice that flows down rows in a winding bed, still at its banks.

    Parameters
    ----------
    column
        Middle of the bed.
    half_width
        From the middle to where the speed is 1 / e, pixels.
    speed
        Displacement in the middle, pixels.
    bend, wavelength
        How far the bed winds to the sides, and over how many rows, pixels.
    """

    column: float
    half_width: float
    speed: float
    bend: float = 150.0
    wavelength: float = 1_900.0

    def __call__(self, row: Float64, column: Float64) -> tuple[Float64, Float64]:
        """Return the displacement at pixels."""
        phase = 2.0 * np.pi * row / self.wavelength
        middle = self.column + self.bend * np.sin(phase)
        slope = self.bend * 2.0 * np.pi / self.wavelength * np.cos(phase)
        amount = self.speed * np.exp(-(((column - middle) / self.half_width) ** 4))
        length = np.hypot(1.0, slope)
        return amount / length, amount * slope / length


@dataclass(frozen=True)
class Attitude:
    """What the instrument adds: jitter along the track and steps between detectors.

    Parameters
    ----------
    jitter
        Amplitude in rows and columns, pixels.
    period
        Rows of one oscillation.
    steps
        Offset in rows and columns of every second detector, pixels.
    width
        Of a detector, pixels.
    parallax
        Rows along the track between what every second detector and the others see at one time.
    """

    jitter: tuple[float, float] = (0.03, 0.06)
    period: float = 180.0
    steps: tuple[float, float] = (0.0, 0.05)
    width: float = DETECTOR_WIDTH
    parallax: float = 0.0

    def __call__(self, row: Float64, column: Float64) -> tuple[Float64, Float64]:
        """Return the displacement at pixels."""
        is_odd = detector_index(row, column, self.width) % 2
        along = row - DETECTOR_SLOPE * column + self.parallax * is_odd
        wave = np.sin(2.0 * np.pi * along / self.period)
        return (
            self.jitter[0] * wave + self.steps[0] * is_odd,
            self.jitter[1] * wave + self.steps[1] * is_odd,
        )


def detector_index(row: Float64, column: Float64, width: float = DETECTOR_WIDTH) -> Float64:
    """Return the number of detectors between the first column and pixels."""
    return np.floor((column + DETECTOR_SLOPE * row) / width)


def together(*parts: Displacement) -> Displacement:
    """Return the sum of displacements."""

    def summed(row: Float64, column: Float64) -> tuple[Float64, Float64]:
        moved = [part(row, column) for part in parts]
        return np.sum([dy for dy, _ in moved], axis=0), np.sum([dx for _, dx in moved], axis=0)

    return summed


def origin(
    displacement: Displacement, row: Float64, column: Float64, iterations: int = 20
) -> tuple[Float64, Float64]:
    """Return where in the reference lies what pixels of the secondary see.

    Solved by fixed-point iteration: exact to 1e-6 pixels where the displacement changes by less
    than half a pixel a pixel; on a fault the iteration settles on one of the sides.
    """
    before = row.copy(), column.copy()
    for _ in range(iterations):
        dy, dx = displacement(*before)
        before = row - dy, column - dx
    return before
