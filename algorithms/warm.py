"""Loads every compiled kernel by running it once on a scene of a few pixels.

A process that others are forked from calls this, so that none of them compiles or loads a kernel.
"""

import numpy as np
from affine import Affine

from algorithms.block import Block
from algorithms.constants import SPEED_OF_LIGHT
from algorithms.correlation import CorrelationSettings, correlate
from algorithms.correlation.corrections import vector_median
from algorithms.correlation.images import NO_DATA, Image
from algorithms.interferometry.warm import warm_interferometry
from algorithms.optical import (
    mean_of_squares,
    reflectance_from_dn,
    stored_int16,
    stretched_uint8,
)
from algorithms.radar.border import BorderFinder
from algorithms.radar.calibration import backscatter
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.grd import (
    AzimuthNoiseBlock,
    Float64,
    GeolocationGrid,
    GrdAnnotation,
    GroundRangeRecords,
    NoiseLut,
    StateVectors,
    VectorLut,
)
from algorithms.radar.incidence import incidence_angles
from algorithms.radar.model import OrbitArrays, locate_points
from algorithms.radar.multilook import mean_power
from algorithms.radar.orbit import fit_orbit
from algorithms.radar.ortho import block_positions, prepare_tile, source_window
from algorithms.radar.resampling import RADIUS, resample
from algorithms.radar.shadow import layover_shadow
from algorithms.registration import Model
from algorithms.registration.resampling import on_block
from algorithms.regridding import regrid
from algorithms.speckle import RunningSums, frost, quegan, refined_lee
from algorithms.terrain.flattening import flattening_factor
from algorithms.terrain.imaging import GrdImaging
from algorithms.terrain.nodes import Terrain
from algorithms.terrain.profiles import trace_profiles
from algorithms.time_series import invert

ORBIT_RADIUS = 7_071_000.0  # m
ANGULAR_VELOCITY = 1.06e-3  # rad/s
LINE_INTERVAL = 1.5e-3  # s
RANGE_SPACING = 10.0  # m
SIZE = 256  # lines and samples
LONGITUDE = np.radians(5.0)  # of the scene, from the orbit's plane: some 40 degrees of incidence


def warm() -> None:
    """Run every kernel once."""
    _warm_radar()
    _warm_optical()
    _warm_correlation()
    _warm_time_series()
    _warm_speckle()
    warm_interferometry(_vectors())


def _warm_radar() -> None:
    """Run the kernels of the radar and its terrain once."""
    annotation = _annotation()
    geometry = RadarGeometry.from_annotations([annotation])
    transform = Affine(10.0, 0.0, 722_300.0, 0.0, -10.0, 320.0)
    nodes = prepare_tile(
        geometry, epsg=32631, transform=transform, shape=(64, 64), height_range=(0.0, 100.0)
    )
    heights = np.full((64, 64), 50.0, np.float32)
    to_degrees = Affine(1e-3, 0.0, 4.97, 0.0, -1e-3, 0.03)
    positions = block_positions(nodes, Block(0, 0, 64, 64), heights, to_degrees)
    window = source_window(geometry, positions, max(RADIUS.values()))
    if window is None:
        raise RuntimeError("the scene that kernels are warmed on is outside its own image")
    numbers = np.full(
        (window.last_line - window.first_line, window.last_sample - window.first_sample),
        100,
        np.uint16,
    )
    first_line, _, first_sample, _ = window
    for noise in (None, annotation.noise):
        power = backscatter(
            numbers,
            first_line=first_line,
            first_sample=first_sample,
            table=annotation.calibration["gamma0"],
            noise=noise,
        )
    for method in RADIUS:
        resample(power, *positions.relative_to(window), method=method)
    incidence_angles(geometry, positions.height, epsg=32631, transform=transform)
    finder = BorderFinder(SIZE, SIZE)
    finder.add(np.full((SIZE, SIZE), 100, np.uint16))
    finder.border()
    profiles = trace_profiles(GrdImaging(geometry), window, Terrain(heights, to_degrees))
    if profiles is not None:
        flattening_factor(profiles)
        layover_shadow(profiles, *positions.absolute(), positions.height)
    regrid(heights, *np.meshgrid([0.0, 64.0], [0.0, 64.0], indexing="ij"), shape=(8, 8))


def _warm_optical() -> None:
    """Run the kernels of optical images once."""
    reflectance = reflectance_from_dn(
        np.ones((4, 4), np.uint16), offset=-1000.0, quantification=10_000.0
    )
    stored_int16(mean_of_squares(reflectance, 2), 1e-4)
    stretched_uint8(reflectance, 0.0, 0.3, 1.0)
    mean_power(np.ones((4, 4), np.uint16), 2, 2)


def _warm_correlation() -> None:
    """Run the kernels of correlation once, with a pyramid and a gap."""
    row, column = np.indices((64, 64))
    image = np.rint(1_000.0 + 300.0 * np.sin(0.9 * row) * np.cos(0.7 * column)).astype(np.uint16)
    mask = np.zeros(image.shape, np.uint8)
    mask[:4, :4] = NO_DATA
    settings = CorrelationSettings(window=7, step=8, max_displacement=5.0, model="affine")
    found = correlate(Image(image, mask), Image(image, mask), settings)
    vector_median(found.dy, found.dx)
    still = Model("shift", (0.0, 0.0), 1.0, (0.0,), (0.0,))
    on_block(Image(image, mask), still, Block(0, 0, *image.shape))


def _warm_time_series() -> None:
    """Run the kernels of series once, with a wrong cycle."""
    phases = np.zeros((3, 1, 1), np.float32)
    phases[0] = 2.0 * np.pi
    invert(phases, [(0, 1), (1, 2), (0, 2)], [0, 12, 24])


def _warm_speckle() -> None:
    """Run the filters of speckle once; Lee and Gamma-MAP have no kernel that Frost has not."""
    stack = np.ones((2, 8, 8), np.float32)
    quegan(stack)
    RunningSums.empty((8, 8)).add_and_filter(stack[0])
    frost(stack[0])
    refined_lee(stack[0], looks=4.4)


def _annotation() -> GrdAnnotation:
    """Return a small scene on the equator under a circular orbit over the poles."""
    vectors = _vectors()
    line, sample = np.meshgrid([0.0, SIZE - 1.0], [0.0, SIZE - 1.0], indexing="ij")
    longitude = LONGITUDE + (sample - SIZE / 2) * RANGE_SPACING / 6.378e6
    latitude = (line - SIZE / 2) * LINE_INTERVAL * ANGULAR_VELOCITY
    orbit = fit_orbit(vectors, -1.0, 1.0)
    arrays = OrbitArrays(orbit.centre, orbit.half_span, orbit.coefficients, 0.0)
    azimuth_time, slant_range = np.empty((2, line.size))
    locate_points(
        longitude.ravel(), latitude.ravel(), np.zeros(line.size), arrays, azimuth_time, slant_range
    )
    azimuth_time, slant_range = azimuth_time.reshape(2, 2), slant_range.reshape(2, 2)
    near, far = slant_range[0]
    slope = (far - near) / (SIZE - 1) / RANGE_SPACING
    delay = (slant_range - slant_range.mean()) / SPEED_OF_LIGHT
    line = (azimuth_time - delay - azimuth_time[0, 0]) / LINE_INTERVAL
    lut = VectorLut(np.array([0.0, SIZE]), (np.array([0.0, SIZE]),) * 2, (np.ones(2),) * 2)
    block = AzimuthNoiseBlock("IW1", 0, SIZE - 1, 0, SIZE - 1, np.array([0.0, SIZE]), np.ones(2))
    return GrdAnnotation(
        first_line_time=float(azimuth_time[0, 0]),
        line_interval=LINE_INTERVAL,
        range_spacing=RANGE_SPACING,
        lines=SIZE,
        samples=SIZE,
        state_vectors=vectors,
        ground_range=_records(float(near), float(slope)),
        grid=GeolocationGrid(
            line=line,
            sample=sample,
            azimuth_time=azimuth_time,
            slant_range_time=2.0 * slant_range / SPEED_OF_LIGHT,
            latitude=latitude,
            longitude=longitude,
            height=np.zeros_like(line),
            incidence_angle=np.zeros_like(line),
        ),
        calibration={"gamma0": lut},
        noise=NoiseLut(lut, (block,), is_zero=False),
    )


def _vectors() -> StateVectors:
    """Return state vectors of the orbit."""
    time = np.arange(-60.0, 61.0, 10.0)
    angle = ANGULAR_VELOCITY * time
    zero = np.zeros_like(time)
    position = np.stack([np.cos(angle), zero, np.sin(angle)], axis=1)
    velocity = np.stack([-np.sin(angle), zero, np.cos(angle)], axis=1)
    return StateVectors(time, ORBIT_RADIUS * position, ORBIT_RADIUS * ANGULAR_VELOCITY * velocity)


def _records(near: float, slope: float) -> GroundRangeRecords:
    """Return two linear ground range records around the scene."""
    origin: Float64 = np.full(2, near)
    return GroundRangeRecords(
        azimuth_time=np.array([-1.0, 1.0]),
        ground_range_origin=np.zeros(2),
        slant_range_origin=origin,
        slant_to_ground=np.array([[0.0, 1.0 / slope]] * 2),
        ground_to_slant=np.array([[near, slope]] * 2),
    )
