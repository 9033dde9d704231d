"""What the process that jobs are forked from has loaded already: seconds saved on each job.

No thread is started here, and no dataset, connection or kernel pool opened: none survives a fork.
"""

import importlib
import tempfile
from pathlib import Path

import numpy as np
from affine import Affine

from peps_wps import kernel_cache

# Imported for the time it takes, once.
MODULES = (
    "rasterio",
    "rasterio.warp",
    "pyproj",
    "scipy.interpolate",
    "shapely",
    "catalog_db.processing.jobs",
    "peps_wps.jobs.executor",
    "peps_wps.staging",
)


def warm_up() -> None:
    """Import what chains import and load the compiled kernels."""
    kernel_cache.use_own_folder()
    for name in MODULES:
        importlib.import_module(name)
    importlib.import_module("algorithms.warm").warm()
    _write_raster()


def _write_raster() -> None:
    """Write one small raster and read it: kernels and GDAL's drivers are loaded then."""
    import rasterio

    from peps_wps.readers.float_blocks import FloatBlocks
    from peps_wps.writers.cog import BLOCK, CogWriter
    from peps_wps.writers.cog_layout import RasterDescription

    description = RasterDescription("float32", 32631, Affine(10, 0, 0, 0, -10, 0), 0.0, {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.tif"
        writer = CogWriter(
            path, width=2 * BLOCK, height=BLOCK, description=description, mantissa_bits=10
        )
        writer.put(0, 0, np.ones((BLOCK, BLOCK), np.float32))
        writer.close()
        with rasterio.open(path) as dataset:
            FloatBlocks(dataset, 1).read(np.empty((1, 2 * BLOCK), np.float32), 0)


if __name__ == "__main__":
    warm_up()
    kernel_cache.remove_older()
