"""Slant range to image sample, through the ground range records of a GRD annotation.

Each record holds a polynomial slant = grsr(ground). Between records the coefficients are
interpolated linearly in time, or the nearest record holds (`docs/decisions/srgr-and-bistatic.md`:
no real pixels settle which one the processor used; its own geolocation grid follows the nearest).
Inverting a polynomial of degree 8 at every pixel would be slow: the inverse is tabulated once on a
uniform grid of slant range, one row a record. Interpolating the inverses of two records instead of
their coefficients changes samples by 0.002 pixels at most on the annotations with the largest
steps.
"""

import numpy as np
from numpy.polynomial import polynomial

from algorithms.radar.grd import Float64, GroundRangeRecords

# Linear interpolation of ground range between knots of 40 m errs by d2g/dR2 * 40**2 / 8: 2 mm at
# the near range of IW, 7 mm at that of EW.
SLANT_STEP = 40.0  # m
NEWTON_STEPS = 4
# Samples beyond both ends of the image that the table still covers.
MARGIN_SAMPLES = 64


def ground_range_at(records: GroundRangeRecords, index: int, slant_range: Float64) -> Float64:
    """Return the ground range where one record has the given slant range.

    Parameters
    ----------
    records
        The records of the annotation.
    index
        Which record.
    slant_range
        Metres, any shape.

    Returns
    -------
    Metres, the root of grsr(ground) = slant by Newton steps from the srgr polynomial.
    """
    return _invert(
        slant_range,
        records.ground_to_slant[index],
        records.ground_range_origin[index],
        records.slant_to_ground[index],
        records.slant_range_origin[index],
    )


def _invert(
    slant_range: Float64,
    ground_to_slant: Float64,
    ground_origin: float,
    slant_to_ground: Float64,
    slant_origin: float,
) -> Float64:
    """Solve grsr(ground) = slant range, starting from the polynomial of the other way."""
    ground = polynomial.polyval(slant_range - slant_origin, slant_to_ground) - ground_origin
    slope = polynomial.polyder(ground_to_slant)
    for _ in range(NEWTON_STEPS):
        error = polynomial.polyval(ground, ground_to_slant) - slant_range
        ground = ground - error / polynomial.polyval(ground, slope)
    return np.asarray(ground + ground_origin)


def slant_limits(
    records: GroundRangeRecords, samples: int, range_spacing: float
) -> tuple[float, float]:
    """Return the least and largest slant range (m) of an image and its margin."""
    edges = np.array([-MARGIN_SAMPLES, samples - 1.0 + MARGIN_SAMPLES]) * range_spacing
    slant_range = np.array(
        [
            polynomial.polyval(edges - origin, coefficients)
            for origin, coefficients in zip(
                records.ground_range_origin, records.ground_to_slant, strict=True
            )
        ]
    )
    return float(slant_range[:, 0].min()), float(slant_range[:, 1].max())


def tabulate(
    records: GroundRangeRecords, slant_origin: float, last_slant: float, range_spacing: float
) -> Float64:
    """Tabulate the sample of every record over a uniform grid of slant range.

    Parameters
    ----------
    records
        The records of one image.
    slant_origin, last_slant
        Slant range of the first column, and what the last must reach, metres.
    range_spacing
        Ground distance between samples, metres.

    Returns
    -------
    Fractional samples, shape (record, column), columns `SLANT_STEP` apart. A single record fills
    two rows: the kernels read pairs.
    """
    columns = int(np.ceil((last_slant - slant_origin) / SLANT_STEP)) + 1
    slant_range = slant_origin + SLANT_STEP * np.arange(columns, dtype=np.float64)
    rows = [ground_range_at(records, i, slant_range) for i in range(records.azimuth_time.size)]
    return np.array(rows * 2 if len(rows) == 1 else rows) / range_spacing
