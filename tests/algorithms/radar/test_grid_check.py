"""The model against the geolocation grid of every real annotation, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.radar.grd import StateVectors
from algorithms.radar.grid_check import check_against_grid

# Product, and the largest residuals in lines and in samples of an independent implementation of
# the same model (nearest record, constant azimuth offset taken out).
PRODUCTS = {
    "_6FF8": (0.0004, 1e-4),
    "_ECC8": (0.0010, 1e-4),
    "_5371": (0.0010, 1e-4),
    "_8255": (0.0011, 1e-4),
    "_9550": (0.0011, 1e-4),
    "_6D00": (0.0055, 1e-4),
    "_FEC3": (0.0060, 1.15),
    "_CEAB": (0.0060, 2.34),
    "_3768": (0.0060, 1.36),
    "_BB15": (0.0011, 1e-4),
    "_4B8B": (0.0011, 1e-4),
}


@pytest.mark.parametrize("part", PRODUCTS)
def test_every_real_product_agrees_with_its_own_grid(annotation_of, part):
    annotation, version = annotation_of(part)
    line_max, sample_max = PRODUCTS[part]

    check = check_against_grid(annotation)

    assert check.line_max <= line_max
    assert check.sample_max <= sample_max
    assert check.refusal(version) is None


@pytest.mark.parametrize(
    ("part", "rms", "largest"),
    [("_6FF8", 0.146, 0.35), ("_ECC8", 0.456, 1.51), ("_5371", 0.186, 0.52), ("_6D00", 0.22, 0.93)],
)
def test_the_rules_of_the_records_differ_as_published(annotation_of, part, rms, largest):
    check = check_against_grid(annotation_of(part)[0])

    # Rounded to hundredths there; interpolating coefficients or their inverses differs by 0.002.
    assert check.srgr_rms == pytest.approx(rms, abs=0.008)
    assert check.srgr_max == pytest.approx(largest, abs=0.008)


def test_the_bistatic_delay_is_reduced_to_mid_swath(annotation_of):
    annotation, _ = annotation_of("_6FF8")

    check = check_against_grid(annotation)

    slant_range_time = annotation.grid.slant_range_time
    assert slant_range_time.min() < check.mid_swath_time < slant_range_time.max()
    assert check.mid_swath_time == pytest.approx(5.87e-3, abs=0.02e-3)


def shifted(vectors, seconds):
    return StateVectors(vectors.time + seconds, vectors.position, vectors.velocity)


def test_an_offset_below_a_millisecond_is_found_and_kept(massif_central):
    late = replace(massif_central, state_vectors=shifted(massif_central.state_vectors, 0.5e-3))

    before, after = check_against_grid(massif_central), check_against_grid(late)

    assert after.azimuth_offset - before.azimuth_offset == pytest.approx(0.5e-3, abs=1e-7)
    assert after.line_rms == pytest.approx(before.line_rms, abs=1e-4)


def test_an_offset_above_a_millisecond_is_refused_with_its_figure(massif_central):
    late = replace(massif_central, state_vectors=shifted(massif_central.state_vectors, 2e-3))

    with pytest.raises(ValueError, match=r"azimuth offset of 2\.000 ms .* at most 1 ms"):
        check_against_grid(late)


def test_precise_vectors_do_not_move_the_offset(massif_central):
    later = shifted(massif_central.state_vectors, 0.7e-3)

    check = check_against_grid(replace(massif_central, precise_vectors=later))

    assert check == check_against_grid(massif_central)


def test_a_damaged_orbit_list_leaves_the_precise_vectors(massif_central):
    vectors = massif_central.state_vectors
    damaged = replace(
        massif_central, state_vectors=shifted(vectors, 10e-3), precise_vectors=vectors
    )

    assert check_against_grid(damaged) == check_against_grid(massif_central)


def test_limits_follow_the_processor_version(massif_central):
    check = replace(check_against_grid(massif_central), line_rms=0.06)

    assert check.refusal(2.36) is None
    assert "0.060 lines rms, at most 0.05" in check.refusal(3.31)
    assert "3.500 samples rms, at most 3.0" in replace(check, sample_rms=3.5).refusal(2.36)


def test_records_of_another_product_are_refused(massif_central):
    records = massif_central.ground_range
    other = replace(records, ground_to_slant=records.ground_to_slant + np.eye(1, 9) * 100.0)

    with pytest.raises(ValueError, match="samples rms"):
        check_against_grid(replace(massif_central, ground_range=other))


def still(vectors):
    return replace(vectors, velocity=np.zeros_like(vectors.velocity))


def test_an_orbit_without_velocities_is_refused(massif_central):
    damaged = replace(massif_central, state_vectors=still(massif_central.state_vectors))

    with pytest.raises(ValueError, match="orbit vectors do not see the points of the geolocation"):
        check_against_grid(damaged)


def test_an_orbit_without_velocities_leaves_the_precise_vectors(massif_central):
    vectors = massif_central.state_vectors
    damaged = replace(massif_central, state_vectors=still(vectors), precise_vectors=vectors)

    assert check_against_grid(damaged) == check_against_grid(massif_central)


def test_an_orbit_beside_the_scene_leaves_the_precise_vectors(massif_central):
    vectors = massif_central.state_vectors
    elsewhere = replace(
        massif_central, state_vectors=shifted(vectors, 3600.0), precise_vectors=vectors
    )

    assert check_against_grid(elsewhere) == check_against_grid(massif_central)


@pytest.mark.parametrize("field", ["azimuth_offset", "line_rms", "sample_rms"])
@pytest.mark.parametrize("version", [2.36, 3.31])
def test_what_is_no_number_is_refused(massif_central, field, version):
    check = replace(check_against_grid(massif_central), **{field: np.nan})

    assert check.refusal(version) is not None
