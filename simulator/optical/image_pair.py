"""A pair of images of one band with an exactly known displacement, to judge a correlator by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from simulator.optical.displacement import (
    Attitude,
    Displacement,
    Fault,
    Glacier,
    Ramp,
    Shift,
    origin,
    together,
)
from simulator.optical.ground import Float32, Float64, Place, reflectance, render

UInt16 = NDArray[np.uint16]
_RED = 3
_PIXEL = 10.0  # metres
_MARGIN = 16  # pixels of a real image around what is seen


@dataclass(frozen=True)
class ImagePair:
    """Two images and what moved between them, arrays of shape (row, column).

    Parameters
    ----------
    reference, secondary
        Digital numbers, reflectance times 10,000 plus 1000.
    dy, dx
        Displacement of each pixel of the reference, pixels; exact.
    is_changed
        Where the ground of the secondary is another one.
    """

    reference: UInt16
    secondary: UInt16
    dy: Float64
    dx: Float64
    is_changed: NDArray[np.bool_]


def quake_fault(size: int = 2048, *, slip: float = 1.6) -> Fault:
    """Return the fault of `quake`."""
    return Fault(size * 0.5, size * 0.5, 1.2, slip, decay=size * 0.6)


def quake(size: int = 2048, *, slip: float = 1.6) -> Displacement:
    """Return a fault, a ramp, jitter and steps between detectors."""
    return together(
        quake_fault(size, slip=slip),
        Ramp((0.1, 0.0, 1.5e-4), (-0.1, 1.5e-4, 0.0)),
        Attitude(width=size / 4),
    )


def glacier(size: int = 2048) -> Displacement:
    """Return ice of strong shear between still ground."""
    return Glacier(size * 0.5, size * 0.15, 8.9)


SHIFT = Shift(-0.71, 1.37)
RAMP = Ramp((-0.71, 4e-4, 0.0), (1.37, 0.0, -3e-4))


def make_pair(
    displacement: Displacement,
    size: int = 2048,
    *,
    seed: int = 1,
    changed: float = 0.06,
    noise: float = 12.0,
    source: UInt16 | None = None,
) -> ImagePair:
    """Render a pair.

    Parameters
    ----------
    displacement
        What moves.
    size
        Rows and columns.
    seed
        Which ground, changes and noise.
    changed
        Share of the secondary whose ground has become another one.
    noise
        Standard deviation of the digital numbers of each image.
    source
        A real image that is taken for the ground, 32 pixels larger each way: between its pixels it
        is what a spline of the fifth degree says.
    """
    rng = np.random.default_rng(seed)
    see = _rendered(size, seed) if source is None else _interpolated(source, size)
    row, column = np.meshgrid(np.arange(size) * 1.0, np.arange(size) * 1.0, indexing="ij")
    dy, dx = displacement(row, column)
    first = see(lambda row, column: (row, column))
    second = see(lambda row, column: origin(displacement, row, column))
    other = see(lambda row, column: (size - 1.0 - 0.93 * column, size - 1.0 - 0.93 * row))
    is_changed = _blobs(size, changed, rng)
    weight = ndimage.gaussian_filter(is_changed.astype(np.float32), 1.0)
    second += weight * (other - second)
    reference, secondary = _numbers(first, noise, rng), _numbers(second, noise, rng)
    return ImagePair(reference, secondary, dy, dx, is_changed)


def _rendered(size: int, seed: int) -> Callable[[Place], Float32]:
    """Return how an image of rendered ground is seen, its places moved."""

    def see(moved: Place) -> Float32:
        def place(row: Float64, column: Float64) -> tuple[Float64, Float64]:
            row, column = moved(row, column)
            return column * _PIXEL, -row * _PIXEL

        ground = render((size, size), place, seed=seed)
        return np.asarray(10_000.0 * reflectance(ground, _RED) + 1_000.0, np.float32)

    return see


def _interpolated(source: UInt16, size: int) -> Callable[[Place], Float32]:
    """Return how an image of a real image is seen, its places moved."""
    if min(source.shape) < size + 2 * _MARGIN:
        raise ValueError(f"a source of {source.shape} pixels is too small for {size} and a margin")
    spline = ndimage.spline_filter(source.astype(np.float64), order=5)
    row, column = np.meshgrid(np.arange(size) * 1.0, np.arange(size) * 1.0, indexing="ij")

    def see(moved: Place) -> Float32:
        places = [part + _MARGIN for part in moved(row, column)]
        return np.asarray(
            ndimage.map_coordinates(spline, places, order=5, prefilter=False), np.float32
        )

    return see


def _blobs(size: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return patches of about 200 pixels that cover a share of the image."""
    field = ndimage.gaussian_filter(rng.standard_normal((size // 8, size // 8)), 12.0)
    field = ndimage.zoom(field, 8, order=1)
    full = np.zeros((size, size))
    full[: field.shape[0], : field.shape[1]] = field[:size, :size]
    return np.asarray(full > np.quantile(full, 1.0 - share)) if share > 0 else full > 0


def _numbers(image: Float32, noise: float, rng: np.random.Generator) -> UInt16:
    """Return digital numbers with noise, never 0, which is no data."""
    noisy = image + noise * rng.standard_normal(image.shape, np.float32)
    return np.asarray(np.rint(noisy).clip(1, 65_534), np.uint16)
