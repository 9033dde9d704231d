"""What each calibration means, by the physics that ties them together and the product's tables."""

import numpy as np
import pytest

from simulator.s1_grd import read_metadata
from tests.chains.simulated_pass import targets_of

pytestmark = pytest.mark.xdist_group("hills")

EXACT = {"polarizations": "VV", "lossless": "true"}


@pytest.fixture(scope="module")
def gamma0(hills):
    return hills.tile(**EXACT)


@pytest.fixture(scope="module")
def incidence(hills):
    """Angle of incidence on the ellipsoid, radians, NaN outside the image."""
    stored = hills.tile(masks="true").mask("IA").astype(np.float64)
    return np.radians(np.where(stored == 0, np.nan, stored * 0.01))


def _decibels(ratio):
    known = ratio[np.isfinite(ratio)]
    assert known.size > 1_000_000
    return 10 * np.log10(known)


def _bright(tile):
    """Power, without pixels in which noise removal has left a neighbour at the least value."""
    power = tile.power()
    return np.where(power < 1e-2, np.nan, power)


def test_patches_come_back_in_both_polarisations(hills):
    tile = hills.tile(masks="true")
    bias_db = np.concatenate([tile.score(name).bias_db for name in ("VV", "VH")])
    assert np.abs(bias_db).max() <= 0.2
    # 9500 pixels of 4.4 looks a patch: 0.02 dB, three times that where noise is as strong.
    assert abs(bias_db.mean()) <= 3 * 0.04 / bias_db.size**0.5


def test_sigma0_is_gamma0_times_the_cosine_of_the_incidence(hills, gamma0, incidence):
    sigma0 = _bright(hills.tile(calibration="sigma0", **EXACT))
    off_db = _decibels(sigma0 / _bright(gamma0) / np.cos(incidence))
    # The tables hold for the mean height: 600 m of relief turn the look by 0.06 degrees.
    assert np.abs(off_db).max() <= 0.01
    assert abs(off_db.mean()) <= 0.003


def test_sigma0_is_beta0_times_the_sine_of_the_incidence(hills, incidence):
    sigma0 = _bright(hills.tile(calibration="sigma0", **EXACT))
    beta0 = _bright(hills.tile(calibration="beta0", **EXACT))
    off_db = _decibels(sigma0 / beta0 / np.sin(incidence))
    assert np.abs(off_db).max() <= 0.01
    assert abs(off_db.mean()) <= 0.002


@pytest.fixture(scope="module")
def numbers(hills):
    """Digital numbers on the map; noise is never taken out of them, whatever is asked."""
    return hills.tile(calibration="dn", denoise="true", **EXACT)


def test_digital_numbers_are_amplitudes_to_be_calibrated_by_the_table(hills, numbers):
    """At each target the table of the product turns the numbers into gamma0 with its noise."""
    noisy = hills.tile(denoise="false", **EXACT)
    table = read_metadata(hills.paths[0])[1]["VV"].calibration["gamma"]
    ratio = numbers.power().astype(np.float64) ** 2 / noisy.power()
    vectors = table.vectors(hills.frame.samples)
    compared = 0
    for target in targets_of(hills.truth()):
        rows, columns = numbers.pixel(target)
        before = int(np.searchsorted(table.line, target["line"], side="right")) - 1
        sample = round(target["sample"])
        # Between two vectors a second apart the table changes by less than the tolerance.
        assert ratio[rows, columns] == pytest.approx(vectors[before, sample] ** 2, rel=5e-4)
        compared += 1
    assert compared >= 8


def test_digital_numbers_are_reported_with_their_noise(numbers):
    assert numbers.body["denoised"] is False


def test_without_denoising_the_noise_stays_in(hills):
    """Thermal noise lifts each patch by what the product's own noise table says."""
    noisy = hills.tile(denoise="false", polarizations="VH", lossless="true").score("VH").bias_db
    clean = hills.tile(masks="true").score("VH").bias_db
    expected = _noise_lift_db(hills)
    assert expected.min() > 0.2  # else this would tell nothing
    # Speckle is the same in both: what is left is the swell of the noise over a patch.
    np.testing.assert_allclose(noisy - clean, expected, atol=0.15)


def _noise_lift_db(hills):
    radiometry = read_metadata(hills.paths[0])[1]["VH"]
    samples = hills.frame.samples
    noise = radiometry.noise.vectors(samples)
    gamma = radiometry.calibration["gamma"].vectors(samples)
    lifts = []
    for patch in targets_of(hills.truth(), "patches"):
        line, sample = patch["line"], round(patch["sample"])
        row = np.abs(radiometry.noise.line - line).argmin()
        power = noise[row, sample]
        for block in radiometry.noise_blocks:
            inside = block.first_line <= line <= block.last_line
            if inside and block.first_sample <= sample <= block.last_sample:
                power *= np.interp(line, block.line, block.value)
        row = np.abs(radiometry.calibration["gamma"].line - line).argmin()
        lifts.append(1 + power / gamma[row, sample] ** 2 / patch["gamma0"]["VH"])
    return 10 * np.log10(lifts)


def test_denoising_is_reported_as_it_was_asked(hills):
    assert hills.tile(masks="true").body["denoised"] is True
    assert hills.tile(denoise="false", **EXACT).body["denoised"] is False


def test_files_are_named_after_their_calibration(hills, gamma0, numbers):
    stem = gamma0.path().stem
    assert hills.tile(calibration="sigma0", **EXACT).path().stem == f"{stem}_sigma"
    assert hills.tile(calibration="beta0", **EXACT).path().stem == f"{stem}_beta"
    assert numbers.path().stem == f"{stem}_dn"
