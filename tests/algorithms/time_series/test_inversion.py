"""Pairs give their dates back, whatever is missing."""

from datetime import date, timedelta

import numpy as np
import pytest

from algorithms.time_series import Settings, TemporalModel, inverter
from algorithms.time_series.network import nearest_pairs

YEARS = np.arange(12) * 0.05
DAYS = YEARS * 365.25
PAIRS = nearest_pairs(12, 3)
EXACT = Settings(iterations=0)


def differences(values, pairs=PAIRS):
    return (values[pairs[:, 1]] - values[pairs[:, 0]]).astype(np.float32)


def test_a_connected_network_is_solved_as_by_least_squares_whatever_the_model(rng):
    observed = rng.normal(0.0, 1.0, (len(PAIRS), 4, 5)).astype(np.float32)
    weights = rng.uniform(0.2, 3.0, observed.shape).astype(np.float32)

    series = inverter(DAYS, PAIRS, settings=EXACT).solve(observed, weights)

    design = np.zeros((len(PAIRS), 12))
    design[np.arange(len(PAIRS)), PAIRS[:, 0]] = -1.0
    design[np.arange(len(PAIRS)), PAIRS[:, 1]] = 1.0
    for row, column in np.ndindex(4, 5):
        root = np.sqrt(weights[:, row, column].astype(np.float64))
        expected = np.linalg.lstsq(
            design[:, 1:] * root[:, None], observed[:, row, column] * root, rcond=None
        )[0]
        # The model weighs a millionth of a pair, and the smoothest answer of a chain of twelve
        # dates is held by a tenth of a pair's weight.
        np.testing.assert_allclose(series.values[1:, row, column], expected, atol=5e-5)
    assert (series.values[0] == 0.0).all()
    assert (series.parts == 1).all()


def test_parts_that_nothing_connects_are_tied_by_the_model(rng):
    velocity = rng.normal(0.0, 0.1, (3, 4))
    values = velocity * YEARS[:, None, None]
    crosses = (PAIRS[:, 0] < 6) & (PAIRS[:, 1] >= 6)
    observed = differences(values)
    observed[crosses] = np.nan

    series = inverter(DAYS, PAIRS, settings=EXACT).solve(observed)

    np.testing.assert_allclose(series.values, values, atol=1e-6)
    np.testing.assert_allclose(series.terms[0], velocity, rtol=1e-4)
    assert (series.parts == 2).all()


def test_baselines_acceleration_seasons_and_steps_are_told_apart(rng):
    years = np.arange(40) * 0.08
    pairs = nearest_pairs(40, 2)
    baselines = rng.normal(0.0, 70.0, 40)
    baselines -= baselines[0]
    truth = {
        "velocity": 0.05,
        "offset": -0.004,
        "baseline": 1e-5,
        "acceleration": -0.02,
        "annual_cosine": 0.004,
        "annual_sine": -0.007,
        "step_1": 0.03,
    }
    terms = {
        "velocity": years,
        "offset": np.ones(40),
        "baseline": baselines,
        "acceleration": years**2 / 2,
        "annual_cosine": np.cos(2 * np.pi * years),
        "annual_sine": np.sin(2 * np.pi * years),
        "step_1": years >= 1.5,
    }
    values = sum(truth[name] * terms[name] for name in truth)
    model = TemporalModel(acceleration=True, seasonal=True, steps=(1.5 * 365.25,))
    solver = inverter(
        years * 365.25,
        pairs,
        perpendicular_baselines=baselines,
        settings=Settings(model, iterations=0),
    )

    series = solver.solve(differences(values, pairs)[:, None, None])

    found = dict(zip(series.names, series.terms[:, 0, 0], strict=True))
    # The first date is zero exactly: what the terms are there is in the offset.
    truth["offset"] -= values[0]
    assert found == pytest.approx(truth, rel=2e-3)


def test_standard_errors_are_those_of_dates_that_scatter_about_the_model(rng):
    spread, pixels = 0.01, 4_000
    values = rng.normal(0.0, spread, (12, pixels, 1))

    series = inverter(DAYS, PAIRS, settings=EXACT).solve(differences(values))

    design = np.column_stack([YEARS, np.ones(12)])
    expected = spread * np.sqrt(np.linalg.inv(design.T @ design)[0, 0])
    # The mean of 4000 estimates with 10 degrees of freedom: 0.4 percent; the mean of a root lies
    # 2.5 percent below.
    assert series.sigmas[0].mean() == pytest.approx(expected * 0.975, rel=0.02)
    assert series.terms[0].std() == pytest.approx(expected, rel=0.05)


def test_standard_errors_allow_for_parts_that_float(rng):
    spread, pixels = 0.01, 4_000
    values = rng.normal(0.0, spread, (12, pixels, 1))
    observed = differences(values)
    observed[(PAIRS[:, 0] < 6) & (PAIRS[:, 1] >= 6)] = np.nan

    series = inverter(DAYS, PAIRS, settings=EXACT).solve(observed)

    # Two offsets and a velocity are fitted to the dates.
    design = np.column_stack([YEARS, np.arange(12) < 6, np.arange(12) >= 6])
    expected = spread * np.sqrt(np.linalg.inv(design.T @ design)[0, 0])
    assert series.terms[0].std() == pytest.approx(expected, rel=0.05)
    assert np.sqrt((series.sigmas[0] ** 2).mean()) == pytest.approx(expected, rel=0.03)


def test_pixels_of_one_pattern_are_solved_as_each_alone(rng):
    observed = rng.normal(0.0, 1.0, (len(PAIRS), 6, 7)).astype(np.float32)
    observed[:5, :3] = np.nan
    observed[7, 2:, 4:] = np.nan
    weights = rng.uniform(0.5, 2.0, len(PAIRS)).astype(np.float32)
    solver = inverter(DAYS, PAIRS, settings=EXACT)

    together = solver.solve(observed, weights)
    alone = solver.solve(observed, np.broadcast_to(weights[:, None, None], observed.shape))

    np.testing.assert_array_equal(together.values, alone.values)
    np.testing.assert_array_equal(together.sigmas, alone.sigmas)
    np.testing.assert_array_equal(together.parts, alone.parts)


def test_wrong_pairs_lose_their_weight(rng):
    truth = rng.normal(0.0, 0.02, (12, 30, 30))
    observed = differences(truth) + rng.normal(0.0, 0.0005, (len(PAIRS), 30, 30))
    wrong = rng.integers(0, len(PAIRS), (30, 30))
    np.put_along_axis(observed, wrong[None], 0.1, axis=0)

    trusting = inverter(DAYS, PAIRS, settings=EXACT).solve(observed)
    wary = inverter(DAYS, PAIRS, settings=Settings(iterations=8, scale=0.003)).solve(observed)

    def error(series):
        return np.sqrt(np.mean((series.values - truth + truth[0]) ** 2))

    assert error(wary) < error(trusting) / 4


def test_a_pixel_without_pairs_has_no_answer_and_others_keep_theirs(rng):
    observed = differences(np.cumsum(rng.normal(0.0, 1.0, (12, 2, 2)), axis=0))
    observed[:, 0, 0] = np.nan

    series = inverter(DAYS, PAIRS).solve(observed)

    assert np.isnan(series.values[:, 0, 0]).all()
    assert series.parts[0, 0] == 0
    assert np.isfinite(series.values[:, [0, 1, 1], [1, 0, 1]]).all()


def test_one_pair_alone_tells_nothing_about_how_sure_it_is():
    observed = np.full((len(PAIRS), 1, 1), np.nan, np.float32)
    observed[0] = 1.0

    series = inverter(DAYS, PAIRS, settings=EXACT).solve(observed)

    assert series.terms[0, 0, 0] == pytest.approx(1.0 / YEARS[1], rel=1e-4)
    assert np.isnan(series.sigmas).all()
    assert series.parts[0, 0] == 11


def test_threads_and_blocks_change_nothing(rng, monkeypatch):
    monkeypatch.setattr("algorithms.time_series.inversion._BLOCK", 11)
    observed = rng.normal(0.0, 1.0, (len(PAIRS), 9, 10)).astype(np.float32)
    observed[rng.random(observed.shape) < 0.2] = np.nan
    solver = inverter(DAYS, PAIRS)

    one, two = (solver.solve(observed, threads=count) for count in (1, 2))

    monkeypatch.undo()
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.values, solver.solve(observed).values)


def test_dates_are_told_in_any_way():
    days = [date(2020, 1, 1) + timedelta(12 * k) for k in range(4)]
    pairs = [(days[i], days[j]) for i, j in ((0, 1), (1, 2), (2, 3))]
    observed = np.array([0.1, 0.2, 0.3], np.float32)[:, None, None]

    series = inverter(days, pairs).solve(observed)

    np.testing.assert_allclose(series.values[:, 0, 0], [0.0, 0.1, 0.3, 0.6], atol=1e-5)
    np.testing.assert_array_equal(
        series.values, inverter([0, 12, 24, 36], [(0, 1), (1, 2), (2, 3)]).solve(observed).values
    )


@pytest.mark.parametrize(
    ("dates", "pairs", "message"),
    [
        ([0, 12, 12], [(0, 1)], "ascending"),
        ([0], [(0, 0)], "two or more"),
        ([0, 12], [], "no pairs"),
        ([0, 12], [(0, 2)], "pairs name dates 0 to 2 of 2"),
        ([0, 12], [(1, 1)], "of one date"),
        ([0, 12], [(0, 1), (1, 0)], "the same dates"),
        ([date(2020, 1, 1), date(2020, 2, 1)], [(date(2020, 1, 1), date(2021, 1, 1))], "no date"),
        ([0, 12], [0.5, 1.5], "expected"),
    ],
)
def test_networks_that_are_none_are_refused(dates, pairs, message):
    with pytest.raises(ValueError, match=message):
        inverter(dates, pairs)


def test_what_does_not_fit_is_refused():
    solver = inverter(DAYS, PAIRS)
    with pytest.raises(ValueError, match="observations have shape"):
        solver.solve(np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match="weights have shape"):
        solver.solve(np.zeros((len(PAIRS), 2, 2)), np.ones(3))
    with pytest.raises(ValueError, match="perpendicular_baselines have shape"):
        inverter(DAYS, PAIRS, perpendicular_baselines=[1.0, 2.0])
    with pytest.raises(ValueError, match="cannot tell the terms"):
        inverter(DAYS, PAIRS, perpendicular_baselines=np.zeros(12))
    with pytest.raises(ValueError, match="fewer than the 4 terms"):
        inverter([0, 1, 2], [(0, 1)], settings=Settings(TemporalModel(seasonal=True)))
    with pytest.raises(ValueError, match="before and after"):
        inverter(DAYS, PAIRS, settings=Settings(TemporalModel(steps=(1e6,))))
