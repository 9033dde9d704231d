"""False points have no influence on a model, and no model is richer than the points."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.registration import Model
from algorithms.registration.fit import fit
from algorithms.registration.model import TERMS
from algorithms.registration.tie_points import Matches, Places

CENTRE, SPAN = (511.5, 511.5), 512.0
NOISE = 0.02
TRUE = {
    "shift": Model("shift", CENTRE, SPAN, (-0.7,), (1.4,)),
    "affine": Model("affine", CENTRE, SPAN, (-0.7, 0.2, 0.01), (1.4, 0.0, -0.15)),
    "polynomial": Model(
        "polynomial",
        CENTRE,
        SPAN,
        (-0.7, 0.2, 0.0, 0.1, 0.0, -0.05),
        (1.4, 0.0, -0.15, 0.0, 0.08, 0.06),
    ),
}


def points(rng, kind, count=900, false=0.0, wrong=8.0):
    row, column = rng.uniform(0, 1023, (2, count))
    dy, dx = TRUE[kind].at(row, column)
    dy, dx = (part + NOISE * rng.standard_normal(count) for part in (dy, dx))
    is_false = np.arange(count) < false * count
    dy[is_false] = rng.uniform(-wrong, wrong, count)[is_false]
    dx[is_false] = rng.uniform(-wrong, wrong, count)[is_false]
    unknown = np.full(count, np.nan)
    places = Places(count, 0, 0)
    ground = np.stack([row, column])
    return Matches(row, column, dy, dx, unknown, unknown, ground, places), is_false


def surface(kind, row, column):
    v, u = (row - CENTRE[0]) / SPAN, (column - CENTRE[1]) / SPAN
    return np.stack([np.ones_like(v), v, u, v * v, v * u, u * u][: TERMS[kind]], axis=-1)


def gap(found, matches, kind, true):
    """Largest difference to least squares through the true points alone."""
    terms = surface(kind, matches.row, matches.column)[true]
    row, column = np.mgrid[0:1024:64, 0:1024:64] * 1.0
    return max(
        np.abs(part - surface(kind, row, column) @ np.linalg.lstsq(terms, values[true])[0]).max()
        for part, values in zip(found.model.at(row, column), (matches.dy, matches.dx), strict=True)
    )


@pytest.mark.parametrize("kind", list(TERMS))
@pytest.mark.parametrize("false", [0.0, 0.2, 0.45])
def test_false_points_do_not_bend_a_model(rng, kind, false):
    matches, is_false = points(rng, kind, false=false)
    found = fit(kind, matches, CENTRE, SPAN)
    # The biweight is 95 percent as efficient; some false points lie near the truth by chance.
    assert gap(found, matches, kind, ~is_false) < 0.2 * NOISE
    assert found.is_used[~is_false].mean() > 0.99
    assert found.is_used[is_false].sum() <= 0.01 * is_false.sum()


@pytest.mark.parametrize("false", [0.0, 0.3])
@pytest.mark.parametrize("width", [100.0, 3.0, 0.3, 0.03])
def test_a_polynomial_through_a_narrow_strip_is_that_of_least_squares(rng, width, false):
    # Slanting over the image, pixels wide; false points lie everywhere, and have no weight.
    along, across = rng.uniform(-511.5, 511.5, 900), rng.uniform(-width / 2, width / 2, 900)
    matches, is_false = points(rng, "polynomial")[0], np.arange(900) < false * 900
    row = np.where(is_false, matches.row, 511.5 + 0.9 * along - 0.4 * across)
    column = np.where(is_false, matches.column, 511.5 + 0.4 * along + 0.9 * across)
    dy, dx = TRUE["polynomial"].at(row, column) + NOISE * rng.standard_normal((2, 900))
    dy += 50.0 * is_false
    found = fit("polynomial", replace(matches, row=row, column=column, dy=dy, dx=dx), CENTRE, SPAN)

    length = found.length / (4.685 * found.scatter)
    root = np.maximum(1.0 - length**2, 0.0)[:, None]
    terms = surface("polynomial", row, column)
    values = np.stack([dy, dx], axis=-1)
    expected = terms @ np.linalg.lstsq(root * terms, root * values)[0]
    strip = ~is_false
    np.testing.assert_allclose(
        np.stack(found.model.at(row, column), axis=-1)[strip], expected[strip], atol=1e-4, rtol=0
    )


def test_points_that_move_together_do_not_bend_a_model(rng):
    # A glacier over two fifths of the image, all its points alike.
    matches, _ = points(rng, "shift")
    ice = matches.row < 0.4 * 1024
    matches.dy[ice] += 0.5
    found = fit("affine", matches, CENTRE, SPAN)
    assert gap(found, matches, "affine", ~ice) < 0.2 * NOISE
    assert not found.is_used[ice].any()


def test_how_false_a_point_is_does_not_matter(rng):
    matches, is_false = points(rng, "affine", false=0.3)
    before = fit("affine", matches, CENTRE, SPAN)
    matches.dy[is_false] = 1e3
    after = fit("affine", matches, CENTRE, SPAN)
    # All that remains is where the last iteration stopped, and what chance laid near the truth.
    np.testing.assert_allclose(before.model.dy, after.model.dy, atol=1e-3)
    np.testing.assert_allclose(before.model.dx, after.model.dx, atol=1e-3)


def test_the_scatter_is_that_of_the_true_points(rng):
    found = fit("affine", points(rng, "affine", 3000, false=0.3)[0], CENTRE, SPAN)
    assert found.scatter == pytest.approx(NOISE, rel=0.08)


def test_predicted_errors_of_a_model_are_those_made():
    rngs = [np.random.default_rng(seed) for seed in range(40)]
    fits = [fit("affine", points(rng, "affine", 200)[0], CENTRE, SPAN) for rng in rngs]
    corner = np.zeros(1), np.zeros(1)
    truth = TRUE["affine"].at(*corner)[0]
    made = np.std([found.model.at(*corner)[0] - truth for found in fits])
    predicted = np.mean([found.error_at(*corner) for found in fits])
    assert made == pytest.approx(predicted, rel=0.4)  # of 40: to 11 percent, three times


@pytest.mark.parametrize("true", list(TERMS))
def test_the_criterion_names_the_kind_of_the_truth(rng, true):
    matches, _ = points(rng, true, false=0.1)
    fits = {kind: fit(kind, matches, CENTRE, SPAN) for kind in TERMS}
    scatter = min(found.scatter for found in fits.values())
    criteria = {kind: found.criterion(scatter) for kind, found in fits.items()}
    assert min(criteria, key=criteria.get) == true


def test_the_same_points_give_the_same_model(rng):
    matches, _ = points(rng, "polynomial", false=0.4)
    first, second = (fit("polynomial", matches, CENTRE, SPAN) for _ in range(2))
    assert first.model == second.model
