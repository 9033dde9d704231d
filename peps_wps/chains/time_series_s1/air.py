"""The delay in the troposphere that is taken off the pairs of a series."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.interferometry.displacement import phase_of_displacement
from peps_wps.chains.interferometry.air import Air
from peps_wps.chains.interferometry.map_grid import MapGrid

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class PairAir:
    """What the air adds to the phase of pairs.

    Parameters
    ----------
    air
        At all dates.
    grid
        The map.
    pairs
        Indexes of the first and the second date of each.
    wavelength
        Metres.
    zero
        Delay of each date at the reference, metres, shape (date, 1, 1).
    """

    air: Air
    grid: MapGrid
    pairs: NDArray[np.int64]
    wavelength: float
    zero: Float32

    @classmethod
    def told_against(
        cls,
        air: Air,
        grid: MapGrid,
        pairs: NDArray[np.int64],
        wavelength: float,
        reference: tuple[Block, Float32, Float32],
    ) -> Self:
        """Return it relative to the mean over a block with its heights and incidence angles."""
        delays = air.slant_delays(grid, *reference).reshape(len(air.names), -1)
        known = np.isfinite(delays).all(axis=0)
        zero = delays[:, known].mean(axis=1) if known.any() else np.zeros(len(delays), np.float32)
        return cls(air, grid, pairs, wavelength, zero[:, np.newaxis, np.newaxis])

    def of(self, block: Block, height: Float32, incidence_angle: Float32) -> Float32:
        """Return what is to be subtracted from the phases in a block.

        Parameters
        ----------
        block
            Of the map.
        height
            Metres above the ellipsoid, shape (row, column).
        incidence_angle
            Radians, same shape.

        Returns
        -------
        Radians, shape (pair, row, column), NaN where there is no height.
        """
        delays = self.air.slant_delays(self.grid, block, height, incidence_angle) - self.zero
        first, second = self.pairs.T
        # What gets farther away moves against the line of sight.
        return phase_of_displacement(delays[first] - delays[second], self.wavelength)
