"""Compiled: add the focused response of scatterers to a burst.

The response of a point is that of an ideal processor: a windowed sinc in range and in azimuth, the
latter around the Doppler frequency under which the burst saw the point, with the phase of its range
at the peak. Bursts that overlap see a point under frequencies some kilohertz apart.
"""

import math
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

REACH = 10  # samples on either side of a scatterer that it contributes to
TAPS = 2 * REACH + 2
STEPS = 256  # of a sample, between which responses are interpolated
_KAISER = 2.5  # taper that ends responses smoothly


@lru_cache(maxsize=64)
def response(band: float, hamming: float) -> Float32:
    """Table of the response of a windowed band, of unit energy.

    Parameters
    ----------
    band
        Processed bandwidth over the sampling rate.
    hamming
        Coefficient of the window; 1 is flat.

    Returns
    -------
    Shape (STEPS + 1, TAPS): value at tap k - REACH of a scatterer at a fraction of a sample.
    """
    fraction = np.arange(STEPS + 1)[:, None] / STEPS
    place = np.arange(TAPS)[None, :] - REACH - fraction
    cycles = band * place
    value = hamming * np.sinc(cycles)
    value += 0.5 * (1 - hamming) * (np.sinc(cycles - 1) + np.sinc(cycles + 1))
    inside = np.clip(1 - (place / (REACH + 1)) ** 2, 0, None)
    value *= np.i0(_KAISER * np.sqrt(inside)) / np.i0(_KAISER) * (np.abs(place) < REACH + 1)
    energy = (value[:-1] ** 2).sum(axis=1).mean()
    return np.ascontiguousarray(value / math.sqrt(energy), np.float32)


@njit(cache=True, nogil=True)
def add_scatterer(  # type: ignore[no-untyped-def]
    line, sample, real, imaginary, burst, tables, scratch, out
) -> None:
    """Add one scatterer.

    `line` and `sample` are its place in the burst and (`real`, `imaginary`) its amplitude there;
    `burst` holds the frequency at the burst's middle and its slope at every sample, both in cycles
    a line; `tables` the responses in azimuth and range; `scratch` room for a response in range;
    `out` real and imaginary image, with `TAPS` columns more on either side.
    """
    middle, slope = burst
    along, across = tables
    image_real, image_imaginary = out
    lines, columns = image_real.shape
    top, left = math.floor(line), math.floor(sample)
    column = left - REACH + TAPS
    if top + REACH + 1 < 0 or top - REACH >= lines or column < 0 or column + TAPS > columns:
        return
    place = min(max(left, 0), middle.size - 2)
    share = sample - left
    at_middle = middle[place] + share * (middle[place + 1] - middle[place])
    at_slope = slope[place] + share * (slope[place + 1] - slope[place])
    frequency = at_middle + at_slope * (line - 0.5 * lines)

    step = share * STEPS
    row = int(step)
    step -= row
    for k in range(TAPS):
        scratch[k] = across[row, k] + np.float32(step) * (across[row + 1, k] - across[row, k])

    step = (line - top) * STEPS
    row = int(step)
    step -= row
    angle = 2 * math.pi * frequency * (top - REACH - line)
    turn_real, turn_imaginary = math.cos(angle), math.sin(angle)
    angle = 2 * math.pi * frequency
    step_real, step_imaginary = math.cos(angle), math.sin(angle)
    for k in range(TAPS):
        y = top - REACH + k
        if 0 <= y < lines:
            weight = along[row, k] + step * (along[row + 1, k] - along[row, k])
            part_real = np.float32(weight * (turn_real * real - turn_imaginary * imaginary))
            part_imaginary = np.float32(weight * (turn_real * imaginary + turn_imaginary * real))
            target_real = image_real[y, column : column + TAPS]
            target_imaginary = image_imaginary[y, column : column + TAPS]
            for m in range(TAPS):
                target_real[m] += part_real * scratch[m]
                target_imaginary[m] += part_imaginary * scratch[m]
        kept = turn_real
        turn_real = kept * step_real - turn_imaginary * step_imaginary
        turn_imaginary = kept * step_imaginary + turn_imaginary * step_real


@njit(cache=True, nogil=True)
def add_lattice(  # type: ignore[no-untyped-def]
    amplitude, jitter, late, far, geometry, burst, tables, out
) -> None:
    """Add the scatterers of a block of the lattice.

    Parameters
    ----------
    amplitude
        Complex, shape (rows, columns).
    jitter
        Rows and columns by which scatterers lie off their node, shape (2, rows, columns).
    late, far
        Lines and metres by which the pass sees the nodes later and farther than the lattice says,
        shape (rows + 2, columns + 2): one more on every side.
    geometry
        Line and sample of the first node in the burst, by the lattice; radians a metre; samples a
        metre.
    burst, tables, out
        As of `add_scatterer`.
    """
    first_line, first_sample, radians, samples = geometry
    scratch = np.empty(TAPS, np.float32)
    rows, columns = amplitude.shape
    for row in range(rows):
        for column in range(columns):
            y, x = jitter[0, row, column], jitter[1, row, column]
            r, c = row + 1, column + 1
            farther = (
                far[r, c]
                + 0.5 * y * (far[r + 1, c] - far[r - 1, c])
                + 0.5 * x * (far[r, c + 1] - far[r, c - 1])
            )
            line = first_line + row + y + late[r, c]
            line += 0.5 * (
                y * (late[r + 1, c] - late[r - 1, c]) + x * (late[r, c + 1] - late[r, c - 1])
            )
            turn = radians * farther
            cosine, sine = math.cos(turn), math.sin(turn)
            value = amplitude[row, column]
            add_scatterer(
                line,
                first_sample + column + x + farther * samples,
                value.real * cosine + value.imag * sine,
                value.imag * cosine - value.real * sine,
                burst,
                tables,
                scratch,
                out,
            )
