"""The equivalent number of looks of scenes whose speckle is known."""

import numpy as np
import pytest

from algorithms.speckle import equivalent_looks, looks_map
from tests.algorithms.speckle.scenes import LOOKS, speckled


@pytest.mark.parametrize("looks", [1.0, 4.4, 41.0])
def test_a_homogeneous_scene_has_the_looks_of_its_speckle(rng, looks):
    image = rng.gamma(looks, 0.1 / looks, (400, 400)).astype(np.float32)

    # 700 windows, of which each tells it to sqrt((2 + 6 / L) / 225), at most 19 %.
    assert equivalent_looks(image) == pytest.approx(looks, rel=0.05)


def test_texture_and_edges_do_not_change_the_looks_of_a_scene(rng):
    scene = np.full((450, 450), 0.05)
    scene[:150] *= rng.gamma(2.0, 0.5, (150, 450))
    scene[150:, :150] = 0.3
    scene[200:210] = 1.0
    image = speckled(rng, scene, 1)[0]
    image[:40, 300:] = 0

    assert equivalent_looks(image) == pytest.approx(LOOKS, rel=0.07)


def test_the_map_tells_speckle_from_texture(rng):
    scene = np.full((120, 240), 0.05)
    scene[:, 120:] *= rng.gamma(2.0, 0.5, (120, 120))
    image = speckled(rng, scene, 1)[0]
    image[:30, :30] = 0

    looks = looks_map(image)

    assert (looks[:30, :30] == 0).all()
    assert np.median(looks[40:, 10:110]) == pytest.approx(LOOKS, rel=0.05)
    # (1 + 1 / 4.4) (1 + 1 / 2) - 1 is the variation of both: 1.19 looks.
    assert np.median(looks[:, 130:]) == pytest.approx(1.19, rel=0.1)


def test_a_scene_without_a_full_window_has_no_number_of_looks(rng):
    assert equivalent_looks(np.zeros((100, 100), np.float32)) is None
    assert equivalent_looks(speckled(rng, np.full((14, 100), 0.1), 1)[0]) is None
    assert equivalent_looks(np.ones((100, 100), np.float32)) is None
