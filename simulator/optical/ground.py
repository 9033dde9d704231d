"""The ground as Sentinel-2 sees it: parcels of soil and crops, woods, lakes, texture at all scales.

Everything is a function of the place, not of a pixel: an image displaced by any fraction of a pixel
is rendered, not interpolated, and its displacement is exact.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Metres: sides of parcels, and wavelengths of texture with their share of its variance.
PARCEL = 260.0
WAVELENGTHS = np.array([23.0, 41.0, 80.0, 170.0, 430.0, 2100.0])
AMPLITUDES = np.array([1.30, 0.90, 0.60, 0.40, 0.35, 0.40])
LAKE = 1_900.0
# Gaussian of the instrument, pixels: exp(-2 pi**2 sigma**2 / 4) = 0.2.
_BLUR = 0.57
_STRIP, _MARGIN = 96, 3  # pixels
# Reflectance of soil, vegetation and water in B01 ... B08, B8A, B09 ... B12.
SPECTRA = np.array(
    [
        (0.11, 0.12, 0.15, 0.20, 0.23, 0.26, 0.28, 0.30, 0.31, 0.31, 0.002, 0.36, 0.32),
        (0.05, 0.05, 0.08, 0.05, 0.12, 0.30, 0.38, 0.42, 0.43, 0.42, 0.002, 0.22, 0.11),
        (0.06, 0.05, 0.05, 0.03, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.001, 0.005, 0.003),
    ]
)


Place = Callable[[Float64, Float64], tuple[Float64, Float64]]


def render(shape: tuple[int, int], place: Place, *, seed: int, threads: int = 2) -> Float32:
    """Return what the pixels of an image see.

    Points are taken twice as dense as pixels and seen through a Gaussian, whose modulation transfer
    at the Nyquist frequency is 0.2, about that of the instrument.

    Parameters
    ----------
    shape
        Rows and columns of the image.
    place
        Easting and northing, metres, of places in the image: rows and columns from the centre of
        its first pixel.
    seed
        Which ground.
    threads
        Strips rendered at once.

    Returns
    -------
    Shape (4, row, column): shares of soil, vegetation and water, and a factor on reflectances.
    """
    out = np.empty((4, *shape), np.float32)

    def fill(first: int) -> None:
        last = min(first + _STRIP, shape[0])
        rows = np.arange(2 * (first - _MARGIN), 2 * (last + _MARGIN)) / 2.0
        columns = np.arange(-2 * _MARGIN, 2 * (shape[1] + _MARGIN)) / 2.0
        row, column = np.meshgrid(rows, columns, indexing="ij")
        points = np.empty((4, *row.shape), np.float32)
        _render(*place(row, column), seed, points)
        inner = slice(2 * _MARGIN, -2 * _MARGIN, 2)
        for layer, blurred in zip(out, points, strict=True):
            layer[first:last] = ndimage.gaussian_filter(blurred, 2.0 * _BLUR)[inner, inner]

    with ThreadPoolExecutor(threads, "render") as executor:
        for _ in executor.map(fill, range(0, shape[0], _STRIP)):
            pass
    return out


def reflectance(ground: Float32, band: int) -> Float32:
    """Return the reflectance of rendered ground in a band by its number, 0 to 12."""
    soil, vegetation, water = SPECTRA[:, band].astype(np.float32)
    mixed = soil * ground[0] + vegetation * ground[1] + water * ground[2]
    return np.asarray(mixed * ground[3], np.float32)


@njit(cache=True, nogil=True)
def _render(easting: Float64, northing: Float64, seed: int, out: Float32) -> None:
    for row in range(easting.shape[0]):
        for column in range(easting.shape[1]):
            found = _place(easting[row, column], northing[row, column], seed)
            for layer in range(4):
                out[layer, row, column] = found[layer]


@njit(cache=True, nogil=True)
def _place(x: float, y: float, seed: int) -> tuple[float, float, float, float]:
    """Return soil, vegetation, water and brightness of a point."""
    texture = 0.0
    for k in range(WAVELENGTHS.size):
        texture += AMPLITUDES[k] * _noise(x / WAVELENGTHS[k], y / WAVELENGTHS[k], seed + k)
    wet = _noise(x / LAKE, y / LAKE, seed + 77) + 0.25 * _noise(x / 310.0, y / 310.0, seed + 78)
    if wet > 0.72:
        return 0.0, 0.0, 1.0, 1.0 + 0.10 * texture
    kind = _parcel(x, y, seed + 99)
    green = min(max(0.15 + 0.8 * kind + 0.10 * texture, 0.0), 1.0)
    return 1.0 - green, green, 0.0, max(1.0 + 0.25 * texture, 0.2)


@njit(cache=True, nogil=True)
def _parcel(x: float, y: float, seed: int) -> float:
    """Return a number of the parcel around a point, 0 to 1: cells about scattered centres."""
    u, v = x / PARCEL, y / PARCEL
    left, top = int(np.floor(u)), int(np.floor(v))
    nearest, found = 1e9, 0.0
    for i in range(left - 1, left + 2):
        for j in range(top - 1, top + 2):
            du = i + 0.5 + 0.42 * _hashed(i, j, seed) - u
            dv = j + 0.5 + 0.42 * _hashed(i, j, seed + 1) - v
            distance = du * du + dv * dv
            if distance < nearest:
                nearest, found = distance, 0.5 + 0.5 * _hashed(i, j, seed + 2)
    return found


@njit(cache=True, nogil=True)
def _noise(u: float, v: float, seed: int) -> float:
    """Return smooth noise, -1 to 1, of wavelength 2 or so: lattice values, quintic between them."""
    i, j = int(np.floor(u)), int(np.floor(v))
    s, t = u - i, v - j
    s = s * s * s * (s * (6.0 * s - 15.0) + 10.0)
    t = t * t * t * (t * (6.0 * t - 15.0) + 10.0)
    upper = _hashed(i, j, seed) * (1.0 - s) + _hashed(i + 1, j, seed) * s
    lower = _hashed(i, j + 1, seed) * (1.0 - s) + _hashed(i + 1, j + 1, seed) * s
    return upper * (1.0 - t) + lower * t


@njit(cache=True, nogil=True)
def _hashed(i: int, j: int, seed: int) -> float:
    """Return a value between -1 and 1 that looks random, of a lattice point."""
    h = np.uint64(i) * np.uint64(0x9E3779B97F4A7C15)
    h ^= np.uint64(j) * np.uint64(0xC2B2AE3D27D4EB4F)
    h ^= np.uint64(seed) * np.uint64(0x165667B19E3779F9)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(32)
    return np.float64(h >> np.uint64(11)) * (2.0 / 9007199254740992.0) - 1.0
