import zipfile
from datetime import UTC, datetime

import numpy as np
import pytest

from simulator.acquisition import Order, plan
from simulator.annotation import parse_annotation
from simulator.ellipsoid import cartesian
from simulator.geometry import frame_of
from simulator.instrument import EW, IW, SATELLITES, SM, Processor
from simulator.terrain import ROLLING_HILLS, Terrain

PASSES = [
    pytest.param(IW, 1.4, 43.6, True, id="IW ascending, two UTM zones nearby"),
    pytest.param(IW, 34.0, -18.0, False, id="IW descending, south"),
    pytest.param(EW, 90.0, 78.0, False, id="EW, polar"),
    pytest.param(SM, 9.0, 46.0, True, id="SM"),
    pytest.param(IW, 179.9, 0.2, True, id="IW over the antimeridian and the equator"),
]


def planned(mode, longitude, latitude, ascending, **options):
    place = np.radians((longitude, latitude))
    terrain = Terrain.random(ROLLING_HILLS, *place, np.random.default_rng(1))
    order = Order(
        mode,
        Processor.of("3.31"),
        terrain.longitude,
        terrain.latitude,
        ascending=ascending,
        **options,
    )
    return plan(order, terrain), terrain


@pytest.mark.parametrize(("mode", "longitude", "latitude", "ascending"), PASSES)
@pytest.mark.parametrize("range_rule", ["linear", "nearest"])
def test_ground_and_locate_are_inverse(mode, longitude, latitude, ascending, range_rule):
    acquisition, terrain = planned(mode, longitude, latitude, ascending, range_rule=range_rule)
    (frame,) = acquisition.frames
    line, sample = np.linspace(3, frame.lines - 3, 7), np.linspace(3, frame.samples - 3, 7)

    ground = frame.ground(line, sample, terrain)
    back = frame.locate(*ground.reshape(-1, 3).T).reshape(7, 7, 2)

    # A thousandth of a pixel is 1 cm (4 cm in EW); both ways are exact to the micrometre.
    assert np.abs(back[..., 0] - line[:, None]).max() < 1e-4
    assert np.abs(back[..., 1] - sample).max() < 1e-4
    np.testing.assert_allclose(terrain.height(*ground.T[:2]), ground.T[2], atol=1e-5)


@pytest.mark.parametrize(("mode", "longitude", "latitude", "ascending"), PASSES)
def test_the_pass_images_its_place_to_the_right(mode, longitude, latitude, ascending):
    acquisition, terrain = planned(mode, longitude, latitude, ascending)
    (frame,) = acquisition.frames
    line = np.array([0.0, frame.lines - 1.0])
    first, last = frame.ground(line, np.array([0.0, frame.samples - 1.0]), terrain)

    middle = frame.locate(
        np.array([terrain.longitude]),
        np.array([terrain.latitude]),
        np.array([terrain.base]),
    )[0]
    # The plan is made on flat ground at the mean height.
    assert middle[0] == pytest.approx(frame.lines / 2, abs=0.01 * frame.lines)
    assert middle[1] == pytest.approx(frame.samples / 2, abs=0.03 * frame.samples)
    assert (last[0, 1] > first[0, 1]) == ascending
    turn = (first[1, 0] - first[0, 0] + np.pi) % (2 * np.pi) - np.pi
    assert (turn > 0) == ascending  # far range lies east of an ascending track


def test_a_crop_sees_what_the_whole_image_sees_there():
    whole, _ = planned(IW, 1.4, 43.6, True)
    crop, _ = planned(IW, 1.4, 43.6, True, lines=400, samples=600, range_position=0.25)
    near = crop.first_sample

    ranges = [
        frame.slant_range(np.array([frame.lines / 2]), np.array([sample]))[0]
        for frame, sample in ((whole.frames[0], near), (crop.frames[0], 0.0))
    ]
    # The mean height of a narrow crop and the orbit's place differ: hundreds of metres, not km.
    assert ranges[0] == pytest.approx(ranges[1], abs=500)


def test_consecutive_frames_join_without_gap():
    acquisition, terrain = planned(IW, 1.4, 43.6, True, lines=500, samples=800, frames=3)
    ends = [frame.lines - 0.5 for frame in acquisition.frames]
    for before, after, end in zip(acquisition.frames, acquisition.frames[1:], ends, strict=False):
        seam_before = before.ground(np.array([end]), np.array([100.0]), terrain)
        seam_after = after.ground(np.array([-0.5]), np.array([100.0]), terrain)
        gap = cartesian(*seam_before[0, 0]) - cartesian(*seam_after[0, 0])
        # The first line's time is rounded to 1 microsecond: 7 mm. Records differ by height.
        assert np.linalg.norm(gap) < 0.5


def test_the_bistatic_term_moves_near_and_far_range_apart():
    shifts = []
    with_term, terrain = planned(IW, 1.4, 43.6, True)
    without, _ = planned(IW, 1.4, 43.6, True, bistatic=False)
    for sample in (0.0, IW.samples - 1.0):
        place = with_term.frames[0].ground(np.array([8000.0]), np.array([sample]), terrain)[0, 0]
        lines = [
            item.frames[0].locate(*(np.array([part]) for part in place))[0, 0]
            for item in (with_term, without)
        ]
        shifts.append(lines[1] - lines[0])
    # +-0.18 line at near and far range, as the grids of nine real products show.
    assert shifts == pytest.approx([-0.18, 0.18], abs=0.02)


def test_an_old_processor_dates_its_lines_early():
    acquisition, terrain = planned(IW, 1.4, 43.6, True, lines=400, samples=600)
    offset = 3.5e-4
    place = acquisition.frames[0].ground(np.array([100.0]), np.array([50.0]), terrain)[0, 0]
    old = plan(
        Order(
            IW, Processor.of("2.36"), terrain.longitude, terrain.latitude, lines=400, samples=600
        ),
        terrain,
    )
    line = old.frames[0].locate(*(np.array([part]) for part in place))[0, 0]

    assert old.frames[0].azimuth_offset == offset
    assert line == pytest.approx(100.0 - offset / old.frames[0].line_interval, abs=1e-3)


def test_real_grids_are_reproduced_by_the_nearest_rule(reference_data):
    archives = sorted((reference_data / "s1" / "safe").glob("*.zip"))
    assert archives
    for path in archives:
        annotation = parse_annotation(_annotation(path))
        grid = annotation.grid
        residuals = {}
        for rule in ("nearest", "linear"):
            frame = frame_of(annotation, range_rule=rule)
            where = frame.locate(grid.longitude, grid.latitude, grid.height)
            residuals[rule] = np.abs(where - np.column_stack((grid.line, grid.sample))).max(axis=0)
        is_old = annotation.trajectory.time[1] - annotation.trajectory.time[0] < 5  # IPF 2.36
        # Azimuth times are written to the microsecond, 7e-4 line; 20150203 (IPF 2.70) bends.
        assert residuals["nearest"][0] < 0.006, path.name
        # Old grids were not made by the polynomials that go with them.
        assert residuals["nearest"][1] < (2.5 if is_old else 1e-3), path.name
        assert residuals["linear"][1] > 0.1, path.name


def _annotation(path):
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if name.rsplit("/", 2)[-2] == "annotation" and name.endswith(".xml")
        ]
        return archive.read(sorted(names)[0])


def test_a_point_behind_the_earth_is_nowhere_in_the_image():
    acquisition, terrain = planned(IW, 1.4, 43.6, True, lines=400, samples=600)
    where = acquisition.frames[0].locate(
        np.array([terrain.longitude]), np.array([-terrain.latitude]), np.zeros(1)
    )
    assert np.isnan(where).all()


def test_a_satellite_does_not_acquire_before_its_launch():
    with pytest.raises(ValueError, match="S1C"):
        planned(
            IW, 1.4, 43.6, True, satellite="S1C", start=datetime(2021, 1, 1, tzinfo=UTC), lines=200
        )


@pytest.mark.parametrize(
    ("satellite", "absolute", "relative"), [("S1A", 39_156, 59), ("S1B", 30_148, 22)]
)
def test_orbit_numbers_are_those_of_real_products(satellite, absolute, relative):
    item = SATELLITES[satellite]
    assert item.absolute_orbit(item.reference_node) == absolute
    assert item.relative_orbit(absolute) == relative
