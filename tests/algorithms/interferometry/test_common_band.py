"""Ground seen by two antennas far apart, whose bands are weighed alike."""

import dataclasses

import numpy as np
import pytest
from scipy import fft

from algorithms.interferometry.common_band import (
    fringe_frequency,
    in_common_band,
    see_different_bands,
    spectral_coherence,
)
from algorithms.interferometry.geometry import pair_offsets
from algorithms.interferometry.model import SpectralWindow
from algorithms.interferometry.resampling import flattening_phasors, node_count
from tests.algorithms.interferometry.scene import SHIFT, make_burst, orbit, secondary_of

EW1 = SpectralWindow(22.2e6, 0.6)
RATE = 25.0e6  # Hz
BURST = make_burst(lines=48, samples=2_000, range_window=EW1, range_sampling_rate=RATE)


def seen(ground, window, turn):
    """Return what a processor leaves of ground whose spectrum is shifted by a phasor."""
    frequency = fft.fftfreq(ground.shape[1], 1.0 / RATE)
    weight = window.hamming + (1.0 - window.hamming) * np.cos(
        2.0 * np.pi * frequency / window.bandwidth
    )
    weight[np.abs(frequency) > 0.5 * window.bandwidth] = 0.0
    return fft.ifft(fft.fft(ground * turn) * weight).astype(np.complex64)


def coherence_of(first, second):
    inner = slice(100, -100)
    first, second = first[:, inner], second[:, inner]
    powers = np.vdot(first, first).real * np.vdot(second, second).real
    return np.vdot(second, first) / np.sqrt(powers)


def speckle(rng):
    shape = BURST.lines, BURST.samples
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


@pytest.mark.parametrize(("megahertz", "left"), [(1.2, 0.016), (3.0, 0.08)])
def test_still_ground_is_coherent_whatever_the_baseline(rng, megahertz, left):
    ground = speckle(rng)
    # Slopes: the fringes are from half to one and a half times as close as the mean.
    sample = np.arange(BURST.samples)
    cycles = megahertz * 1e6 / RATE * (sample - 50.0 * np.cos(sample / 100.0))
    there = np.exp(2j * np.pi * cycles * np.ones((BURST.lines, 1))).astype(np.complex64)
    pixels = seen(ground, EW1, 1.0), seen(ground, EW1, there.conj()) * there

    found = coherence_of(*in_common_band(pixels, there, BURST))

    assert np.abs(coherence_of(*pixels)) < 1.0 - left
    assert np.abs(found) > 0.9998
    assert abs(np.angle(found)) < 1e-3


def test_images_of_one_band_stay_what_they_are(rng):
    image = seen(speckle(rng), EW1, 1.0)
    level = np.ones(image.shape, np.complex64)

    first, second = in_common_band((image, image), level, BURST)

    inner = slice(100, -100)
    np.testing.assert_allclose(first[:, inner], image[:, inner], atol=0.01 * np.abs(image).max())
    np.testing.assert_array_equal(first, second)


def test_holes_stay_holes(rng):
    image = seen(speckle(rng), EW1, 1.0)
    image[3, 700], image[4, 800:900] = np.nan, 0.0
    level = np.ones(image.shape, np.complex64)

    first, second = in_common_band((image, np.ones_like(image)), level, BURST)

    assert np.isfinite(first).all()
    assert first[3, 700] == 0.0
    assert not first[4, 800:900].any()
    assert (first != 0.0).sum() == image.size - 101
    assert second.all()


@pytest.mark.parametrize(("shift", "coherence"), [(0.0, 1.0), (1.22e6, 0.9839), (23e6, 0.0)])
def test_spectra_apart_share_less(shift, coherence):
    # 1.22 MHz: by a numerical integral with steps of 200 Hz.
    assert spectral_coherence(EW1, shift) == pytest.approx(coherence, abs=2e-4)
    assert spectral_coherence(EW1, -shift) == pytest.approx(coherence, abs=2e-4)


def test_the_baseline_tells_whether_bands_differ():
    wide = secondary_of(BURST)
    offsets = pair_offsets(BURST, wide, (0.0, 200.0))
    phase = np.unwrap(np.angle(level_phasors(wide, offsets)))

    found = fringe_frequency(BURST, offsets)

    slope = np.polyfit(np.arange(phase.size), phase, 1)[0]
    assert found == pytest.approx(slope * RATE / (2.0 * np.pi), rel=1e-3)
    assert see_different_bands((BURST, wide), offsets)
    near = dataclasses.replace(wide, orbit=orbit(0.1 * SHIFT))
    assert not see_different_bands((BURST, near), pair_offsets(BURST, near, (0.0, 200.0)))


def level_phasors(other, offsets):
    heights = np.full((1, node_count(BURST.samples)), 100.0, np.float32)
    return flattening_phasors((BURST, other), offsets, heights, first_line=24)[0]
