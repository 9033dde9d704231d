"""How well a field of displacements puts back what a simulated pair had, whoever measured it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from simulator.optical.displacement import Fault
from simulator.optical.image_pair import ImagePair

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

OUTLIER = 0.5  # pixels
_SIGMAS_OF_MEDIAN = 1.4826
# Of a window: at most so much has changed where an answer is expected, more than so much where
# none is.
_HARDLY_CHANGED, _ALL_CHANGED = 0.1, 0.9
# Nodes on either side of a fault that tell its slip lie within so many windows of it.
_SLIP_WINDOWS = 1.5


@dataclass(frozen=True)
class Measured:
    """What somebody found at the nodes of a grid.

    Parameters
    ----------
    rows, columns
        Pixels of the reference on which nodes are centred.
    dy, dx
        Displacements, shape (row, column) of nodes, pixels; NaN where there is no answer.
    sigma
        Predicted standard errors, same shape; None of a method without any.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    dy: NDArray[np.float32]
    dx: NDArray[np.float32]
    sigma: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Accuracy:
    """Errors of a field in pixels, along columns (x) and rows (y).

    Parameters
    ----------
    nodes
        Whose window lies in the images, has hardly changed and is not on a fault.
    answered
        Share of them with an answer.
    nmad_x, nmad_y, rmse_x, rmse_y
        Of the answers there; the normalised median absolute deviation and the root mean square.
    outliers
        Share of the answers there that are wrong by more than half a pixel.
    false
        Share of nodes with an answer where the ground of the whole window is another one.
    locking_x, locking_y
        Amplitude of the sinusoid of the error over the fraction of a pixel.
    sigma_ratio
        Spread of the errors over what was predicted, NaN where nothing was.
    slip
        Error of the slip of a fault beyond half a window from it, NaN without fault.
    """

    nodes: int
    answered: float
    nmad_x: float
    nmad_y: float
    rmse_x: float
    rmse_y: float
    outliers: float
    false: float
    locking_x: float
    locking_y: float
    sigma_ratio: float
    slip: float


def score(
    measured: Measured, pair: ImagePair, window: int, *, fault: Fault | None = None
) -> Accuracy:
    """Compare a field with the truth.

    Parameters
    ----------
    measured
        The field.
    pair
        What it was measured on.
    window
        Side of the window, pixels: where answers are expected does not depend on the method.
    fault
        In the truth; nodes nearer to it than half a window are left out.
    """
    at = np.ix_(measured.rows, measured.columns)
    error_y, error_x = measured.dy - pair.dy[at], measured.dx - pair.dx[at]
    has_answer = np.isfinite(error_y) & np.isfinite(error_x)
    changed = ndimage.uniform_filter(pair.is_changed.astype(np.float32), window)[at]
    whole = _is_whole(measured, pair, window)
    expected = whole & (changed <= _HARDLY_CHANGED)
    distance = None
    if fault is not None:
        row, column = np.meshgrid(
            measured.rows.astype(np.float64), measured.columns.astype(np.float64), indexing="ij"
        )
        distance = fault.distance(row, column)
        expected &= np.abs(distance) > window / 2
    judged = expected & has_answer
    x, y = error_x[judged], error_y[judged]
    unlike = whole & (changed > _ALL_CHANGED)
    return Accuracy(
        nodes=int(np.count_nonzero(expected)),
        answered=_share(has_answer, expected),
        nmad_x=_nmad(x),
        nmad_y=_nmad(y),
        rmse_x=_rms(x),
        rmse_y=_rms(y),
        outliers=_share(np.hypot(error_x, error_y) > OUTLIER, judged),
        false=_share(has_answer, unlike),
        locking_x=_locking(x, pair.dx[at][judged]),
        locking_y=_locking(y, pair.dy[at][judged]),
        sigma_ratio=_sigma_ratio(measured, x, y, judged),
        slip=_slip_error(fault, distance, error_y, error_x, judged, window),
    )


def _is_whole(measured: Measured, pair: ImagePair, window: int) -> Mask:
    """Tell which windows lie in both images with a few pixels to spare."""
    at = np.ix_(measured.rows, measured.columns)
    rows, columns = pair.reference.shape
    reach = window // 2 + 8
    whole = np.ones((measured.rows.size, measured.columns.size), np.bool_)
    places = (
        (np.broadcast_to(measured.rows[:, None], whole.shape), pair.dy[at], rows),
        (np.broadcast_to(measured.columns[None, :], whole.shape), pair.dx[at], columns),
    )
    for centre, moved, size in places:
        whole &= (np.minimum(centre, centre + moved) >= reach) & (
            np.maximum(centre, centre + moved) < size - reach
        )
    return whole


def _share(those: Mask, of: Mask) -> float:
    count = np.count_nonzero(of)
    return float(np.count_nonzero(those & of) / count) if count else 0.0


def _nmad(values: Float64) -> float:
    if not values.size:
        return float("nan")
    return float(_SIGMAS_OF_MEDIAN * np.median(np.abs(values - np.median(values))))


def _rms(values: Float64) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def _locking(error: Float64, true: Float64) -> float:
    """Fit a sinusoid of one pixel's period to errors and return its amplitude."""
    is_small = np.abs(error) < OUTLIER
    phase = 2.0 * np.pi * true[is_small]
    if phase.size < 3:
        return float("nan")
    design = np.column_stack([np.ones_like(phase), np.sin(phase), np.cos(phase)])
    _, sine, cosine = np.linalg.lstsq(design, error[is_small], rcond=None)[0]
    return float(np.hypot(sine, cosine))


def _sigma_ratio(measured: Measured, x: Float64, y: Float64, judged: Mask) -> float:
    if measured.sigma is None or not judged.any():
        return float("nan")
    predicted = np.tile(measured.sigma[judged].astype(np.float64), 2)
    return _nmad(np.concatenate([x, y]) / predicted)


def _slip_error(
    fault: Fault | None,
    distance: Float64 | None,
    error_y: Float64,
    error_x: Float64,
    judged: Mask,
    window: int,
) -> float:
    """Return by how much the ground's slide from one side to the other is misjudged."""
    if fault is None or distance is None:
        return float("nan")
    along = error_y * np.sin(fault.strike) + error_x * np.cos(fault.strike)
    near = judged & (np.abs(distance) < _SLIP_WINDOWS * window)
    return float(np.median(along[near & (distance > 0)]) - np.median(along[near & (distance < 0)]))
