"""Where ground points lie in real images, by an independent solution and by the grid itself."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial import polynomial
from pyproj import Transformer
from scipy.interpolate import KroghInterpolator
from scipy.optimize import brentq

from algorithms.constants import SPEED_OF_LIGHT
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.grd import StateVectors


def inside_points(annotation, rng, count=20):
    """Ground points within the image, by the annotation's grid, at heights of 0 to 3000 m."""
    grid = annotation.grid
    row = rng.integers(1, grid.line.shape[0] - 1, count)
    column = rng.integers(2, grid.line.shape[1] - 2, count)
    jitter = rng.uniform(-0.01, 0.01, (2, count))
    longitude = grid.longitude[row, column] + np.radians(jitter[0])
    latitude = grid.latitude[row, column] + np.radians(jitter[1])
    return longitude, latitude, rng.uniform(0.0, 3000.0, count)


def solve(annotation, longitude, latitude, height):
    """Zero Doppler by bisection on an interpolation of the vectors, with another library's ECEF."""
    point = Transformer.from_crs(4979, 4978, always_xy=True).transform(
        longitude, latitude, height, radians=True
    )
    vectors = annotation.state_vectors
    middle = annotation.first_line_time + 0.5 * annotation.lines * annotation.line_interval
    near = np.argsort(np.abs(vectors.time - middle))[:8]
    position = KroghInterpolator(vectors.time[near], vectors.position[near])
    velocity = KroghInterpolator(vectors.time[near], vectors.velocity[near])
    time = brentq(
        lambda t: float(velocity(t) @ (point - position(t))), middle - 40, middle + 40, xtol=1e-12
    )
    return time, float(np.linalg.norm(point - position(time)))


def pixel(annotation, time, slant_range, check, *, linear):
    """Line and sample by the definition, record polynomials solved by bisection."""
    delay = slant_range / SPEED_OF_LIGHT - 0.5 * check.mid_swath_time
    line_time = time - check.azimuth_offset - delay
    line = (line_time - annotation.first_line_time) / annotation.line_interval
    records = annotation.ground_range
    place = np.interp(line_time, records.azimuth_time, np.arange(len(records.azimuth_time)))
    before = min(int(place), len(records.azimuth_time) - 2)
    weight = place - before if linear else float(round(place - before))
    pair = records.ground_to_slant[before : before + 2]
    coefficients = (1.0 - weight) * pair[0] + weight * pair[1]
    ground = brentq(
        lambda g: polynomial.polyval(g, coefficients) - slant_range, -5e4, 6e5, xtol=1e-7
    )
    return line, ground / annotation.range_spacing


@pytest.mark.parametrize("srgr", ["linear", "nearest"])
@pytest.mark.parametrize("part", ["_6FF8", "_ECC8", "_8255", "_9550", "_6D00", "_BB15", "_4B8B"])
def test_points_lie_where_an_independent_solution_puts_them(annotation_of, rng, part, srgr):
    annotation, _ = annotation_of(part)
    geometry = RadarGeometry.from_annotations([annotation], srgr=srgr)
    points = inside_points(annotation, rng)

    location = geometry.locate(*points)

    for index, point in enumerate(zip(*points, strict=True)):
        time, slant_range = solve(annotation, *point)
        line, sample = pixel(
            annotation, time, slant_range, geometry.frames[0].check, linear=srgr == "linear"
        )
        # A least-squares polynomial and one through eight vectors differ by millimetres.
        assert location.slant_range[index] == pytest.approx(slant_range, abs=0.01)
        if np.isnan(location.line[index]):
            inside = -0.5 <= line <= annotation.lines - 0.5
            assert not (inside and -0.5 <= sample <= annotation.samples - 0.5)
            continue
        assert location.line[index] == pytest.approx(line, abs=0.002)
        assert location.sample[index] == pytest.approx(sample, abs=0.004)


def test_the_nearest_record_puts_the_grid_on_its_own_pixels(massif_central):
    grid = massif_central.grid
    geometry = RadarGeometry.from_annotations([massif_central], srgr="nearest")

    location = geometry.locate(grid.longitude, grid.latitude, grid.height)

    np.testing.assert_allclose(location.line, grid.line, atol=0.001)
    # The table is linear to 40**2 / 8 * d2g/dR2: 2 mm.
    np.testing.assert_allclose(location.sample, grid.sample, atol=3e-4)


def test_without_the_bistatic_term_lines_lean_by_a_fifth_over_the_swath(massif_central):
    grid = massif_central.grid
    points = grid.longitude, grid.latitude, grid.height
    with_term = RadarGeometry.from_annotations([massif_central], srgr="nearest").locate(*points)
    geometry = RadarGeometry.from_annotations([massif_central], bistatic=False, srgr="nearest")

    difference = geometry.locate(*points).line - with_term.line

    check = geometry.frames[0].check
    expected = 0.5 * (grid.slant_range_time - check.mid_swath_time) / massif_central.line_interval
    inside = np.isfinite(difference)
    np.testing.assert_allclose(difference[inside], expected[inside], atol=1e-4)
    assert np.abs(expected).max() == pytest.approx(0.185, abs=0.01)


def test_precise_vectors_move_points_and_the_offset_stays(massif_central):
    vectors = massif_central.state_vectors
    later = StateVectors(vectors.time + 0.5e-3, vectors.position, vectors.velocity)
    grid = massif_central.grid
    points = grid.longitude[3:7, 3:17], grid.latitude[3:7, 3:17], grid.height[3:7, 3:17]

    own = RadarGeometry.from_annotations([massif_central])
    precise = RadarGeometry.from_annotations([replace(massif_central, precise_vectors=later)])

    moved = precise.locate(*points).line - own.locate(*points).line
    np.testing.assert_allclose(moved, 0.5e-3 / massif_central.line_interval, atol=1e-5)


def test_two_frames_are_one_image_in_either_order(two_frames):
    one, other = two_frames

    geometry = RadarGeometry.from_annotations([other, one])

    assert [frame.first_line for frame in geometry.frames] == [0, 16_685]
    assert geometry.lines == 2 * 16_685
    # The near range of this pass moves out by one sample between its frames.
    assert [frame.sample_shift for frame in geometry.frames] == [1, 0]
    assert geometry.samples == 25_368


def test_each_frame_keeps_its_own_place_in_the_pass(two_frames):
    whole = RadarGeometry.from_annotations(two_frames)

    for frame in whole.frames:
        single = RadarGeometry.from_annotations([frame.annotation])
        grid = frame.annotation.grid
        points = grid.longitude[1:-1], grid.latitude[1:-1], grid.height[1:-1]
        alone, together = single.locate(*points), whole.locate(*points)
        inside = np.isfinite(alone.line)
        assert inside.sum() > 150
        # The vectors of two frames of this old processor make one orbit to centimetres, once each
        # frame's constant offset (1.3 m apart) is taken out of them.
        np.testing.assert_allclose(
            together.line[inside], alone.line[inside] + frame.first_line, atol=0.004
        )
        np.testing.assert_allclose(
            together.sample[inside], alone.sample[inside] + frame.sample_shift, atol=0.01
        )


def test_no_line_is_missing_at_the_seam(two_frames):
    geometry = RadarGeometry.from_annotations(two_frames)
    first, second = two_frames
    steps = np.linspace(-0.02, 0.02, 4001)[:, None]
    # Along the track through the seam, at three ranges.
    longitude = second.grid.longitude[0, [3, 10, 17]] + steps * np.radians(-0.2)
    latitude = second.grid.latitude[0, [3, 10, 17]] + steps * np.radians(1.0)

    location = geometry.locate(longitude, latitude, second.grid.height[0, [3, 10, 17]])

    assert np.isfinite(location.line).all()
    assert location.line.min() < first.lines - 2 < first.lines + 2 < location.line.max()
    steps = np.diff(location.line, axis=0)
    assert np.abs(steps - steps.mean(axis=0)).max() < 0.004


def test_frames_that_do_not_continue_each_other_are_refused(massif_central):
    gap = replace(massif_central, first_line_time=massif_central.first_line_time + 26.0)

    with pytest.raises(
        ValueError, match=r"second begins at line 173\d\d\.\d of the first, .* 16676"
    ):
        RadarGeometry.from_annotations([massif_central, gap])


def test_no_frame_is_refused():
    with pytest.raises(ValueError, match="one annotation or more"):
        RadarGeometry.from_annotations([])


def test_the_antenna_is_where_the_range_says(massif_central):
    geometry = RadarGeometry.from_annotations([massif_central])
    grid = massif_central.grid
    location = geometry.locate(grid.longitude, grid.latitude, grid.height)
    ground = np.stack(
        Transformer.from_crs(4979, 4978, always_xy=True).transform(
            grid.longitude, grid.latitude, grid.height, radians=True
        ),
        axis=-1,
    )

    distance = np.linalg.norm(geometry.antenna_position(location.azimuth_time) - ground, axis=-1)

    np.testing.assert_allclose(distance, location.slant_range, atol=1e-6)


def test_a_point_on_the_other_side_of_the_earth_is_nowhere(massif_central):
    geometry = RadarGeometry.from_annotations([massif_central])

    location = geometry.locate(np.radians(-175.0), np.radians(-45.0), 0.0)

    assert np.isnan(location.line)
    assert np.isnan(location.sample)


@pytest.mark.parametrize("rule", ["linear", "nearest"])
def test_a_single_ground_range_record_holds_everywhere(massif_central, rng, rule):
    records, grid = massif_central.ground_range, massif_central.grid
    row = grid.line.shape[0] // 2
    near = int(np.argmin(np.abs(records.azimuth_time - grid.azimuth_time[row].mean())))

    def only(table, index):
        return replace(table, **{k: v[index : index + 1] for k, v in vars(table).items()})

    single = only(records, near)
    annotation = replace(massif_central, ground_range=single, grid=only(grid, row))
    points = inside_points(massif_central, rng)

    found = RadarGeometry.from_annotations([annotation], srgr=rule).locate(*points)

    origin, coefficients = single.ground_range_origin[0], single.ground_to_slant[0]
    ground = found.sample * massif_central.range_spacing - origin
    # The table of samples errs by 2 mm of ground range.
    slant = polynomial.polyval(ground, coefficients)
    np.testing.assert_allclose(slant, found.slant_range, atol=3e-3)
    assert np.isfinite(found.line).all()
