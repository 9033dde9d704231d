"""Warming leaves nothing of interferometry to compile for real work."""

import numpy as np
from affine import Affine

from algorithms.geodesy import ecef_to_geodetic
from algorithms.interferometry import (
    cells,
    geocoding,
    geometry,
    relief,
    resampling,
    resampling_kernels,
)
from algorithms.interferometry.warm import warm_interferometry
from algorithms.terrain.nodes import Terrain
from tests.algorithms.interferometry.scene import make_burst, orbit, secondary_of


def signatures():
    return {
        f"{module.__name__}.{name}": len(value.signatures)
        for module in (cells, geocoding, geometry, relief, resampling_kernels)
        for name, value in vars(module).items()
        if hasattr(value, "signatures")
    }


def test_a_burst_compiles_nothing_more(rng):
    warm_interferometry(orbit())
    before = signatures()

    burst = make_burst(lines=80, samples=120, margin=4)
    longitude, latitude, _ = np.degrees(
        ecef_to_geodetic(geometry.ground_at(burst, 40.0, 60.0, 100.0))
    )
    heights = np.full((90, 120), 100.0, np.float32)
    to_degrees = Affine(1e-3, 0.0, float(longitude) - 0.06, 0.0, -1e-3, float(latitude) + 0.045)
    terrain = Terrain(heights, to_degrees)
    found = relief.burst_relief(burst, terrain, slice(20, 60))
    pixels = np.ones((80, 120), np.complex64)
    pixels.flags.writeable = False
    pair = burst, secondary_of(burst)
    offsets = geometry.pair_offsets(*pair, (0.0, 200.0))
    moved = resampling.resample_secondary(pixels, pair, offsets, found.heights, first_line=20)
    resampling.flattening_phasors(pair, offsets, found.heights, first_line=20)
    grid = cells.cell_grid([burst], cells.Looks(4, 5))
    looked = cells.multilook_pair(pixels[20:60], moved, grid.looks)
    view = geocoding.radar_view(grid.frame, geocoding.MapBlock(4326, to_degrees, heights))
    geocoding.values_on_map(looked.coherence, grid, view)
    geocoding.phasors_on_map(looked.interferogram, grid, view)

    assert before["algorithms.interferometry.resampling_kernels.resample_lines"] >= 1
    assert signatures() == before
