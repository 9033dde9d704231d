"""Unwrapping of simulated interferograms whose cycles are known."""

import os
import subprocess
import sys

import numpy as np
import pytest

from algorithms.interferometry.cells import PairCells, coarser_cells
from algorithms.interferometry.goldstein import goldstein
from algorithms.interferometry.ground_coherence import CoherenceWindow, ground_coherence
from algorithms.unwrapping import (
    MissingUnwrapperError,
    Unwrapped,
    reference_block,
    reference_phase,
    refined,
    unwrap,
)
from simulator.interferogram import score_unwrapping, simulate_interferogram
from tests.patience import stretched


@pytest.fixture(scope="module")
def truth():
    return simulate_interferogram((400, 400), looks=20, seed=1)


@pytest.mark.parametrize("method", ["whirlwind", "snaphu"])
def test_cycles_are_found_inside_components(truth, method):
    if method == "snaphu":
        pytest.importorskip("snaphu")

    found = unwrap(truth.interferogram, truth.coherence, looks=20, mask=truth.land, method=method)

    score = score_unwrapping(truth, *found)
    # The benchmark's 0.0015 at 2000 x 2000 scatters by a third on a twenty-fifth of the cells.
    assert score.everywhere < 0.002
    assert score.inside < 0.0001
    assert score.labelled > 0.85
    assert np.isnan(found.phase[~truth.land]).all()
    assert not found.components[~truth.land].any()
    angle = np.angle(truth.interferogram[truth.land] * np.exp(-1j * found.phase[truth.land]))
    np.testing.assert_allclose(angle, 0.0, atol=1e-4)


def test_islands_are_levelled_by_whole_cycles():
    row, column = np.indices((120, 160))
    phase = (0.11 * column - 0.03 * row).astype(np.float32)
    mask = (column < 70) | (column > 74)

    found = unwrap(np.exp(1j * phase), np.full(phase.shape, 0.9, np.float32), looks=20, mask=mask)

    error = found.phase - phase
    assert np.ptp(error[mask]) < 1e-3


def test_phases_refer_to_the_most_coherent_block(truth):
    found = unwrap(truth.interferogram, truth.coherence, looks=20, mask=truth.land)

    block = reference_block(found, truth.coherence)
    assert block is not None
    reference = reference_phase(found, block)

    level = np.median((found.phase - truth.phase)[found.components == 1])
    near = np.abs(truth.phase + level - reference) < 1.0
    assert truth.coherence[near].max() > 0.9
    assert np.nanmin(found.phase) <= reference <= np.nanmax(found.phase)


def test_noise_has_no_component(rng):
    shape = (80, 90)
    noise = np.exp(2j * np.pi * rng.uniform(size=shape)).astype(np.complex64)

    found = unwrap(noise, np.full(shape, 0.05, np.float32), looks=20)

    assert not found.components.any()
    assert np.isfinite(found.phase).all()
    assert reference_block(found, np.full(shape, 0.05, np.float32)) is None


def ramp(shape):
    row, column = np.indices(shape)
    return 0.13 * column - 0.21 * row + 12.0


def squares(phase, factor):
    """Return means over squares, exact at the middle of a ramp's."""
    rows, columns = (size // factor for size in phase.shape)
    return phase.reshape(rows, factor, columns, factor).mean(axis=(1, 3)).astype(np.float32)


@pytest.mark.parametrize("strip", [1, 1 << 20])
def test_cells_take_the_cycles_of_the_squares_that_they_are_in(rng, monkeypatch, strip):
    monkeypatch.setattr("algorithms.unwrapping._STRIP_CELLS", strip)
    phase = ramp((40, 60))
    noisy = phase + rng.uniform(-3.0, 3.0, phase.shape)
    level = squares(phase, 4)
    numbers = np.ones(level.shape, np.uint32)
    numbers[:, 8:] = 2
    mask = rng.uniform(size=phase.shape) > 0.1

    found = refined(Unwrapped(level, numbers), np.exp(1j * noisy).astype(np.complex64), 4, mask)

    # Linear between squares is exact on a ramp, but for the half squares beyond the last middles.
    inner = np.zeros_like(mask)
    inner[2:-2, 2:-2] = mask[2:-2, 2:-2]
    np.testing.assert_allclose(found.phase[inner], noisy[inner], atol=1e-4)
    assert np.isnan(found.phase[~mask]).all()
    # Noise of more than a quarter of a cycle leaves a cell out of the components.
    near = np.abs(noisy - phase) < 0.5 * np.pi
    expected = np.where(near, np.repeat(np.repeat(numbers, 4, axis=0), 4, axis=1), 0)
    assert np.array_equal(found.components[inner], expected[inner])


@pytest.mark.parametrize("beyond", [1, 2])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_cycles_between_squares_stay_on_their_border(factor, beyond):
    """Three cycles between components, or within one along a fault: a third would be a cycle."""
    phase = ramp((12 * factor, 12 * factor))
    level, cycles = squares(phase, factor), np.zeros((12, 12))
    cycles[5:, 4:] = 3
    numbers = np.where(cycles > 0, beyond, 1).astype(np.uint32)
    stepped = (level + 2.0 * np.pi * cycles).astype(np.float32)

    found = refined(Unwrapped(stepped, numbers), np.exp(1j * phase).astype(np.complex64), factor)

    of_cells = np.ones((factor, factor))
    expected = phase + 2.0 * np.pi * np.kron(cycles, of_cells)
    np.testing.assert_allclose(found.phase, expected, atol=1e-4)
    assert np.array_equal(found.components, np.kron(numbers, of_cells))


def test_cells_without_a_square_around_have_no_phase():
    phase = ramp((10, 14))
    level = np.full((4, 5), np.nan, np.float32)
    level[0, 0], numbers = phase[1, 1], np.zeros((4, 5), np.uint32)
    numbers[0, 0] = 1

    found = refined(Unwrapped(level, numbers), np.exp(1j * phase).astype(np.complex64), 3)

    # Cells of squares around take its phase on, up to its neighbours' middles.
    assert np.isfinite(found.phase[:4, :4]).all()
    assert np.isnan(found.phase[4:]).all()
    assert np.isnan(found.phase[:, 4:]).all()
    assert found.components[:3, :3].all()
    assert found.components.sum() == 9
    with pytest.raises(ValueError, match="squares of 2 cells"):
        refined(Unwrapped(level, numbers), np.exp(1j * phase).astype(np.complex64), 2)


def test_cycles_of_few_looks_are_found_by_coarser_cells():
    truth = simulate_interferogram((240, 240), looks=2, seed=3, coherence=0.8)
    power = np.abs(truth.interferogram) / truth.coherence
    cells = PairCells(0, 0, truth.interferogram, power, power)
    window = CoherenceWindow(2.0, 2.0, 100.0)
    joined = ground_coherence(cells, [(slice(0, 240), window)])
    coarse = coarser_cells(cells, 3)
    land = truth.land.reshape(80, 3, 80, 3).mean(axis=(1, 3)) >= 0.5

    found = refined(
        unwrap(coarse.interferogram, coarse.coherence, looks=18, mask=land),
        goldstein(truth.interferogram, joined),
        3,
        truth.land & (joined >= 0.1),
    )

    score = score_unwrapping(truth, *found)
    # Of 1200 x 1200 cells: 0.3 percent wrong, noise of single cells; none in components, of 97.
    assert score.everywhere < 0.012
    assert score.inside < 0.0005
    assert score.labelled > 0.85


def test_nothing_to_unwrap_is_an_answer():
    found = unwrap(np.zeros((9, 9), np.complex64), np.ones((9, 9), np.float32), looks=20)

    assert np.isnan(found.phase).all()
    assert not found.components.any()


def test_an_unwrapper_that_is_missing_says_how_to_install_it(monkeypatch, truth):
    monkeypatch.setitem(sys.modules, "snaphu", None)

    with pytest.raises(MissingUnwrapperError, match=r"pip install 'peps\[snaphu\]'"):
        unwrap(truth.interferogram, truth.coherence, looks=20, method="snaphu")


FORKS = """
import os
import numpy as np
from algorithms.unwrapping import ForkedUnwrapperError, unwrap

def code_of_a_fork():
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        unwrap(np.ones((50, 50), np.complex64), np.ones((50, 50), np.float32), looks=20)
    except ForkedUnwrapperError as error:
        os._exit(3 if error.owner == os.getppid() else 4)
    os._exit(0)

codes = [code_of_a_fork()]
unwrap(np.ones((50, 50), np.complex64), np.ones((50, 50), np.float32), looks=20)
print(*codes, code_of_a_fork())
"""


def test_forks_unwrap_unless_their_parent_has():
    """Also where the environment has whirlwind start its threads when it is imported."""
    told = subprocess.run(
        [sys.executable, "-c", FORKS],
        env={**os.environ, "RAYON_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
        timeout=stretched(60.0),
    )
    assert told.stdout.split() == ["0", "3"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"looks": 0.5}, "looks"),
        ({"looks": np.nan}, "looks"),
        ({"method": "magic"}, "method"),
        ({"mask": np.ones((3, 3), bool)}, "shape"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    arguments = {"looks": 20.0, **changes}
    with pytest.raises(ValueError, match=message):
        unwrap(np.ones((9, 9), np.complex64), np.ones((9, 9), np.float32), **arguments)
