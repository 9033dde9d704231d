"""Our COG writer beside GDAL's COG driver: one full tile of speckle, float32, ZSTD level 1.

python -m benchmarks.cog [folder]
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.io import MemoryFile

from benchmarks.measure import measure
from peps_wps.writers.cog import BLOCK, CogWriter, round_mantissa
from peps_wps.writers.cog_layout import RasterDescription

SIDE = 10980
TRANSFORM = Affine(10, 0, 300000, 0, -10, 4900020)
DESCRIPTION = RasterDescription("float32", 32631, TRANSFORM, 0.0, {})


def _block(index: int) -> np.ndarray:
    speckle = np.random.default_rng(index % 7).gamma(4.4, 0.02, (BLOCK, BLOCK))
    return round_mantissa(speckle.astype(np.float32), 10)


BLOCKS = [_block(index) for index in range(7)]


def ours(path: Path) -> None:
    writer = CogWriter(path, width=SIDE, height=SIDE, description=DESCRIPTION, mantissa_bits=10)
    rows, columns = writer.shape_in_blocks
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda i: writer.put(i // columns, i % columns, BLOCKS[i % 7]),
                range(rows * columns),
            )
        )
    writer.close()


def gdal_driver(path: Path) -> None:
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 1, "dtype": "float32"}
    profile |= {"crs": "EPSG:32631", "transform": TRANSFORM, "nodata": 0, "tiled": True}
    profile |= {"blockxsize": BLOCK, "blockysize": BLOCK}
    raster = np.tile(np.hstack(BLOCKS[:4]), (22, 6))[:SIDE, :SIDE]
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(raster, 1)
        options = {"COMPRESS": "ZSTD", "LEVEL": 1, "PREDICTOR": "YES", "NUM_THREADS": "2"}
        with memory.open() as dataset:
            rasterio.shutil.copy(dataset, path, driver="COG", BLOCKSIZE=BLOCK, **options)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp")
    for run in range(3):
        for name, work in (("ours", ours), ("GDAL COG driver", gdal_driver)):
            path = folder / "benchmark.tif"
            cost = measure(lambda work=work, path=path: work(path))
            print(f"run {run} {name:16} {cost}  {path.stat().st_size / 1e6:.0f} MB")
            path.unlink()


if __name__ == "__main__":
    main()
