"""Map tiles beside rio-tiler and GDAL's warp: one COG of 5490 x 5490 speckle, zooms 8 to 13.

python -m benchmarks.tiles [folder]

Each engine keeps its dataset open, reads the tile over the middle of the raster several times and
gives the same grey PNG of 256 pixels, 0 to 0.3 stretched; medians of CPU time after a first read,
which is listed by itself. "mixed" are up to 25 tiles around the middle, each read once, one after
the other. The last columns compare the values of gamma0.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from PIL import Image
from rasterio.enums import Resampling
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rio_tiler.io import Reader

from peps_wps.tiles.grid import Box, Tile, tiles_over
from peps_wps.tiles.picture import render
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Raster, Source
from peps_wps.tiles.sampling import read_tile
from peps_wps.tiles.style import Style
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

SIDE = 5490
TRANSFORM = Affine(20, 0, 300000, 0, -20, 4900020)
ZOOMS = range(8, 14)
TIMES = 15
BRIGHTEST = 0.3
Values = np.ndarray


def write_raster(path: Path) -> None:
    """Write speckle of 4.4 looks over waves of backscatter."""
    rng = np.random.default_rng(1)
    description = RasterDescription("float32", 32631, TRANSFORM, 0.0, {"QUANTITY": "linear power"})
    writer = CogWriter(path, width=SIDE, height=SIDE, description=description)
    rows, columns = writer.shape_in_blocks
    for row in range(rows):
        for column in range(columns):
            y, x = np.mgrid[:BLOCK, :BLOCK] + np.array([row, column])[:, None, None] * BLOCK
            truth = 0.09 + 0.04 * np.sin(x / 400) * np.cos(y / 300)
            values = truth * rng.gamma(4.4, 1 / 4.4, truth.shape)
            values[(x >= SIDE) | (y >= SIDE)] = 0
            writer.put(row, column, values.astype(np.float32))
    writer.close()


class Ours:
    """The package behind ``/tiles``."""

    name = "ours"

    def __init__(self, path: Path) -> None:
        self.pool = RasterPool()
        self.raster = self.pool.raster(Source(path))
        self.style = Style(stretch=(0.0, BRIGHTEST), decibels=False, resampling="nearest")

    def values(self, tile: Tile) -> Values:
        return read_tile(self.pool, self.raster, tile.box, side=256, bands=[1], method="nearest")[0]

    def picture(self, tile: Tile) -> bytes:
        return render(self.pool, self.raster, tile, self.style, side=256, form="png")


class OursBilinear(Ours):
    """The same as a client gets it who asks for nothing: decibels, percentiles, bilinear."""

    name = "ours, decibels, bilinear"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.style = Style()


class RioTiler:
    """rio-tiler, its own defaults."""

    name = "rio-tiler"

    def __init__(self, path: Path) -> None:
        self.reader = Reader(str(path))

    def values(self, tile: Tile) -> Values:
        read = self.reader.tile(tile.column, tile.row, tile.zoom)
        return np.asarray(read.array[0].filled(np.nan))

    def picture(self, tile: Tile) -> bytes:
        read = self.reader.tile(tile.column, tile.row, tile.zoom)
        read.rescale(((0, BRIGHTEST),))
        return bytes(read.render(img_format="PNG"))


class Warp:
    """A warped VRT of the tile over one open dataset, encoded as ours is."""

    name = "WarpedVRT"

    def __init__(self, path: Path) -> None:
        self.dataset = rasterio.open(path)

    def values(self, tile: Tile) -> Values:
        options = {"crs": "EPSG:3857", "transform": from_bounds(*tile.box, 256, 256)}
        options |= {"width": 256, "height": 256, "resampling": Resampling.nearest}
        with WarpedVRT(self.dataset, src_nodata=0, nodata=0, **options) as warped:
            values = warped.read(1)
        return np.where(values == 0, np.nan, values)

    def picture(self, tile: Tile) -> bytes:
        values = self.values(tile)
        valid = np.isfinite(values)
        tones = np.clip(np.where(valid, values, 0) / BRIGHTEST * 255, 0, 255).astype(np.uint8)
        image = Image.fromarray(np.dstack([tones, np.where(valid, 255, 0).astype(np.uint8)]), "LA")
        content = BytesIO()
        image.save(content, "PNG", compress_level=1)
        return content.getvalue()


ENGINES = (Ours, OursBilinear, RioTiler, Warp)


def milliseconds(work: Callable[[], object]) -> float:
    """Return the CPU time of some work."""
    begun = time.process_time()
    work()
    return 1e3 * (time.process_time() - begun)


def around(raster: Raster, zoom: int) -> Iterator[Tile]:
    """Give the tile over the middle of a raster, and those around it that it reaches."""
    x = (raster.box.west + raster.box.east) / 2
    y = (raster.box.south + raster.box.north) / 2
    middle, _ = tiles_over(Box(x, y, x, y), zoom)
    yield middle
    first, last = tiles_over(raster.box, zoom)
    for row in range(max(first.row, middle.row - 2), min(last.row, middle.row + 2) + 1):
        for column in range(
            max(first.column, middle.column - 2), min(last.column, middle.column + 2) + 1
        ):
            yield Tile(zoom, column, row)


def main() -> None:
    """Measure, and print a table."""
    warnings.simplefilter("ignore")  # rio-tiler, of tiles that are partly outside
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp") / "benchmark-tiles.tif"
    write_raster(path)
    Ours(path).picture(Tile(8, 128, 93))  # compiles
    print(f"{path.stat().st_size / 1e6:.0f} MB; milliseconds of CPU a tile")
    print(f"{'zoom':4} {'engine':26} {'first':>7} {'read':>7} {'PNG':>7} {'mixed':>7}  median |d|")
    for zoom in ZOOMS:
        truth = None
        for engine in ENGINES:
            opened = engine(path)
            middle, *others = around(Ours(path).raster, zoom)
            first = milliseconds(lambda opened=opened, tile=middle: opened.picture(tile))
            read, picture = (
                statistics.median(
                    milliseconds(lambda work=work, tile=middle: work(tile)) for _ in range(TIMES)
                )
                for work in (opened.values, opened.picture)
            )
            mixed = statistics.mean(
                milliseconds(lambda opened=opened, tile=tile: opened.picture(tile))
                for tile in others
            )
            values = opened.values(middle)
            truth = values if truth is None else truth
            apart = np.nanmedian(np.abs(values - truth))
            print(
                f"{zoom:4} {opened.name:26} {first:7.1f} {read:7.2f} {picture:7.2f} {mixed:7.2f}"
                f"  {apart:.1e}"
            )
    path.unlink()


if __name__ == "__main__":
    main()
