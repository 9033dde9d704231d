"""Resampling of bursts against fields that are known at every place."""

import numpy as np
import pytest

from algorithms.interferometry.carrier import doppler_frequency
from algorithms.interferometry.geometry import pair_offsets
from algorithms.interferometry.phasors import phasor
from algorithms.interferometry.resampling import (
    Misregistration,
    node_count,
    resample_secondary,
)
from algorithms.interferometry.resampling_kernels import NODE_SAMPLES
from algorithms.interferometry.taps import TAPS, fit_taps, sinc_weights, tap_pair
from tests.algorithms.interferometry.scene import (
    carrier_cycles,
    focused,
    make_burst,
    secondary_of,
    waves,
)

REFERENCE = make_burst()
SECONDARY = secondary_of(REFERENCE)
OFFSETS = pair_offsets(REFERENCE, SECONDARY, (0.0, 1_200.0))


def rolling(lines, first_line=0):
    """Return smooth heights at nodes and at pixels."""
    line = np.arange(first_line, first_line + lines)[:, None]
    nodes = NODE_SAMPLES * np.arange(node_count(REFERENCE.samples))

    def height(sample):
        return 600.0 + 400.0 * np.sin(sample / 150.0) * np.cos(line / 120.0)

    at_nodes = height(nodes).astype(np.float32)
    at_pixels = np.array([np.interp(np.arange(REFERENCE.samples), nodes, h) for h in at_nodes])
    return at_nodes, at_pixels


def expected(field, heights, first_line=0, misregistration=(0.0, 0.0)):
    """Evaluate the field where the ground of the reference lies in the secondary: the twin."""
    lines = np.arange(first_line, first_line + len(heights))[:, None]
    samples = np.arange(REFERENCE.samples)
    late, far = OFFSETS.at(lines, samples, heights)
    moved = lines + late + misregistration[0], samples + far + misregistration[1]
    ranges = SECONDARY.range_of(samples + far) - REFERENCE.range_of(samples)
    turned = carrier_cycles(SECONDARY, *moved) + 2.0 * ranges / REFERENCE.wavelength
    return field(*moved) * np.exp(2j * np.pi * turned)


def worst_error():
    """Return what eight taps along both axes leave of a wave of the test's band, at most."""
    frequency, fraction = np.linspace(-0.25, 0.25, 41)[:, None, None], np.linspace(0, 1, 33)
    taps = np.arange(TAPS) - (TAPS // 2 - 1)
    total = 0.0
    for window, rate in (
        (SECONDARY.azimuth_window, 1.0 / SECONDARY.azimuth_time_interval),
        (SECONDARY.range_window, SECONDARY.range_sampling_rate),
    ):
        weights = sinc_weights(fraction, window.bandwidth / rate)
        found = np.sum(weights * np.exp(2j * np.pi * frequency * taps), axis=-1)
        total += np.abs(found - np.exp(2j * np.pi * frequency[..., 0] * fraction)).max()
    return total


def test_the_secondary_is_found_at_the_place_of_the_ground(rng):
    field = waves(rng)
    heights, at_pixels = rolling(200, 100)

    found = resample_secondary(
        focused(SECONDARY, field), (REFERENCE, SECONDARY), OFFSETS, heights, first_line=100
    )

    inner = slice(60, -60)
    truth = expected(field, at_pixels, 100)[:, inner]
    error = found[:, inner] - truth
    assert np.sqrt(np.mean(np.abs(error) ** 2) / np.mean(np.abs(truth) ** 2)) < worst_error()
    assert abs(np.angle(np.vdot(truth, found[:, inner]))) < 3e-4


def test_a_known_misregistration_is_followed_and_not_flattened(rng):
    field, shift = waves(rng), Misregistration(0.3, -0.4)
    heights, at_pixels = rolling(40, 180)

    found = resample_secondary(
        focused(SECONDARY, field),
        (REFERENCE, SECONDARY),
        OFFSETS,
        heights,
        first_line=180,
        misregistration=shift,
    )

    inner = slice(60, -60)
    truth = expected(field, at_pixels, 180, shift)[:, inner]
    error = found[:, inner] - truth
    assert np.sqrt(np.mean(np.abs(error) ** 2) / np.mean(np.abs(truth) ** 2)) < worst_error()


def test_a_small_misregistration_is_a_phase_of_the_doppler_centroid(rng):
    heights, at_pixels = rolling(300, 50)
    pixels = focused(SECONDARY, waves(rng))
    bursts = REFERENCE, SECONDARY
    shift = 0.01

    plain = resample_secondary(pixels, bursts, OFFSETS, heights, first_line=50)
    moved = resample_secondary(
        pixels, bursts, OFFSETS, heights, first_line=50, misregistration=Misregistration(line=shift)
    )

    line, sample = np.arange(50, 350)[:, None], np.arange(REFERENCE.samples)
    late, far = OFFSETS.at(line, sample, at_pixels)
    frequency = doppler_frequency(SECONDARY, line + late, sample + far)
    turned = plain * np.exp(2j * np.pi * frequency * shift * SECONDARY.azimuth_time_interval)
    # The baseband moves too, by a hundredth of a line: 2 pi 0.25 0.01 at most, without a mean.
    difference = np.angle(np.sum(moved * turned.conj(), axis=1))
    assert np.abs(difference).max() < 0.01


def test_pixels_without_data_heights_or_numbers_stay_apart(rng):
    heights, _ = rolling(60, 150)
    heights[:, 70:75] = np.nan
    pixels = focused(SECONDARY, waves(rng))
    pixels[185, 100] = np.nan

    found = resample_secondary(pixels, (REFERENCE, SECONDARY), OFFSETS, heights, first_line=150)

    assert not found[:, NODE_SAMPLES * 70 : NODE_SAMPLES * 74].any()
    assert found[:, NODE_SAMPLES * 76 : NODE_SAMPLES * 80].all()
    hit = np.argwhere(np.isnan(found))
    # Eight taps in both directions, and nothing else.
    assert 0 < len(hit) <= (TAPS + 1) ** 2
    assert np.ptp(hit, axis=0).max() <= TAPS


def test_lines_beyond_the_data_are_empty(rng):
    heights, _ = rolling(REFERENCE.lines)

    found = resample_secondary(
        focused(SECONDARY, waves(rng)), (REFERENCE, SECONDARY), OFFSETS, heights
    )

    filled = np.flatnonzero(found.any(axis=1))
    first, last = SECONDARY.valid_lines
    late = float(OFFSETS.at(200.0, 300.0, 600.0)[0])
    # Taps reach three lines before and four after.
    assert filled[0] == np.ceil(first + 3 - late)
    assert filled[-1] == np.ceil(last - 4 - late) - 1


def test_arrays_that_do_not_fit_are_refused():
    heights, _ = rolling(8)
    with pytest.raises(ValueError, match="its burst has"):
        resample_secondary(
            np.zeros((10, 10), np.complex64), (REFERENCE, SECONDARY), OFFSETS, heights
        )
    with pytest.raises(ValueError, match="nodes"):
        resample_secondary(
            np.zeros((SECONDARY.lines, SECONDARY.samples), np.complex64),
            (REFERENCE, SECONDARY),
            OFFSETS,
            heights[:, :-1],
        )


def test_phasors_are_those_of_numpy(rng):
    cycles = rng.uniform(-1e5, 1e5, 2_000)

    found = np.array([complex(*phasor(value)) for value in cycles])

    np.testing.assert_allclose(found, np.exp(2j * np.pi * cycles), atol=1e-6)


@pytest.mark.parametrize("bandwidth", [0.64, 0.75, 0.88])
def test_weights_are_those_of_the_windowed_sinc(bandwidth):
    fraction = np.linspace(0.0, 1.0, 33)
    taps = fit_taps(bandwidth)

    found = np.empty((33, TAPS))
    for row, value in enumerate(fraction):
        for k in range(TAPS // 2):
            found[row, k], found[row, TAPS - 1 - k] = tap_pair(taps, k, np.float32(value - 0.5))

    np.testing.assert_allclose(found, sinc_weights(fraction, bandwidth), atol=3e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-4)
