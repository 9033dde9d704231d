"""The sample table against the polynomials of real annotations."""

import numpy as np
import pytest
from numpy.polynomial import polynomial
from scipy.optimize import brentq

from algorithms.radar.ground_range import SLANT_STEP, ground_range_at, slant_limits, tabulate

PARTS = ["_6FF8", "_ECC8", "_FEC3", "_BB15", "_4B8B"]


@pytest.mark.parametrize("part", PARTS)
def test_ground_range_is_the_root_of_its_record(annotation_of, part):
    annotation, _ = annotation_of(part)
    records = annotation.ground_range
    width = (annotation.samples - 1) * annotation.range_spacing

    for index in (0, len(records.azimuth_time) // 2, -1):
        slant = polynomial.polyval(np.linspace(0.0, width, 7), records.ground_to_slant[index])
        expected = [
            brentq(
                lambda g, r=r, i=index: polynomial.polyval(g, records.ground_to_slant[i]) - r,
                -1e4,
                width + 1e4,
                xtol=1e-7,
            )
            for r in slant
        ]
        np.testing.assert_allclose(ground_range_at(records, index, slant), expected, atol=1e-5)


@pytest.mark.parametrize("part", PARTS)
def test_a_table_is_linear_to_a_few_millimetres(annotation_of, rng, part):
    annotation, _ = annotation_of(part)
    records, spacing = annotation.ground_range, annotation.range_spacing
    near, far = slant_limits(records, annotation.samples, spacing)
    slant = rng.uniform(near, far, 500)

    table = tabulate(records, near, far, spacing)

    knots = near + SLANT_STEP * np.arange(table.shape[1])
    for index, row in enumerate(table):
        error = np.interp(slant, knots, row) * spacing - ground_range_at(records, index, slant)
        # The error of linear interpolation is an eighth of the second difference.
        bound = np.abs(np.diff(row, 2)).max() * spacing / 8
        assert np.abs(error).max() <= 1.01 * bound < 0.01


@pytest.mark.parametrize("part", PARTS)
def test_interpolated_tables_are_interpolated_coefficients(annotation_of, part):
    annotation, _ = annotation_of(part)
    records = annotation.ground_range
    ground = np.linspace(0.0, (annotation.samples - 1) * annotation.range_spacing, 200)
    worst = 0.0

    for index in range(len(records.azimuth_time) - 1):
        pair = records.ground_to_slant[index : index + 2]
        for weight in (0.25, 0.5, 0.75):
            slant = polynomial.polyval(ground, (1 - weight) * pair[0] + weight * pair[1])
            before, after = (ground_range_at(records, index + k, slant) for k in (0, 1))
            error = (1 - weight) * before + weight * after - ground
            worst = max(worst, np.abs(error).max())

    # The square of the records' distance, 190 m in the Alps, times the slope of its change.
    assert worst / annotation.range_spacing < 0.003
