"""Runs every kernel of interferometry once, on a burst of a few pixels."""

import numpy as np
from affine import Affine

from algorithms.geodesy import ecef_to_geodetic
from algorithms.interferometry.cells import Looks, cell_grid
from algorithms.interferometry.geocoding import (
    MapBlock,
    phasors_on_map,
    radar_view,
    values_on_map,
)
from algorithms.interferometry.geometry import ground_at
from algorithms.interferometry.model import Burst, RangePolynomial, SpectralWindow
from algorithms.interferometry.pair import burst_cells, burst_pair
from algorithms.interferometry.relief import burst_relief
from algorithms.interferometry.resampling import flattening_phasors
from algorithms.radar.grd import StateVectors
from algorithms.terrain.nodes import Terrain

LINES, SAMPLES = 24, 48


def warm_interferometry(vectors: StateVectors) -> None:
    """Run the kernels; `vectors` are of an orbit around the time 0."""
    burst = _burst(vectors)
    grid = cell_grid([burst], Looks(2, 4))
    longitude, latitude, _ = np.degrees(ecef_to_geodetic(ground_at(burst, 12.0, 24.0, 50.0)))
    size, step = 64, 1e-3
    heights = np.full((size, size), 50.0, np.float32)
    corner = float(longitude) - 0.5 * size * step, float(latitude) + 0.5 * size * step
    terrain = Terrain(heights, Affine(step, 0.0, corner[0], 0.0, -step, corner[1]))
    pixels = np.ones((LINES, SAMPLES), np.complex64)
    pair = burst_pair(burst, burst, (0.0, 100.0))
    cells = burst_cells((pixels, pixels), pair, terrain, grid)
    relief = burst_relief(burst, terrain, slice(0, LINES))
    flattening_phasors((burst, burst), pair.offsets, relief.heights)
    view = radar_view(grid.frame, MapBlock(4326, terrain.transform, heights))
    phasors_on_map(cells.interferogram, grid, view)
    values_on_map(cells.reference_power, grid, view)


def _burst(vectors: StateVectors) -> Burst:
    """Return a small burst at time 0."""
    rate = RangePolynomial(0.0, 5.85e-3, np.array([-2100.0, 0.0]))
    return Burst(
        swath="IW2",
        burst_id=1,
        azimuth_time=0.0,
        azimuth_time_interval=2e-3,
        slant_range_time=5.85e-3,
        range_sampling_rate=64e6,
        lines=LINES,
        samples=SAMPLES,
        first_valid_sample=np.zeros(LINES, np.int32),
        last_valid_sample=np.full(LINES, SAMPLES - 1, np.int32),
        fm_rate=rate,
        doppler_centroid=RangePolynomial(0.0, 5.85e-3, np.array([5.0, 0.0])),
        azimuth_steering_rate=0.017,
        radar_frequency=5.4e9,
        orbit=vectors,
        azimuth_window=SpectralWindow(313.0, 0.75),
        range_window=SpectralWindow(48e6, 0.75),
    )
