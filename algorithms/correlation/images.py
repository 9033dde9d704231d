"""The images of a correlation as it reads them: rows on demand, without gaps."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from algorithms.correlation.filters import (
    PADDING,
    Float32,
    Mask,
    convolved,
    filled,
    gaussian_taps,
    halved,
    spline_taps,
)

# What a mask says of a pixel.
VALID, NO_DATA, CLOUD = 0, 1, 2
# Pixels around one without data that filters have mixed with it.
_TAINTED = 2
_BLOCK_ROWS = 512
# Patterns broader than this are left out, standard deviation of a Gaussian, pixels.
_BROAD = 2.5


@dataclass(frozen=True, slots=True)
class Image:
    """An image and what of it must not be used.

    Parameters
    ----------
    pixels
        Shape (row, column), any real type; NaN is no data.
    mask
        Same shape: 0 where pixels may be used, 1 without data, 2 under clouds or excluded for
        another reason; None where all may be used.
    """

    pixels: NDArray[Any]
    mask: Mask | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2:
            raise ValueError(f"an image of two dimensions is needed, found {self.pixels.shape}")
        if self.mask is not None and self.mask.shape != self.pixels.shape:
            raise ValueError(f"the mask has shape {self.mask.shape}, its image {self.pixels.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def rows(self, first: int, last: int) -> tuple[Float32, Mask]:
        """Return rows as float32, zero where there is no data, and 1 where they may be used."""
        pixels = self.pixels[first:last].astype(np.float32)
        mask = None if self.mask is None else self.mask[first:last] == VALID
        if np.issubdtype(self.pixels.dtype, np.integer):
            valid = np.ones(pixels.shape, np.bool_) if mask is None else mask
            return pixels, valid.view(np.uint8)
        finite = np.isfinite(pixels)
        if not finite.all():
            pixels[~finite] = 0.0
        return pixels, (finite if mask is None else finite & mask).view(np.uint8)

    def halved(self) -> "Image":
        """Return the image at half the resolution."""
        rows, columns = self.shape[0] // 2, self.shape[1] // 2
        pixels, mask = np.empty((rows, columns), np.float32), np.empty((rows, columns), np.uint8)
        for first in range(0, rows, _BLOCK_ROWS):
            last = min(first + _BLOCK_ROWS, rows)
            pixels[first:last], valid = halved(*self.rows(2 * first, 2 * last))
            mask[first:last] = np.where(valid == 1, VALID, NO_DATA)
        return Image(pixels, mask)


@dataclass(frozen=True)
class Strip:
    """Consecutive rows of an image, filtered.

    Parameters
    ----------
    first
        Row of the image that is row 0 here.
    around
        The smoothed image without broad patterns, with the rows above and below that filters need,
        shape (row, column + PADDING), finite. Light on slopes stays where it is while ice moves:
        windows would follow the light.
    kept
        Rows of `around` that are those of the strip.
    valid
        1 where pixels count, shape (row, column).
    """

    first: int
    around: Float32
    kept: slice
    valid: Mask

    @property
    def values(self) -> Float32:
        """The filtered image, shape (row, column + PADDING)."""
        return self.around[self.kept]

    @cached_property
    def coefficients(self) -> Float32:
        """Cubic B-spline coefficients of `values`, same layout; computed where they are asked for.

        Only images between whose pixels is looked need them.
        """
        return convolved(self.around, spline_taps(), padding=PADDING)[self.kept]


def strip_of(image: Image, first: int, last: int, *, smoothing: float) -> Strip:
    """Read and filter rows of an image, those that exist.

    Parameters
    ----------
    image
        The image.
    first, last
        Rows wanted, the last not included; they may lie beyond the image.
    smoothing
        Standard deviation of the Gaussian, pixels.
    """
    smooth, broad, spline = gaussian_taps(smoothing), gaussian_taps(_BROAD), spline_taps()
    margin = (smooth.size + broad.size + spline.size) // 2
    top, bottom = max(first, 0), max(min(last, image.shape[0]), 0)
    upper = max(top - margin, 0)
    pixels, valid = image.rows(upper, max(min(bottom + margin, image.shape[0]), upper))
    smoothed = convolved(filled(pixels, valid), smooth)
    around = convolved(smoothed, broad, padding=PADDING)
    np.subtract(smoothed, around, out=around)
    kept = slice(top - upper, bottom - upper)
    return Strip(top, around, kept, _untainted(valid)[kept])


def _untainted(valid: Mask) -> Mask:
    """Leave out pixels that filters have mixed with ones without data."""
    if bool(valid.all()):
        return valid
    side = 2 * _TAINTED + 1
    return np.asarray(ndimage.minimum_filter(valid, size=side, mode="nearest"))
