"""What a series of images does over time, from one image at a time.

Everything is of linear power and of the dates that hold data at a pixel; memory does not grow with
the number of dates.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass
class TimeStatistics:
    """Statistics of the dates that were added so far, each of shape (row, column).

    Parameters
    ----------
    shape
        Rows and columns of the images.
    """

    shape: tuple[int, int]
    count: NDArray[np.uint16] = field(init=False)
    minimum: Float32 = field(init=False)
    maximum: Float32 = field(init=False)
    _mean: Float64 = field(init=False)
    _squares: Float64 = field(init=False)  # sum of squared deviations from the mean
    _logarithms: Float64 = field(init=False)  # sum of natural logarithms

    def __post_init__(self) -> None:
        self.count = np.zeros(self.shape, np.uint16)
        self.minimum, self.maximum = np.zeros((2, *self.shape), np.float32)
        self._mean, self._squares, self._logarithms = np.zeros((3, *self.shape))

    def add(self, power: Float32) -> None:
        """Take one more date.

        Parameters
        ----------
        power
            Linear power, shape (row, column), 0 for no data.

        References
        ----------
        Welford, Note on a method for calculating corrected sums of squares and products,
        Technometrics 4 (3), 1962, for mean and squares.
        """
        if power.shape != self.shape:
            raise ValueError(f"the image has shape {power.shape}, expected {self.shape}")
        valid = (power > 0) & (power < np.inf)
        self.count += valid
        values = np.where(valid, power, 0).astype(np.float64)
        deviation = values - self._mean
        step = np.divide(deviation, self.count, out=np.zeros(self.shape), where=valid)
        self._mean += step
        self._squares += np.where(valid, deviation * (values - self._mean), 0)
        np.add(self._logarithms, np.log(values, where=valid, out=values), out=self._logarithms)
        first = valid & (self.count == 1)
        np.copyto(self.minimum, power, where=first | (valid & (power < self.minimum)))
        np.copyto(self.maximum, power, where=valid & (power > self.maximum))

    @property
    def mean(self) -> Float32:
        """Mean over the dates, 0 where none holds data."""
        return self._mean.astype(np.float32)

    @property
    def standard_deviation(self) -> Float32:
        """Standard deviation of a sample, over one date less than there are, NaN below two."""
        out = np.full(self.shape, np.nan, np.float32)
        several = self.count > 1
        out[several] = np.sqrt(self._squares[several] / (self.count[several] - 1))
        return out

    @property
    def coefficient_of_variation(self) -> Float32:
        """Standard deviation over mean, NaN below two dates; 1 / sqrt(L) of speckle alone."""
        out = np.full(self.shape, np.nan, np.float32)
        several = self.count > 1
        out[several] = self.standard_deviation[several] / self._mean[several]
        return out

    @property
    def range_db(self) -> Float32:
        """The largest over the smallest value, decibels, NaN where no date holds data."""
        out = np.full(self.shape, np.nan, np.float32)
        some = self.count > 0
        out[some] = 10 * np.log10(self.maximum[some] / self.minimum[some])
        return out

    def change_probability(self, looks: float) -> Float32:
        """Return how improbable a series would be in which only speckle changes, 0 to 1.

        The omnibus test of equality of `k` gamma laws of `L` looks:
        `ln Q = L (k ln k + sum of ln I - k ln(sum of I))`; without change `-2 rho ln Q` follows
        the chi squared law of `k - 1` degrees of freedom to second order. 0.99 and more is change
        at a risk of 1 % of false alarm.

        Parameters
        ----------
        looks
            Equivalent number of looks of every image.

        Returns
        -------
        Shape (row, column), NaN below two dates.

        References
        ----------
        Conradsen, Nielsen and Skriver, Determining the points of change in time series of
        polarimetric SAR data, IEEE Transactions on Geoscience and Remote Sensing 54 (5), 2016,
        section II, for one polarisation.
        """
        out = np.full(self.shape, np.nan, np.float32)
        several = self.count > 1
        dates = self.count[several].astype(np.float64)
        total = dates * self._mean[several]
        logarithm = dates * np.log(dates) + self._logarithms[several] - dates * np.log(total)
        rho = 1 - (dates / looks - 1 / (looks * dates)) / (6 * (dates - 1))
        second = -0.25 * (dates - 1) * (1 - 1 / rho) ** 2
        statistic = np.maximum(-2 * rho * looks * logarithm, 0)
        # The chi squared law of f degrees of freedom up to x: the incomplete gamma function.
        below = gammainc((dates - 1) / 2, statistic / 2)
        correction = gammainc((dates + 3) / 2, statistic / 2) - below
        out[several] = np.clip(below + second * correction, 0, 1)
        return out
