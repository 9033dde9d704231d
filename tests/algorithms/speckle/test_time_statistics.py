"""Statistics over time against NumPy on the whole stack, and the test of change on known series."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from algorithms.speckle import TimeStatistics
from tests.algorithms.speckle.scenes import LOOKS, speckled


def statistics_of(stack):
    statistics = TimeStatistics(stack.shape[1:])
    for power in stack:
        statistics.add(power)
    return statistics


@given(dates=st.integers(1, 8), missing=st.floats(0, 0.8), seed=st.integers(0, 2**32 - 1))
def test_they_are_those_of_the_dates_that_hold_data(dates, missing, seed):
    rng = np.random.default_rng(seed)
    stack = speckled(rng, 10.0 ** rng.uniform(-3, 2, (5, 6)), dates)
    stack[rng.random(stack.shape) < missing] = rng.choice([0, np.nan])
    statistics = statistics_of(stack)

    for place in np.ndindex(stack.shape[1:]):
        series = stack[:, *place].astype(np.float64)
        series = series[series > 0]
        assert statistics.count[place] == series.size
        assert statistics.mean[place] == pytest.approx(series.mean() if series.size else 0)
        assert statistics.minimum[place] == pytest.approx(series.min() if series.size else 0)
        assert statistics.maximum[place] == pytest.approx(series.max(initial=0))
        deviation = series.std(ddof=1) if series.size > 1 else np.nan
        mean = series.mean() if series.size > 1 else np.nan
        close = {"nan_ok": True, "rel": 1e-5}
        assert statistics.standard_deviation[place] == pytest.approx(deviation, **close)
        assert statistics.coefficient_of_variation[place] == pytest.approx(
            deviation / mean, **close
        )
        spread = 10 * np.log10(series.max() / series.min()) if series.size else np.nan
        assert statistics.range_db[place] == pytest.approx(spread, abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("dates", [2, 5, 15])
def test_without_change_the_probability_is_spread_evenly(dates):
    rng = np.random.default_rng(1)
    statistics = statistics_of(speckled(rng, np.full((60, 60), 0.05), dates))

    # 3600 values: the largest distance from the even law is 0.027 in 99 of 100 cases.
    assert kstest(statistics.change_probability(LOOKS).ravel(), "uniform").statistic < 0.027


def test_a_change_at_one_date_is_found(rng):
    stack = speckled(rng, np.full((40, 80), 0.05), 15)
    stack[9, :, 40:] *= 10

    changed = statistics_of(stack).change_probability(LOOKS) > 0.99

    # 14 and 1 times 4.4 looks, each a gamma law: 86 of 100 single pixels are told by the test.
    assert changed[:, 40:].mean() > 0.8
    assert changed[:, :40].mean() < 0.02


def test_one_date_tells_no_change_and_another_shape_is_refused(rng):
    statistics = statistics_of(speckled(rng, np.full((3, 3), 0.05), 1))
    assert np.isnan(statistics.change_probability(LOOKS)).all()
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(3, 3\)"):
        statistics.add(np.ones((2, 2), np.float32))
