"""The secondary burst on the pixels of the reference: deramp, resample, reramp and flatten at once.

Line by line of the reference: lines of the secondary lose their carrier as they are needed, a pass
along azimuth interpolates one line at the place of the reference's, a pass along range
interpolates its samples, and one rotation puts the carrier back and takes off the phase of
the difference in range. Nothing of the size of a burst is held besides input and output.
"""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import polynomial

from algorithms.interferometry.carrier import carrier_at
from algorithms.interferometry.model import Burst, Complex64, Float32, read_only
from algorithms.interferometry.resampling_kernels import (
    CARRIER_SAMPLES,
    NODE_SAMPLES,
    CarrierTable,
    PairGeometry,
    flatten_lines,
    resample_lines,
)
from algorithms.interferometry.smooth import SmoothFunction
from algorithms.interferometry.taps import fit_taps
from algorithms.radar.grd import Float64


class Misregistration(NamedTuple):
    """What the secondary lies off its orbit, in lines and samples."""

    line: float = 0.0
    sample: float = 0.0


ALIGNED = Misregistration()


def node_count(samples: int) -> int:
    """Return how many nodes of heights a line of samples has: at samples 0, 4, 8, ..."""
    return -(-(samples - 1) // NODE_SAMPLES) + 1


def resample_secondary(
    secondary: Complex64,
    bursts: tuple[Burst, Burst],
    offsets: SmoothFunction,
    heights: Float32,
    *,
    first_line: int = 0,
    misregistration: Misregistration = ALIGNED,
) -> Complex64:
    """Bring lines of the secondary burst to the pixels of the reference, flattened.

    Parameters
    ----------
    secondary
        All pixels of the burst, shape (line, sample).
    bursts
        Reference and secondary.
    offsets
        Of the pair, by `geometry.pair_offsets`.
    heights
        Of the ground in metres, at every fourth sample of the lines wanted, shape
        (line, `node_count` of the reference's samples); NaN where unknown.
    first_line
        Line of the reference that the first row of `heights` belongs to.
    misregistration
        Added to the offsets, without a part in flattening.

    Returns
    -------
    The secondary times exp(4j pi (R2 - R1) / wavelength), R1 and R2 the slant ranges of the ground,
    shape (line, sample) of the reference; 0 where it shows no data or the height is unknown, NaN
    where a pixel needed is NaN.
    """
    reference, moved = bursts
    if secondary.shape != (moved.lines, moved.samples):
        raise ValueError(
            f"secondary has shape {secondary.shape}, its burst has ({moved.lines}, {moved.samples})"
        )
    lines, nodes = heights.shape
    if nodes != node_count(reference.samples):
        raise ValueError(f"heights have {nodes} nodes, not {node_count(reference.samples)}")
    models = _models(offsets, first_line, lines)
    models[:, :, 0, 0] += np.array(misregistration)
    out = np.zeros((lines, reference.samples), np.complex64)
    resample_lines(
        read_only(_pixels(secondary)),
        models,
        np.ascontiguousarray(heights, np.float32),
        first_line,
        _geometry(reference, moved, offsets, misregistration),
        _carrier(moved),
        (
            fit_taps(moved.azimuth_window.bandwidth * moved.azimuth_time_interval),
            fit_taps(moved.range_window.bandwidth / moved.range_sampling_rate),
        ),
        _pixels(out),
    )
    return out


def flattening_phasors(
    bursts: tuple[Burst, Burst], offsets: SmoothFunction, heights: Float32, *, first_line: int = 0
) -> Complex64:
    """Return what `resample_secondary` flattens by: exp(4j pi (R2 - R1) / wavelength).

    Parameters
    ----------
    bursts, offsets, heights, first_line
        As there. Where the height is unknown the last one known in the line counts.

    Returns
    -------
    Shape (line, sample) of the reference.
    """
    reference, moved = bursts
    out = np.empty((len(heights), reference.samples), np.complex64)
    flatten_lines(
        _models(offsets, first_line, len(heights)),
        np.ascontiguousarray(heights, np.float32),
        first_line,
        _geometry(reference, moved, offsets, ALIGNED),
        _pixels(out),
    )
    return out


def _models(offsets: SmoothFunction, first_line: int, lines: int) -> Float64:
    """Return the polynomials of sample and height that offsets are on lines."""
    line = np.arange(first_line, first_line + lines, dtype=np.float64)
    variable = (line - offsets.middle[0]) / offsets.half_span[0]
    models = polynomial.polyval(variable, np.moveaxis(offsets.coefficients, 1, 0))
    return np.ascontiguousarray(np.moveaxis(models, -1, 0))


def _geometry(
    reference: Burst, moved: Burst, offsets: SmoothFunction, misregistration: Misregistration
) -> PairGeometry:
    """Return what places nodes and flattens, for the kernels."""
    sample = NODE_SAMPLES * np.arange(node_count(reference.samples), dtype=np.float64)
    per_metre = 2.0 / reference.wavelength
    near = moved.near_range - misregistration.sample * moved.range_spacing - reference.near_range
    return PairGeometry(
        (sample - offsets.middle[1]) / offsets.half_span[1],
        float(offsets.middle[2]),
        float(1.0 / offsets.half_span[2]),
        per_metre * near,
        per_metre * moved.range_spacing,
        per_metre * reference.range_spacing,
        (*moved.valid_lines, *moved.valid_samples),
    )


def _carrier(burst: Burst) -> CarrierTable:
    """Return the carrier of a burst for the kernels."""
    sample = np.arange(0.0, burst.samples + 2 * CARRIER_SAMPLES, CARRIER_SAMPLES)
    carrier = carrier_at(burst, sample)
    return CarrierTable(
        0.5 * carrier.rate,
        carrier.reference_time,
        carrier.frequency,
        0.5 * burst.lines,
        burst.azimuth_time_interval,
    )


def _pixels(image: Complex64) -> Float32:
    """Return real and imaginary parts as a last axis, without a copy where rows are whole."""
    return np.ascontiguousarray(image, np.complex64).view(np.float32).reshape(*image.shape, 2)
