"""Simulated bursts obey the physics of TOPS: checked without the simulator's own geometry."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from algorithms.constants import SPEED_OF_LIGHT
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import SlcProduct, SlcSwath, open_slc
from simulator.terrain import ROLLING_HILLS, Terrain
from simulator.tops.instrument import IW
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import FLAT_GAMMA0, PointTarget, Scene
from simulator.tops.truth import PairTruth
from tests.simulator.tops.radar import abeam, doppler, earth_fixed, looks

Complex64 = NDArray[np.complex64]

# Hills and a flat Earth beside them, in a place of its own.
TERRAIN = Terrain.random(
    ROLLING_HILLS, np.radians(1.83), np.radians(43.6), np.random.default_rng(3), scale=0.7
)
SHIFT = 0.04  # lines, injected
AROUND = np.arange(-16, 17)


class Pair(NamedTuple):
    """Two products, and what is true of them."""

    reference: SlcProduct
    secondary: SlcProduct
    truth: PairTruth


def acquire(folder: Path, order: Order) -> Pair:
    paths = write_passes(folder, order, Options(dem=False))
    truth = PairTruth.read(folder / f"{paths[1].stem}.truth.json")
    return Pair(*(open_slc(Safe.open(path)) for path in paths), truth)


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A second pass on the same orbit: its images need no resampling."""
    scene = Scene(TERRAIN, targets=(PointTarget(60.0, -350.0, 8_000.0),), noise=0.008)
    order = Order(
        scene,
        (Pass(), Pass(days=12, coherence=0.8, misregistration=SHIFT)),
        swaths=("IW1",),
        lines=400,
        samples=240,
    )
    return acquire(tmp_path_factory.mktemp("aligned"), order)


@pytest.fixture(scope="module")
def swath(aligned: Pair) -> SlcSwath:
    return aligned.reference.swaths["IW1"]


def images(swath: SlcSwath) -> list[Complex64]:
    return [swath.read(burst.burst_id) for burst in swath.bursts]


def test_the_spectrum_drifts_as_the_steering_says(swath: SlcSwath) -> None:
    for burst, image in zip(swath.bursts, images(swath), strict=True):
        turn = (image[1:] * image[:-1].conj())[slice(*burst.valid_lines)]
        frequency = np.angle(turn.sum(axis=1)) / (2 * np.pi * burst.azimuth_time_interval)
        line = np.arange(*burst.valid_lines)[: turn.shape[0]]
        middle = np.array(0.5 * burst.samples)
        error = frequency - doppler(burst, line + 0.5, middle)
        sampling = 1 / burst.azimuth_time_interval
        error = ((error + sampling / 2) % sampling - sampling / 2)[:-1]
        # 220 samples hold about 190 looks of a spectrum 327 Hz wide: 7 Hz a line, 0.4 Hz together.
        assert np.std(error) < 10
        assert abs(np.mean(error)) < 2
        # The ramp: 1731 Hz/s over 0.8 s, found to a few Hz at the ends.
        assert abs(np.polyfit(line[:-1] * burst.azimuth_time_interval, error, 1)[0]) < 8


def test_a_point_is_focused_where_its_doppler_is_zero(aligned: Pair, swath: SlcSwath) -> None:
    (target,) = aligned.truth.targets()
    point = earth_fixed(target["longitude"], target["latitude"], target["height"])
    found = 0
    for burst, image in zip(swath.bursts, images(swath), strict=True):
        seen = abeam(burst.orbit, point, burst.mid_time)
        # What the processor corrects for the middle of the mode, half of the two-way time, is left.
        bistatic = seen.slant_range / SPEED_OF_LIGHT - IW.bulk_delay / 2
        line = (seen.time - bistatic - burst.azimuth_time) / burst.azimuth_time_interval
        sample = float(burst.sample_of(seen.slant_range))
        if not 20 < line < burst.lines - 20:
            continue
        found += 1
        # To baseband: the response is then a smooth bump, whose top a finer sampling shows.
        rows, columns = round(line) + AROUND, round(sample) + AROUND
        frequency = doppler(burst, np.array(line), np.array(sample))
        late = (rows - line) * burst.azimuth_time_interval
        flat = image[np.ix_(rows, columns)] * np.exp(-2j * np.pi * frequency * late)[:, None]
        fine = np.arange(-1.5, 1.5, 0.01)
        along, across = (np.sinc(fine[:, None] + m - k) for m, k in
                         ((round(line), rows), (round(sample), columns)))  # fmt: skip
        bump = along @ flat @ across.T
        top = np.unravel_index(np.abs(bump).argmax(), bump.shape)
        # The clutter around is 39 dB below the peak: 1/90 of its amplitude, about 0.01 samples.
        assert round(line) + fine[top[0]] == pytest.approx(line, abs=0.04)
        assert round(sample) + fine[top[1]] == pytest.approx(sample, abs=0.04)
        phase = np.angle(bump[top] * np.exp(4j * np.pi / burst.wavelength * seen.slant_range))
        # Clutter: 1/90 rad; the place of the top times the Doppler left in baseband: less.
        assert abs(phase) < 0.06
    assert found >= 1


def test_coherence_is_the_one_asked_for_less_the_noise(aligned: Pair) -> None:
    for burst, one, other in zip(
        aligned.reference.swaths["IW1"].bursts,
        images(aligned.reference.swaths["IW1"]),
        images(aligned.secondary.swaths["IW1"]),
        strict=True,
    ):
        # Without the target; the injected shift turns the phase along the burst.
        valid = slice(burst.valid_lines[0], burst.valid_lines[1]), slice(130, 230)
        line, sample = np.mgrid[valid]
        turn = -2 * np.pi * SHIFT * burst.azimuth_time_interval
        turned = other[valid] * np.exp(1j * turn * -doppler(burst, line, sample))
        power = np.sum(np.abs(one[valid]) ** 2) * np.sum(np.abs(other[valid]) ** 2)
        coherence = abs(np.vdot(turned, one[valid])) / np.sqrt(power)
        expected = 0.8 * FLAT_GAMMA0 / (FLAT_GAMMA0 + 0.008)
        # 38,000 pixels hold some 15,000 looks: 0.004 at this coherence; 3 sigma.
        assert coherence == pytest.approx(expected, abs=0.012)


def test_noise_brightens_the_image_by_its_own_power(swath: SlcSwath) -> None:
    burst = swath.bursts[0]
    image = images(swath)[0][slice(*burst.valid_lines), 130:230]
    mean = np.mean(np.abs(image) ** 2) / 270.0**2
    assert mean == pytest.approx(FLAT_GAMMA0 + 0.008, rel=0.03)  # 3 sigma of 15,000 looks


def test_bursts_that_overlap_tell_the_injected_shift(aligned: Pair) -> None:
    first, second = aligned.reference.swaths["IW1"].bursts
    others = images(aligned.secondary.swaths["IW1"])
    phases = [
        one * other.conj()
        for one, other in zip(images(aligned.reference.swaths["IW1"]), others, strict=True)
    ]
    after = round((second.azimuth_time - first.azimuth_time) / first.azimuth_time_interval)
    line = np.arange(after + second.valid_lines[0], first.valid_lines[1])
    sample = np.arange(*first.valid_samples)
    double = looks(phases[0][np.ix_(line, sample)], 5, 10) * np.conj(
        looks(phases[1][np.ix_(line - after, sample)], 5, 10)
    )
    middle = np.array(0.5 * first.samples)
    gap = doppler(first, line.mean(), middle) - doppler(second, line.mean() - after, middle)
    # The bursts see the overlap under Doppler frequencies far apart.
    assert abs(gap) > 1_000
    shift = np.angle(double.sum()) / (2 * np.pi * gap * first.azimuth_time_interval)
    # 0.7 of coherence, some 8,000 looks: 0.01 rad each, at 6.7 rad a line.
    assert shift == pytest.approx(SHIFT, abs=0.006)
