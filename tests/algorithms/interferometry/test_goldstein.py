"""The adaptive filter on fringes with known noise."""

import numpy as np
import pytest

from algorithms.interferometry.goldstein import goldstein
from simulator.interferogram import speckled


@pytest.fixture
def fringes(rng):
    row, column = np.indices((150, 170))
    phase = (0.35 * column + 0.12 * row + 2.0 * np.sin(row / 40.0)).astype(np.float32)
    coherence = np.full(phase.shape, 0.55, np.float32)
    return phase, *speckled(phase, coherence, 6, rng)


def noise(interferogram, phase):
    return np.std(np.angle(interferogram * np.exp(-1j * phase)))


def test_noise_is_filtered_and_fringes_stay(fringes):
    phase, interferogram, _ = fringes
    known = np.full(phase.shape, 0.55, np.float32)

    filtered = goldstein(interferogram, known)

    assert noise(filtered, phase) < 0.6 * noise(interferogram, phase)
    assert noise(goldstein(interferogram, known, exponent=1.0), phase) < noise(filtered, phase)
    left = np.angle(np.sum(filtered * np.exp(-1j * phase)))
    assert abs(left) < 0.02
    np.testing.assert_allclose(np.abs(filtered), np.abs(interferogram), rtol=1e-4)


def test_what_is_coherent_or_asked_to_stay_is_left_as_it_is(fringes):
    phase, interferogram, _ = fringes
    expected = np.angle(interferogram)

    for filtered in (
        goldstein(interferogram, np.ones(phase.shape, np.float32)),
        goldstein(interferogram, np.zeros(phase.shape, np.float32), exponent=0.0),
    ):
        turned = np.angle(filtered * np.exp(-1j * expected))
        np.testing.assert_allclose(turned, 0.0, atol=1e-4)


def test_what_is_not_there_stays_so(fringes):
    phase, interferogram, coherence = fringes
    interferogram[40:90, 50:120] = 0.0

    filtered = goldstein(interferogram, np.where(interferogram == 0.0, np.nan, coherence))

    assert not filtered[40:90, 50:120].any()
    assert filtered[:40].all()
    assert np.isfinite(filtered).all()
    assert noise(filtered[:30], phase[:30]) < noise(interferogram[:30], phase[:30])


@pytest.mark.parametrize(("window", "step"), [(16, 4), (12, 6)])
def test_strips_leave_no_trace(fringes, monkeypatch, window, step):
    _, interferogram, coherence = fringes
    whole = goldstein(interferogram, coherence, window=window, step=step)

    monkeypatch.setattr("algorithms.interferometry.goldstein._STRIP_WINDOWS", 1)
    found = goldstein(interferogram, coherence, window=window, step=step)

    np.testing.assert_allclose(found, whole, atol=1e-6)


@pytest.mark.parametrize("step", [0, 5, 12, 16])
def test_windows_that_leave_gaps_or_do_not_line_up_are_refused(fringes, step):
    _, interferogram, coherence = fringes
    with pytest.raises(ValueError, match="half a window"):
        goldstein(interferogram, coherence, window=16, step=step)
