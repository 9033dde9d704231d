"""Images of a radar made small: the mean power of rectangles of samples."""

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]


def mean_power(numbers: NDArray[np.uint16], lines: int, samples: int) -> Float32:
    """Return the mean of squared digital numbers over rectangles of an image.

    Parameters
    ----------
    numbers
        Shape (line, sample); 0 marks what lies outside the swath.
    lines, samples
        Sides of a rectangle; what is left over at the end is not used.

    Returns
    -------
    Shape (line // lines, sample // samples), NaN where a rectangle holds zeros only.
    """
    out = np.empty((numbers.shape[0] // lines, numbers.shape[1] // samples), np.float32)
    _fill_mean_power(np.ascontiguousarray(numbers), lines, samples, out)
    return out


@compiled
def _fill_mean_power(numbers: NDArray[np.uint16], lines: int, samples: int, out: Float32) -> None:
    total = np.empty(out.shape[1], np.float64)
    count = np.empty(out.shape[1], np.int64)
    for row in range(out.shape[0]):
        total[:] = 0.0
        count[:] = 0
        for line in range(lines * row, lines * (row + 1)):
            for column in range(out.shape[1]):
                for sample in range(samples * column, samples * (column + 1)):
                    number = np.float64(numbers[line, sample])
                    total[column] += number * number
                    count[column] += number > 0
        for column in range(out.shape[1]):
            out[row, column] = total[column] / count[column] if count[column] else np.nan
