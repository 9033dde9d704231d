"""The shift of speckle that two images have in common."""

import numpy as np
import pytest

from algorithms.interferometry.amplitude_shift import amplitude_shift

SHAPE = (300, 500)


def speckle(rng):
    """Return circular noise within the bandwidths of IW2, as a spectrum."""
    noise = np.fft.fft2(rng.standard_normal(SHAPE) + 1j * rng.standard_normal(SHAPE))
    line, sample = (np.abs(np.fft.fftfreq(size)) for size in SHAPE)
    return noise * np.outer(line < 0.32, sample < 0.375)


def moved(spectrum, line, sample):
    """Return an image whose content lies later and farther."""
    phase = np.add.outer(np.fft.fftfreq(SHAPE[0]) * line, np.fft.fftfreq(SHAPE[1]) * sample)
    return np.fft.ifft2(spectrum * np.exp(-2j * np.pi * phase)).astype(np.complex64)


def test_a_shift_is_found_to_hundredths(rng):
    common, other = speckle(rng), speckle(rng)
    reference = moved(common, 0.0, 0.0)
    # Coherence 0.85.
    secondary = moved(0.85 * common + np.sqrt(1.0 - 0.85**2) * other, 0.06, -0.12)
    secondary[:40] = 0.0

    found = amplitude_shift(reference, secondary)

    assert found.nodes > 60
    assert found.standard_error < 0.012
    # What few hundredths of a pixel cost: nothing. One comes from interpolation.
    tolerance = 0.01 + 2.0 * found.standard_error
    assert found.line == pytest.approx(0.06, abs=tolerance)
    assert found.sample == pytest.approx(-0.12, abs=tolerance)


def test_noise_has_no_shift(rng):
    assert amplitude_shift(*(moved(speckle(rng), 0.0, 0.0) for _ in range(2))) is None
