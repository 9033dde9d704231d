"""Coherence of speckle with a known one."""

import numpy as np
import pytest
from scipy.special import gamma

from algorithms.interferometry.cells import Looks
from algorithms.interferometry.coherence import (
    expected_coherence,
    independent_looks,
    independent_samples,
    phase_noise,
    unbiased_coherence,
)
from algorithms.interferometry.model import SpectralWindow
from simulator.interferogram import speckled
from tests.algorithms.interferometry.scene import make_burst

LOOKS = 12


def draw(coherence, rng, size=160):
    shape = (size, size)
    return speckled(np.zeros(shape, np.float32), np.full(shape, coherence, np.float32), LOOKS, rng)


@pytest.mark.parametrize("looks", [4, 16, 64])
def test_no_coherence_shows_what_few_looks_make_of_it(looks):
    expected = gamma(looks) * gamma(1.5) / gamma(looks + 0.5)

    assert expected_coherence(np.zeros(1), looks) == pytest.approx(expected)


@pytest.mark.parametrize("coherence", [0.3, 0.6, 0.85, 0.95])
def test_the_bias_of_speckle_is_as_expected_and_taken_off(rng, coherence):
    _, sample = draw(coherence, rng)

    # 25,600 cells: the mean has an error of 0.001 at most.
    expected = expected_coherence(np.array([coherence]), LOOKS)
    assert sample.mean() == pytest.approx(float(expected[0]), abs=3e-3)
    # The mean of the corrected is not quite the corrected mean, and cells below what noise shows
    # become 0, which low coherences feel: with twelve looks, less with more.
    tolerance = 0.01 if coherence >= 0.6 else 0.03
    assert unbiased_coherence(sample, LOOKS).mean() == pytest.approx(coherence, abs=tolerance)


def test_the_phase_is_as_noisy_as_its_coherence_says(rng):
    interferogram, _ = draw(0.85, rng)

    noise = float(phase_noise(np.array(0.85), LOOKS))

    # The bound is reached from above as looks grow: 4 % at twelve.
    assert np.std(np.angle(interferogram)) == pytest.approx(noise, rel=0.06)
    assert phase_noise(np.array(0.0), LOOKS) == pytest.approx(np.pi / np.sqrt(3.0))


@pytest.mark.parametrize("pixels", [2, 20])
def test_independent_looks_are_those_that_mean_power_scatters_by(rng, pixels):
    window = SpectralWindow(313.0, 0.75)
    frequency = np.fft.fftfreq(4096) * 486.5
    weight = np.where(
        np.abs(frequency) < 156.5, 0.75 + 0.25 * np.cos(2 * np.pi * frequency / 313.0), 0.0
    )
    noise = rng.standard_normal((100, 4096)) + 1j * rng.standard_normal((100, 4096))
    power = np.abs(np.fft.ifft(np.fft.fft(noise) * weight)) ** 2

    means = power[:, :4080].reshape(100, -1, pixels).mean(axis=2)
    found = (means.mean() / means.std()) ** 2

    # The variance of 20,400 means or more is known within 2 %.
    weights = np.full(pixels, 1.0 / pixels)
    assert found == pytest.approx(independent_samples(weights, window, 486.5), rel=0.05)


def test_one_look_says_nothing():
    burst = make_burst()

    assert independent_looks(burst, Looks(1, 1)) == 1.0
    assert unbiased_coherence(np.array([0.9, np.nan], np.float32), 1.0)[0] == 0.0
    assert 25.0 < independent_looks(burst, Looks(4, 20)) < 40.0
