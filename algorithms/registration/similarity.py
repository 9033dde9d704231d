"""How alike two images are, before one is moved onto the other and after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from algorithms.block import Block
from algorithms.correlation.images import Image
from algorithms.registration.model import Model
from algorithms.registration.resampling import on_block

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Wang et al., IEEE TIP 13(4), 2004, section III.B, with square windows.
_WINDOW = 7
_K1, _K2 = 0.01, 0.03
_PERCENTILES = (1.0, 99.0)  # of the reference: the dynamic range
_FLAT = 1e-6  # range of an image without any contrast
_STRIP_ROWS = 64
_MOST_STRIPS = 24


@dataclass(frozen=True)
class Similarity:
    """Mean structural similarity with the reference, 1 for the same image.

    Parameters
    ----------
    before, after
        Of the target as it is, and on the pixels of the reference.
    """

    before: float
    after: float


@dataclass(frozen=True)
class _Strip:
    """Rows of the reference and of the target before and after, and where all hold data."""

    reference: Float32
    before: Float32
    after: Float32
    valid: Mask


def similarity(reference: Image, target: Image, model: Model) -> Similarity | None:
    """Compare two images before and after registration, on the same pixels.

    Parameters
    ----------
    reference, target
        The images; their first pixels coincide but for what the model moves.
    model
        Where pixels of the reference lie in the target.

    Returns
    -------
    Means over at most 24 strips of 64 rows, evenly spread; brightness and contrast of the target
    are matched to those of the reference first. None where no window holds data.
    """
    strips = [_read(reference, target, model, row) for row in _strip_rows(reference.shape[0])]
    if not any(bool(strip.valid.any()) for strip in strips):
        return None
    before = _mean_index(strips, [strip.before for strip in strips])
    after = _mean_index(strips, [strip.after for strip in strips])
    return None if before is None or after is None else Similarity(before, after)


def _mean_index(strips: Sequence[_Strip], images: Sequence[Float32]) -> float | None:
    """Return the mean similarity of an image's strips, matched to those of the reference."""
    known = np.concatenate([strip.reference[strip.valid] for strip in strips]).astype(np.float64)
    own = np.concatenate(
        [image[strip.valid] for strip, image in zip(strips, images, strict=True)]
    ).astype(np.float64)
    low, high = np.percentile(known, _PERCENTILES)
    gain = known.std() / max(own.std(), _FLAT)
    offset = known.mean() - gain * own.mean()
    total, count = 0.0, 0
    for strip, image in zip(strips, images, strict=True):
        index, inside = _structural(strip, gain * image + offset, max(high - low, _FLAT))
        total += float(index[inside].sum())
        count += int(np.count_nonzero(inside))
    return total / count if count else None


def _strip_rows(rows: int) -> list[int]:
    """Return the first row of each strip."""
    count = -(-rows // _STRIP_ROWS)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_STRIPS)).astype(int))
    return [int(number) * _STRIP_ROWS for number in chosen]


def _read(reference: Image, target: Image, model: Model, row: int) -> _Strip:
    rows = min(_STRIP_ROWS, reference.shape[0] - row)
    block = Block(row, 0, rows, reference.shape[1])
    values, valid = reference.rows(row, row + rows)
    still = replace(model, kind="shift", dy=(0.0,), dx=(0.0,))
    before, known_before = on_block(target, still, block)
    after, known_after = on_block(target, model, block)
    is_valid = (valid == 1) & (known_before == 1) & (known_after == 1)
    return _Strip(values, before, after, is_valid)


def _structural(strip: _Strip, image: Any, scale: float) -> tuple[Float64, Mask]:
    """Return the index of each pixel's window, and which windows lie in the data."""
    x, y = strip.reference.astype(np.float64), np.asarray(image, np.float64)

    def mean(values: Float64) -> Float64:
        return np.asarray(ndimage.uniform_filter(values, _WINDOW), np.float64)

    mean_x, mean_y = mean(x), mean(y)
    variance_x, variance_y = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    c1, c2 = (_K1 * scale) ** 2, (_K2 * scale) ** 2
    index = (
        (2.0 * mean_x * mean_y + c1)
        * (2.0 * covariance + c2)
        / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))
    )
    inside = ndimage.binary_erosion(strip.valid, np.ones((_WINDOW, _WINDOW)))
    return index, np.asarray(inside, np.bool_)
