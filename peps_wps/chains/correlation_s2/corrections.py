"""What of a field is not ground motion, taken off it as an order says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.correlation.corrections import detector_steps, fitted_plane, jitter
from peps_wps.chains.contract import Json

Float32 = NDArray[np.float32]
Detectors = NDArray[np.uint8]

# Across the track, at least so much must be seen at once before an oscillation is the
# instrument's, and along it what varies over more than so much is ground, metres.
_LEAST_WIDTH_M = 10_000.0
_SMOOTH_M = 5_000.0
# Rows in which a seam must be seen to tell its direction.
_SEAM_ROWS = 20
_DIGITS = 4
# What is told of stable ground when no plane is taken off.
OFFSET = "offset"


@dataclass(frozen=True)
class Corrected:
    """A field without what was taken off it.

    Parameters
    ----------
    dy, dx
        Displacement in rows and columns, pixels; NaN where there is no answer.
    removed
        What was taken off, metres, or why it was not; by name of the correction.
    """

    dy: Float32
    dx: Float32
    removed: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Sampling:
    """Distances of a field.

    Parameters
    ----------
    resolution
        Metres a pixel.
    step
        Pixels a node.
    """

    resolution: int
    step: int

    @property
    def node_m(self) -> float:
        """Metres from node to node."""
        return float(self.resolution * self.step)


def corrected(
    dy: Float32,
    dx: Float32,
    names: Sequence[str],
    detectors: Sequence[Detectors | None],
    sampling: Sampling,
    *,
    stable: NDArray[np.bool_] | None = None,
) -> Corrected:
    """Take planes, steps between detectors and jitter off a field, those that are named.

    Parameters
    ----------
    dy, dx
        Displacement in rows and columns at nodes, pixels; NaN where there is no answer; at least 30
        nodes have one.
    names
        Of "plane", "steps", "jitter".
    detectors
        Which detector of each product saw the nodes, None where it does not say.
    sampling
        Of the nodes.
    stable
        Ground that stands still, which a plane is fitted to, or without "plane" an offset; None
        where nobody knows: the majority is then taken for it.

    Raises
    ------
    ValueError
        When fewer than 30 nodes of that ground are answered.

    Notes
    -----
    Steps and jitter are looked for in what is left of a plane, so that a ramp is neither, and are
    taken off whether the plane is or not.
    """
    if not names and stable is None:
        return Corrected(dy, dx)
    if stable is not None and "plane" not in names:
        names = (*names, OFFSET)
    known = [one for one in detectors if one is not None]
    south, told_south = _component(dy, names, known, sampling, stable)
    east, told_east = _component(dx, names, known, sampling, stable)
    removed = {name: _together(told_south[name], told_east[name]) for name in names}
    return Corrected(dy - south, dx - east, removed)


def _component(
    values: Float32,
    names: Sequence[str],
    detectors: list[Detectors],
    sampling: Sampling,
    stable: NDArray[np.bool_] | None,
) -> tuple[Float32, Json]:
    """Return what is to be taken off one component, and what to tell of it."""
    plane = fitted_plane(values, stable)
    flat = values - plane.over(_shape(values))
    taken = np.zeros_like(values)
    told: dict[str, Json | str] = {}
    if "plane" in names:
        taken = plane.over(_shape(values))
        row, column = (side / 2 for side in values.shape)
        told["plane"] = {
            "middle_m": plane.offset + plane.by_row * row + plane.by_column * column,
            "by_km_south_m": plane.by_row * 1_000 / sampling.node_m,
            "by_km_east_m": plane.by_column * 1_000 / sampling.node_m,
        }
    if OFFSET in names:
        offset = np.float32(np.nanmedian(values[stable]))
        taken = np.full_like(values, offset)
        told[OFFSET] = {"middle_m": float(offset)}
    if "steps" in names:
        steps = np.zeros_like(values)
        for one in detectors:
            steps += detector_steps(flat - steps, one)
        taken, flat = taken + steps, flat - steps
        told["steps"] = {"largest_m": float(np.ptp(steps))} if detectors else _UNKNOWN
    if "jitter" in names:
        wave, told["jitter"] = _jitter(flat, detectors, sampling)
        taken = taken + wave
    return taken, {name: _in_metres(value, sampling) for name, value in told.items()}


def _jitter(
    flat: Float32, detectors: list[Detectors], sampling: Sampling
) -> tuple[Float32 | np.float32, Json | str]:
    """Return the wave to be taken off what is flat, 0 where none can be told, and what to tell."""
    slope = next((s for one in detectors if (s := track_slope(one)) is not None), None)
    if slope is None:
        return np.float32(0.0), _UNKNOWN
    if flat.shape[1] * sampling.node_m < _LEAST_WIDTH_M:
        return np.float32(0.0), f"left as it is: {_TOO_NARROW}"
    wave = _wave(flat, slope, detectors, sampling)
    if wave is None:
        return np.float32(0.0), f"left as it is: detectors {_TOO_NARROW}"
    return wave, {"rms_m": float(np.sqrt(np.mean(wave**2)))}


_TOO_NARROW = f"less than {_LEAST_WIDTH_M / 1e3:g} km wide"
_UNKNOWN = "left as it is: no seam between detectors is known in the area"


def _shape(values: Float32) -> tuple[int, int]:
    return values.shape[0], values.shape[1]


def _wave(
    flat: Float32, slope: float, detectors: Sequence[Detectors], sampling: Sampling
) -> Float32 | None:
    """Return what oscillates along the track, detector by detector; None where none can tell.

    Detectors look forwards and backwards in turns, so that neighbours see a place at other times;
    those of one direction see it together. Where the detectors of both products are too narrow in
    the area to tell, those of the same directions tell for them.
    """
    row, column = np.indices(flat.shape, np.float64)
    along = np.asarray(row - slope * column, np.float64)
    bins = max(int(_SMOOTH_M / sampling.node_m) // 2 * 2 + 1, 5)
    looks, directions = _together_seen(detectors)
    waves: list[Float32] = []
    for look in np.unique(looks[looks > 0]):
        own = looks == look
        alike = directions == directions[own][0]
        group = own if _width_m(along[own], sampling) >= _LEAST_WIDTH_M else alike
        if _width_m(along[group], sampling) >= _LEAST_WIDTH_M:
            wave = np.zeros_like(flat)
            wave[group] = jitter(flat[group], along[group], bin_width=1.0, smooth_bins=bins)
            waves.append(np.where(own, wave, np.float32(0.0)))
    return np.sum(waves, axis=0) if waves else None


def _together_seen(detectors: Sequence[Detectors]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return numbers of what the same detectors of all products saw, and the same directions.

    Both are 0 where a product does not say which detector it was.
    """
    looks, directions = np.zeros((2, *detectors[0].shape), np.int64)
    for one in detectors:
        looks = 256 * looks + one
        directions = 4 * directions + one % 2 + 1
    is_seen = np.all([one > 0 for one in detectors], axis=0)
    return np.where(is_seen, looks, 0), np.where(is_seen, directions, 0)


def _width_m(along: NDArray[np.float64], sampling: Sampling) -> float:
    """Return how wide nodes are across the track, metres: the median of what is seen at once."""
    counts = np.bincount((along - along.min()).astype(np.intp))
    return float(np.median(counts)) * sampling.node_m


def track_slope(detectors: Detectors) -> float | None:
    """Return how many columns west a seam between two detectors moves a row, None without seam.

    Lines across this direction are seen at one time: along the track lies row - slope * column.
    """
    left, right = detectors[:, :-1].astype(np.int64), detectors[:, 1:]
    row, column = np.nonzero((left != right) & (left > 0) & (right > 0))
    seam = 100 * left[row, column] + right[row, column]
    slopes = []
    for one in np.unique(seam):
        at = row[seam == one].astype(np.float64), column[seam == one].astype(np.float64)
        if np.ptp(at[0]) >= _SEAM_ROWS:
            slopes.append(-np.polyfit(*at, 1)[0])
    return float(np.median(slopes)) if slopes else None


def _in_metres(told: Json | str, sampling: Sampling) -> Json | str:
    if isinstance(told, str):
        return told
    return {name: round(value * sampling.resolution, _DIGITS) for name, value in told.items()}


def _together(south: Json | str, east: Json | str) -> Json | str:
    """Return what is told of both components; rows count southwards."""
    if isinstance(south, str) or isinstance(east, str):
        return south if isinstance(south, str) else east
    signed = ("middle_m", "by_km_south_m", "by_km_east_m")
    north = {name: -value if name in signed else value for name, value in south.items()}
    return {"ew": east, "ns": north}
