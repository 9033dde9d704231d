"""Blocks of a tile against the exact solution at each pixel, at the edges of the world too."""

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from algorithms.block import Block
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.grd import StateVectors
from algorithms.radar.ortho import (
    Window,
    block_positions,
    frame_windows,
    prepare_tile,
    source_window,
)

LOW, HIGH = 100.0, 1900.0


def relief(longitude, latitude):
    """Smooth hills of +-900 m, 5 to 9 km long: slopes up to 45 degrees would be too kind."""
    hills = np.sin(longitude * 2 * np.pi / 0.12) * np.cos(latitude * 2 * np.pi / 0.08)
    return 1000.0 + 900.0 * hills


def height_window(west, south, east, north, posts_a_degree=3600):
    """The relief on a grid of one second of arc, posts at pixel centres."""
    step = 1.0 / posts_a_degree
    longitude = np.arange(west, east, step)
    latitude = np.arange(north, south, -step)
    heights = relief(longitude, latitude[:, None]).astype(np.float32)
    return heights, Affine(step, 0, west - step / 2, 0, -step, north + step / 2)


def pixel_centres(nodes, block):
    row, column = np.mgrid[0 : block.rows, 0 : block.columns] + 0.5
    x, y = column + block.column, row + block.row
    transform = nodes.transform
    return Transformer.from_crs(nodes.epsg, 4326, always_xy=True).transform(
        transform.a * x + transform.c, transform.e * y + transform.f
    )


def window_around(nodes, block):
    longitude, latitude = pixel_centres(nodes, block)
    longitude = np.unwrap(np.unwrap(longitude, period=360.0), period=360.0, axis=0)
    return height_window(
        longitude.min() - 0.01, latitude.min() - 0.01, longitude.max() + 0.01, latitude.max() + 0.01
    )


@pytest.fixture(scope="module")
def massif(massif_central):
    return RadarGeometry.from_annotations([massif_central])


@pytest.fixture(scope="module")
def tile_31tel(massif):
    return prepare_tile(
        massif,
        epsg=32631,
        transform=Affine(10, 0, 499_980, 0, -10, 5_100_000),
        shape=(10_980, 10_980),
        height_range=(LOW, HIGH),
    )


@pytest.mark.parametrize(
    "block",
    [Block(0, 0, 96, 96), Block(5120, 6001, 77, 130), Block(10_900, 10_850, 80, 130)],
)
def test_positions_are_those_of_the_exact_solution(tile_31tel, block):
    longitude, latitude = pixel_centres(tile_31tel, block)

    positions = block_positions(tile_31tel, block, *window_around(tile_31tel, block))

    exact = tile_31tel.geometry.locate(
        np.radians(longitude), np.radians(latitude), relief(longitude, latitude)
    )
    line, sample = positions.absolute()
    np.testing.assert_allclose(line, exact.line, atol=2e-3)
    # Linear heights between posts of 30 m err by 0.05 m here, 0.1 m of ground: 0.01 sample.
    np.testing.assert_allclose(sample, exact.sample, atol=0.011)
    np.testing.assert_allclose(positions.height, relief(longitude, latitude), atol=0.06)


def test_nodes_parabolas_and_tables_cost_no_more_than_two_thousandths_of_a_pixel(tile_31tel):
    block = Block(3000, 7000, 64, 512)
    longitude, latitude = pixel_centres(tile_31tel, block)

    positions = block_positions(tile_31tel, block, *window_around(tile_31tel, block))

    exact = tile_31tel.geometry.locate(
        np.radians(longitude), np.radians(latitude), positions.height
    )
    line, sample = positions.absolute()
    np.testing.assert_allclose(line, exact.line, atol=1e-3)
    np.testing.assert_allclose(sample, exact.sample, atol=2e-3)


def test_the_window_holds_every_position(tile_31tel):
    block = Block(2048, 2048, 256, 256)
    positions = block_positions(tile_31tel, block, *window_around(tile_31tel, block))

    for radius in (1, 2, 3):
        window = source_window(tile_31tel.geometry, positions, radius)
        line, sample = positions.relative_to(window)
        assert line.min() >= radius - 1
        assert sample.min() >= radius - 1
        assert line.max() < window.last_line - window.first_line - radius
        assert sample.max() < window.last_sample - window.first_sample - radius


def test_blocks_join_without_a_step(tile_31tel):
    whole = Block(1000, 1000, 128, 128)
    heights = window_around(tile_31tel, whole)
    line, sample = block_positions(tile_31tel, whole, *heights).absolute()

    for row, column in ((0, 0), (0, 77), (50, 0), (50, 77)):
        part = Block(1000 + row, 1000 + column, 50, 51)
        part_line, part_sample = block_positions(tile_31tel, part, *heights).absolute()
        inside = np.s_[row : row + 50, column : column + 51]
        # float32 positions are exact to a few 1e-5 pixels.
        np.testing.assert_allclose(part_line, line[inside], atol=1e-4)
        np.testing.assert_allclose(part_sample, sample[inside], atol=1e-4)


def test_outside_the_image_there_is_nothing_to_read(massif):
    nodes = prepare_tile(
        massif,
        epsg=32631,
        transform=Affine(10, 0, 300_000, 0, -10, 4_700_040),
        shape=(10_980, 10_980),
        height_range=(LOW, HIGH),
    )
    block = Block(10_000, 0, 64, 64)

    positions = block_positions(nodes, block, *window_around(nodes, block))

    assert positions.window is None
    assert source_window(massif, positions, 1) is None
    assert np.isnan(positions.line).all()
    assert np.isnan(positions.sample).all()


def test_unknown_heights_have_no_position_and_do_not_spread(tile_31tel):
    block = Block(4000, 4000, 64, 64)
    heights, transform = window_around(tile_31tel, block)
    known = block_positions(tile_31tel, block, heights, transform)
    holed = heights.copy()
    holed[heights.shape[0] // 2, heights.shape[1] // 2] = np.nan

    positions = block_positions(tile_31tel, block, holed, transform)

    missing = np.isnan(positions.line)
    # Four cells around one post of 30 m by 21 m: some 25 pixels.
    assert 10 < missing.sum() < 40
    np.testing.assert_array_equal(positions.line[~missing], known.line[~missing])


def test_beyond_the_heights_there_is_no_position(tile_31tel):
    block = Block(4000, 4000, 64, 64)
    heights, transform = window_around(tile_31tel, block)
    half = heights[:, : heights.shape[1] // 2]

    positions = block_positions(tile_31tel, block, half, transform)

    assert 0.2 < np.isnan(positions.line).mean() < 0.8


def turned(annotation, degrees):
    """The same pass over another part of the Earth: all of it turned about the axis."""
    angle = np.radians(degrees)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    vectors = annotation.state_vectors
    longitude = annotation.grid.longitude + angle
    return replace(
        annotation,
        state_vectors=StateVectors(
            vectors.time, vectors.position @ turn.T, vectors.velocity @ turn.T
        ),
        grid=replace(annotation.grid, longitude=(longitude + np.pi) % (2 * np.pi) - np.pi),
    )


def test_across_the_antimeridian_positions_are_the_same(massif_central):
    centre = np.degrees(massif_central.grid.longitude[5, 10])
    geometry = RadarGeometry.from_annotations([turned(massif_central, 180.0 - centre)])
    latitude = np.degrees(massif_central.grid.latitude[5, 10])
    easting, northing = Transformer.from_crs(4326, 32601, always_xy=True).transform(180.0, latitude)
    nodes = prepare_tile(
        geometry,
        epsg=32601,
        transform=Affine(10, 0, easting - 500, 0, -10, northing + 500),
        shape=(100, 100),
        height_range=(LOW, HIGH),
    )
    block = Block(0, 0, 100, 100)
    longitude, lat = pixel_centres(nodes, block)
    assert longitude.min() < -179.9 < 179.9 < longitude.max()
    wrapped = longitude % 360.0
    exact = geometry.locate(np.radians(longitude), np.radians(lat), relief(wrapped, lat))

    bounds = (wrapped.min() - 0.01, lat.min() - 0.01, wrapped.max() + 0.01, lat.max() + 0.01)
    east_side, transform = height_window(*bounds)
    for shift in (0.0, -360.0):
        moved = Affine(*transform[:2], transform.c + shift, *transform[3:6])
        positions = block_positions(nodes, block, east_side, moved)
        line, sample = positions.absolute()
        np.testing.assert_allclose(line, exact.line, atol=2e-3)
        np.testing.assert_allclose(sample, exact.sample, atol=0.011)


@pytest.mark.parametrize(
    ("part", "epsg"), [("_8255", 32736), ("_BB15", None), ("_4B8B", None), ("_9550", None)]
)
def test_other_modes_hemispheres_and_latitudes_work_alike(annotation_of, part, epsg):
    annotation, _ = annotation_of(part)
    grid = annotation.grid
    geometry = RadarGeometry.from_annotations([annotation])
    middle = grid.line.shape[0] // 2, grid.line.shape[1] // 2
    longitude, latitude = np.degrees(grid.longitude[middle]), np.degrees(grid.latitude[middle])
    zone = int((longitude + 180) // 6) + 1
    epsg = epsg or (32600 if latitude >= 0 else 32700) + zone
    easting, northing = Transformer.from_crs(4326, epsg, always_xy=True).transform(
        longitude, latitude
    )
    nodes = prepare_tile(
        geometry,
        epsg=epsg,
        transform=Affine(10, 0, easting - 640, 0, -10, northing + 640),
        shape=(128, 128),
        height_range=(LOW, HIGH),
    )
    block = Block(0, 0, 128, 128)

    positions = block_positions(nodes, block, *window_around(nodes, block))

    lon, lat = pixel_centres(nodes, block)
    exact = geometry.locate(np.radians(lon), np.radians(lat), positions.height)
    line, sample = positions.absolute()
    np.testing.assert_allclose(line, exact.line, atol=1e-3)
    np.testing.assert_allclose(sample, exact.sample, atol=2e-3)


@pytest.mark.parametrize("srgr", ["linear", "nearest"])
def test_where_records_change_each_pixel_keeps_to_its_own(annotation_of, srgr):
    annotation, _ = annotation_of("_ECC8")
    grid = annotation.grid
    geometry = RadarGeometry.from_annotations([annotation], srgr=srgr)
    far = grid.longitude[5, 18], grid.latitude[5, 18]
    easting, northing = Transformer.from_crs(4326, 32632, always_xy=True).transform(
        *np.degrees(far)
    )
    nodes = prepare_tile(
        geometry,
        epsg=32632,
        transform=Affine(10, 0, easting - 3200, 0, -10, northing + 5000),
        shape=(1000, 640),
        height_range=(LOW, HIGH),
    )
    block = Block(0, 0, 1000, 640)

    positions = block_positions(nodes, block, *window_around(nodes, block))

    lon, lat = pixel_centres(nodes, block)
    exact = geometry.locate(np.radians(lon), np.radians(lat), positions.height)
    line, sample = positions.absolute()
    begin = geometry.image_arrays.begin
    assert ((begin > line.min()) & (begin < line.max())).any()
    np.testing.assert_allclose(line, exact.line, atol=1e-3)
    # By the nearest record samples jump, up to 19 pixels here, at a line known to 1e-3.
    near_change = np.abs(line[..., None] - begin).min(axis=-1) < 1e-3
    assert near_change.mean() < 1e-4
    np.testing.assert_allclose(sample[~near_change], exact.sample[~near_change], atol=3e-3)


def test_a_window_over_two_frames_is_read_from_both(two_frames):
    geometry = RadarGeometry.from_annotations(two_frames)
    seam = two_frames[0].lines

    first, second = frame_windows(geometry, Window(seam - 10, seam + 20, 100, 150))

    assert (first.frame, first.read) == (0, Window(seam - 10, seam, 99, 149))
    assert (second.frame, second.read) == (1, Window(0, 20, 100, 150))
    assert (first.lines, second.lines) == (slice(0, 10), slice(10, 30))
    assert first.samples == second.samples == slice(0, 50)


@settings(max_examples=80)
@given(st.data())
def test_frames_fill_a_window_with_their_own_pixels_once(two_frames, data):
    geometry = RadarGeometry.from_annotations(two_frames)
    first_line = data.draw(st.integers(16_600, 16_700))
    first_sample = data.draw(st.sampled_from([0, 1, 30, geometry.samples - 40]))
    window = Window(first_line, first_line + 60, first_sample, first_sample + 40)
    count = np.zeros((60, 40), int)

    for part in frame_windows(geometry, window):
        frame = geometry.frames[part.frame]
        assert 0 <= part.read.first_line < part.read.last_line <= frame.annotation.lines
        assert 0 <= part.read.first_sample < part.read.last_sample <= frame.annotation.samples
        assert part.read.first_line + frame.first_line == window.first_line + part.lines.start
        assert (
            part.read.first_sample + frame.sample_shift == window.first_sample + part.samples.start
        )
        count[part.lines, part.samples] += 1

    assert count.max() == 1
    inside = np.arange(first_sample, first_sample + 40)
    assert (count[:, (inside >= 1) & (inside < 25_358)] == 1).all()
