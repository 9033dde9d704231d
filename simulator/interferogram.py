"""Wrapped interferograms with known phase, speckle and coherence.

Each cell is the mean of L products of two correlated circular Gaussian numbers: phase noise and
sample coherence then have exactly the statistics of L independent looks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]
Complex64 = NDArray[np.complex64]


@dataclass(frozen=True)
class Interferogram:
    """A simulated interferogram and its truth; all arrays have one shape.

    Parameters
    ----------
    interferogram
        Mean of reference conj(secondary) over the looks, complex64.
    coherence
        Sample coherence of the cells, 0 to 1, float32.
    phase
        The true phase, unwrapped, radians, float32.
    land
        False on water, where nothing is coherent.
    """

    interferogram: Complex64
    coherence: Float32
    phase: Float32
    land: NDArray[np.bool_]


def simulate_interferogram(
    shape: tuple[int, int], *, looks: int, seed: int, coherence: float = 0.68
) -> Interferogram:
    """Simulate subsidence, an earthquake's lobes, a leftover ramp and turbulent atmosphere.

    Parameters
    ----------
    shape
        Rows and columns, cells.
    looks
        Independent looks of a cell.
    seed
        Of the random numbers.
    coherence
        Median of the coherence on land, which ranges from 0.05 to 0.98 by cover.
    """
    rng = np.random.default_rng(seed)
    phase = (_deformation(shape) + 3.0 * _turbulence(shape, rng, 11.0 / 3.0)).astype(np.float32)
    cover = _turbulence(shape, rng, 2.0)
    # Logistic: covers that lose coherence wholly, and few that keep all of it.
    middle = np.log(coherence / (1.0 - coherence))
    ground = 1.0 / (1.0 + np.exp(-(middle + 1.2 * cover)))
    lakes = _turbulence(shape, rng, 4.5)
    land = lakes > np.quantile(lakes, 0.09)
    ground = np.where(land, np.clip(ground, 0.05, 0.98), 0.0).astype(np.float32)
    complex_mean, sample = speckled(phase, ground, looks, rng)
    return Interferogram(complex_mean, sample, phase, land)


class WrongCycles(NamedTuple):
    """Shares of land, 0 to 1.

    Parameters
    ----------
    everywhere
        Cells whose cycle is not that of most cells.
    inside
        Of the cells in components, those whose cycle is not that of most of their component.
    labelled
        Cells that are in a component.
    """

    everywhere: float
    inside: float
    labelled: float


def score_unwrapping(
    truth: Interferogram, phase: Float32, components: NDArray[np.integer]
) -> WrongCycles:
    """Count the cells on land that an unwrapper has put a cycle or more off."""
    wrapped = np.angle(truth.interferogram * np.exp(-1j * truth.phase))
    cycles = np.round((phase - truth.phase - wrapped) / (2.0 * np.pi))
    everywhere = cycles[truth.land] != np.nanmedian(cycles[truth.land])
    wrong, labelled = 0, 0
    for number in np.unique(components[components > 0]):
        own = cycles[(components == number) & truth.land]
        wrong += int(np.sum(own != np.median(own))) if own.size else 0
        labelled += own.size
    return WrongCycles(
        float(np.mean(everywhere)), wrong / max(labelled, 1), labelled / everywhere.size
    )


def speckled(
    phase: Float32, coherence: Float32, looks: int, rng: np.random.Generator
) -> tuple[Complex64, Float32]:
    """Draw interferogram and sample coherence of cells of some independent looks."""
    product: NDArray[np.complex128] = np.zeros(phase.shape, np.complex128)
    powers = np.zeros((2, *phase.shape))
    apart = np.sqrt(1.0 - coherence.astype(np.float64) ** 2)
    turn = np.exp(-1j * phase)
    for _ in range(looks):
        first, noise = (_circular(phase.shape, rng) for _ in range(2))
        second = turn * (coherence * first + apart * noise)
        product += first * second.conj()
        powers[0] += np.abs(first) ** 2
        powers[1] += np.abs(second) ** 2
    sample = np.abs(product) / np.sqrt(powers[0] * powers[1])
    return (product / looks).astype(np.complex64), sample.astype(np.float32)


def _circular(shape: tuple[int, ...], rng: np.random.Generator) -> Complex64:
    """Return circular Gaussian numbers of unit power."""
    pair = rng.standard_normal((*shape, 2), np.float32) * np.float32(np.sqrt(0.5))
    return pair.view(np.complex64)[..., 0]


def _deformation(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a ramp, a bowl of subsidence and the two lobes of an earthquake, radians."""
    rows, columns = shape
    y, x = np.mgrid[0.0 : 1.0 : rows * 1j, 0.0 : 1.0 : columns * 1j]
    fringes = 2.0 * np.pi * min(shape) / 2000.0
    bowl = -8.0 * np.exp(-((x - 0.3) ** 2 + (y - 0.35) ** 2) / 0.008)
    along, across = (x - 0.68) + 0.4 * (y - 0.62), (y - 0.62) - 0.4 * (x - 0.68)
    lobes = 30.0 * across / 0.12 * np.exp(-(along**2) / 0.03 - across**2 / 0.02)
    deformation: NDArray[np.float64] = fringes * (6.0 * x - 4.0 * y + bowl + 0.5 * lobes)
    return deformation


def _turbulence(
    shape: tuple[int, int], rng: np.random.Generator, slope: float
) -> NDArray[np.float64]:
    """Return an isotropic field of unit variance with a power-law spectrum."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * frequency ** (-slope / 2.0)
    field = ndimage.gaussian_filter(np.fft.irfft2(spectrum, shape), 1.0)
    normalised: NDArray[np.float64] = (field - field.mean()) / field.std()
    return normalised
