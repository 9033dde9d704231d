"""Digital elevation model of a scene: GeoTIFF tiles of at most a degree, a post each arc second."""

import math
from pathlib import Path
from typing import Literal

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from scipy.interpolate import RegularGridInterpolator

from simulator.terrain import Terrain

Float64 = NDArray[np.float64]
Datum = Literal["ellipsoid", "EGM96"]

POSTS = 3600  # a degree
CRS_OF_DATUM = {"ellipsoid": 4979, "EGM96": 9707}


def write_dem(
    folder: Path,
    terrain: Terrain,
    bounds: tuple[float, float, float, float],
    *,
    datum: Datum = "ellipsoid",
    geoid: Path | None = None,
) -> list[Path]:
    """Write the relief over an area as tiles.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    terrain
        Heights above the ellipsoid.
    bounds
        West, south, east, north in degrees; east is beyond 180 when the area crosses the
        antimeridian.
    datum
        Of the heights written: above the ellipsoid (EPSG:4979), or above the geoid EGM96
        (EPSG:9707).
    geoid
        Grid of the height of EGM96 above the ellipsoid, needed for that datum; any raster in
        longitude and latitude.

    Returns
    -------
    Files written, one for each degree square that the area touches, cut to the area.
    """
    folder.mkdir(parents=True, exist_ok=True)
    west, south, east, north = bounds
    undulation = _undulation(geoid) if datum == "EGM96" else None
    return [
        _write_tile(folder, terrain, (column, row), bounds, undulation, CRS_OF_DATUM[datum])
        for row in range(math.floor(south), math.ceil(north))
        for column in range(math.floor(west), math.ceil(east))
    ]


def _write_tile(
    folder: Path,
    terrain: Terrain,
    corner: tuple[int, int],
    bounds: tuple[float, float, float, float],
    undulation: RegularGridInterpolator | None,
    epsg: int,
) -> Path:
    """Write the part of the area that lies in one degree square; posts lie on arc seconds."""
    column, row = corner
    west = math.floor(max(bounds[0] - column, 0.0) * POSTS)
    east = math.ceil(min(bounds[2] - column, 1.0) * POSTS)
    south = math.floor(max(bounds[1] - row, 0.0) * POSTS)
    north = math.ceil(min(bounds[3] - row, 1.0) * POSTS)
    # One post beyond the degree on every side: tiles overlap and leave no gap between them.
    longitude = column + np.arange(west, east + 1) / POSTS
    latitude = row + np.arange(north, south - 1, -1) / POSTS
    grid = np.meshgrid(np.radians(longitude), np.radians(latitude))
    heights = terrain.height(*grid)
    if undulation is not None:
        degrees = np.meshgrid(latitude, longitude % 360.0, indexing="ij")
        heights = heights - undulation(np.stack(degrees, axis=-1))
    shown = (column + 180) % 360 - 180
    name = (
        f"Simulated_DEM_{'N' if row >= 0 else 'S'}{abs(row):02d}_00_"
        f"{'E' if shown >= 0 else 'W'}{abs(shown):03d}_00.tif"
    )
    step = 1.0 / POSTS
    transform = Affine(step, 0, shown + (west - 0.5) * step, 0, -step, row + (north + 0.5) * step)
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "tiled": True, "blockxsize": 512,
        "blockysize": 512, "compress": "deflate", "predictor": 3, "zlevel": 1,
        "width": longitude.size, "height": latitude.size, "transform": transform,
        "crs": CRS.from_epsg(epsg),
    }  # fmt: skip
    with rasterio.open(folder / name, "w", **profile) as dataset:
        dataset.write(heights.astype(np.float32), 1)
    return folder / name


def _undulation(geoid: Path | None) -> RegularGridInterpolator:
    """Height of the geoid above the ellipsoid against latitude and longitude 0 to 360, degrees."""
    if geoid is None:
        raise ValueError("heights above EGM96 need the grid of its undulation")
    with rasterio.open(geoid) as dataset:
        values, transform = dataset.read(1), dataset.transform
    columns, rows = values.shape[1], values.shape[0]
    longitude = (transform.c + transform.a * (np.arange(columns) + 0.5)) % 360.0
    latitude = transform.f + transform.e * (np.arange(rows) + 0.5)
    order = np.argsort(longitude)
    longitude, values = longitude[order], values[:, order]
    longitude = np.concatenate((longitude[-1:] - 360.0, longitude, longitude[:1] + 360.0))
    values = np.concatenate((values[:, -1:], values, values[:, :1]), axis=1)
    return RegularGridInterpolator((latitude[::-1], longitude), values[::-1], method="linear")
