"""What stands for a signal below the noise is said in the unit of the file."""

import numpy as np
import pytest

from peps_wps.chains.ortho_s1.values import (
    LOWER_SIGNAL_VALUE,
    encode,
    lower_signal_value,
    value_format,
)
from peps_wps.writers.cog import round_mantissa


@pytest.mark.parametrize(
    ("name", "calibration", "expected"),
    [
        ("float32", "gamma0", 1e-7),
        ("float32_db", "gamma0", -70.0),
        ("float32_db", "dn", -70.0),
        ("float32", "dn", 1e-7**0.5),
        # 3.16 and 0.0003 in steps of the file; 0 is no data.
        ("uint16", "gamma0", 3e-4),
        ("uint16", "dn", 1.0),
    ],
)
def test_the_lowest_signal_is_in_the_unit_of_the_file(name, calibration, expected):
    form = value_format(name, calibration)
    assert lower_signal_value(form, is_rounded=True) == pytest.approx(expected, rel=3e-4)


def test_the_lowest_power_is_the_first_from_1e_7_on_that_rounding_keeps():
    grid = np.arange(1700, 1720) * 2.0**-34  # 10 bits below 2**-23
    assert grid[grid >= 1e-7].min() == LOWER_SIGNAL_VALUE
    assert round_mantissa(np.array([[LOWER_SIGNAL_VALUE]]), 10)[0, 0] == LOWER_SIGNAL_VALUE


@pytest.mark.parametrize("name", ["float32", "float32_db", "uint16"])
@pytest.mark.parametrize("calibration", ["gamma0", "dn"])
def test_nothing_valid_is_below_the_lowest_signal(name, calibration, rng):
    form = value_format(name, calibration)
    power = np.append(rng.uniform(0, 1, 500), [0, 1e-9, 1e-7, 2e-7]).astype(np.float32)
    physical = encode(power, form) * form.scale
    assert physical.min() == lower_signal_value(form, is_rounded=False)
