from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from tests.readers.dem_planes import SECOND, Write, centres
from tests.readers.safe_builder import SafeRecipe


@pytest.fixture
def recipe(rng: np.random.Generator) -> SafeRecipe:
    """A product of two polarisations, 700 lines of 4001 samples: 5.6 MB, two restarts of a zip."""
    return SafeRecipe(
        dn={
            "VV": rng.integers(0, 2**16, (700, 4001), np.uint16),
            "VH": rng.integers(0, 2**10, (700, 4001), np.uint16),
        }
    )


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a writer of tiles that hold 100 + 7 longitude + 3 latitude (not rounded)."""

    def write_tile(
        name: str,
        *,
        west: float,
        north: float,
        step: tuple[float, float] = (30 * SECOND, 30 * SECOND),
        shape: tuple[int, int] = (120, 120),
        crs: str = "EPSG:4326",
        void: tuple[slice, slice] | None = None,
        nodata: float | None = -32768,
        height: float | None = None,
    ) -> Path:
        transform = Affine(step[0], 0, west, 0, -step[1], north)
        longitude, latitude = centres(transform, shape)
        values = 100 + 7 * longitude + 3 * latitude if height is None else longitude * 0 + height
        if void is not None:
            values[void] = -32768
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=shape[1],
            height=shape[0],
            count=1,
            dtype="float32",
            crs=crs,
            transform=transform,
            nodata=nodata,
        ) as dataset:
            dataset.write(values.astype(np.float32), 1)
        return path

    return write_tile
