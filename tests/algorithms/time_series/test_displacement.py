"""A simulated stack gives its displacement back."""

import numpy as np
import pytest

from algorithms.time_series import Radar, Settings, TemporalModel, invert
from simulator import stack as simulated
from simulator.stack import Disturbances, make_stack

RADAR = Radar(simulated.WAVELENGTH, simulated.SLANT_RANGE, simulated.INCIDENCE_ANGLE)


@pytest.fixture(scope="module")
def stack():
    return make_stack(96, seed=3)


@pytest.fixture(scope="module")
def series(stack):
    return invert(
        stack.phases,
        stack.pairs,
        stack.days,
        perpendicular_baselines=stack.baselines,
        weights=stack.coherence**2 / (1 - stack.coherence**2),
        radar=RADAR,
        threads=2,
    )


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def test_displacement_of_a_stack_with_gaps_and_wrong_cycles(stack, series):
    answered = np.isfinite(series.displacement).all(axis=0)
    error = series.displacement - stack.displacement - stack.delay

    assert answered.mean() >= 0.99
    # The acceptance figure; the delay of the air is of the dates, no error of the inversion.
    assert rms(error[:, answered]) <= 3.5e-3


def test_errors_of_the_elevations(stack, series):
    # Fitted to 30 dates that the air moves by 7 mm against the first: a baseline of 70 m a date
    # tells 553 km * 7 mm / (70 m * sqrt(30)) = 10 m.
    assert rms(series.dem_error - stack.dem_error) < 10.0
    assert np.corrcoef(series.dem_error.ravel(), stack.dem_error.ravel())[0, 1] > 0.7


def test_velocity_lies_within_its_standard_error_where_the_air_is_all_there_is():
    calm = Disturbances(delay=0.002, wrong_pairs=0.0, dem_error=0.0)
    stack = make_stack(64, seed=5, disturbances=calm)
    yearly = Settings(TemporalModel(seasonal=True))

    series = invert(stack.phases, stack.pairs, stack.days, radar=RADAR, settings=yearly)

    ratio = (series.velocity - stack.velocity) / series.velocity_sigma
    # The air of a date is one sample over most of the image: a ratio of one, loosely.
    assert 0.4 < np.std(ratio) < 2.0


def test_temporal_coherence_tells_wrong_cycles(stack, series):
    trusting = invert(
        stack.phases, stack.pairs, stack.days, radar=RADAR, settings=Settings(iterations=0)
    )
    wrong = stack.is_wrong.sum(axis=0)

    assert series.temporal_coherence[wrong == 0].mean() > 0.97
    assert trusting.temporal_coherence[wrong > 1].mean() < 0.9


def test_phase_towards_the_sensor_is_negative():
    phases = np.full((1, 1, 1), -4.0 * np.pi, np.float32)  # two cycles: a wavelength there and back

    series = invert(phases, [(0, 1)], [0, 365.25])

    assert series.displacement[1, 0, 0] == pytest.approx(Radar().wavelength, rel=1e-5)
    assert series.velocity[0, 0] == pytest.approx(Radar().wavelength, rel=1e-5)


def test_baselines_of_pairs_are_those_of_their_dates(stack):
    of_pairs = stack.baselines[stack.pairs[:, 1]] - stack.baselines[stack.pairs[:, 0]]
    part = stack.phases[:, :4, :4]

    by_date, by_pair = (
        invert(part, stack.pairs, stack.days, perpendicular_baselines=given, radar=RADAR)
        for given in (stack.baselines, of_pairs)
    )

    np.testing.assert_allclose(by_pair.dem_error, by_date.dem_error, rtol=1e-3, atol=1e-3)
