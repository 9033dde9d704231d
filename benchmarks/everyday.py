"""The everyday tools on a full Sentinel-2 tile, beside the time that decoding its bands takes.

python -m benchmarks.everyday [folder]

The product is written once into the folder (100 CPU seconds): metadata of a whole tile, and B04 and
B08 of 10,980 x 10,980 pixels from a rendered sixteenth of it, mirrored.
"""

import shutil
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS

from benchmarks.measure import measure
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import PlanContext, TaskInputs
from peps_wps.chains.index_s2.chain import IndexS2
from peps_wps.chains.optical.scene_chain import SceneChain
from peps_wps.config import Config
from peps_wps.readers.product_metadata import read_metadata
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import open_scene
from simulator.optical.ground import reflectance, render
from simulator.optical.product import OFFSET, QUANTIFICATION
from simulator.optical.product_xml import Tile, manifest_xml, product_xml, tile_xml

SIDE, PIECE = 10_980, 2_745
SENSING = datetime(2021, 8, 9, 10, 56, 21, tzinfo=UTC)
BANDS = {"B04": 3, "B08": 7}
NOISE = 8.0  # digital numbers
THREADS = 2


def product_in(folder: Path) -> Path:
    """Return the product of a folder, written when it is not there."""
    tile = Tile.of("31TCJ", 32631, 300_000, 4_900_020, SIDE, SENSING, 0.0)
    product = folder / f"{tile.title}.SAFE"
    if product.exists():
        return product
    partial_product = folder / f".{tile.title}.partial"
    shutil.rmtree(partial_product, ignore_errors=True)
    images = partial_product / tile.granule / "IMG_DATA"
    images.mkdir(parents=True)
    ground = render(
        (PIECE, PIECE),
        lambda row, column: (300_000 + 10 * (column + 0.5), 4_900_020 - 10 * (row + 0.5)),
        seed=1,
        threads=THREADS,
    )
    rng = np.random.default_rng(1)
    for name, number in BANDS.items():
        piece = QUANTIFICATION * reflectance(ground, number) + OFFSET
        piece += NOISE * rng.standard_normal(piece.shape, np.float32)
        _write(images / f"{tile.stem}_{name}.jp2", np.rint(piece).clip(1, 65_534), tile)
    (partial_product / "MTD_MSIL1C.xml").write_text(product_xml(tile))
    (partial_product / tile.granule / "MTD_TL.xml").write_text(tile_xml(tile))
    (partial_product / "manifest.safe").write_text(manifest_xml(tile, partial_product))
    partial_product.rename(product)
    return product


def _write(path: Path, piece: np.ndarray, tile: Tile) -> None:
    """Write a band of a whole tile, without loss, from a piece and its mirror images."""
    pair = np.hstack([piece, piece[:, ::-1]]).astype(np.uint16)
    quarter = np.vstack([pair, pair[::-1]])
    profile = {"driver": "JP2OpenJPEG", "dtype": "uint16", "count": 1, "crs": CRS.from_epsg(32631)}
    profile |= {"height": SIDE, "width": SIDE, "BLOCKXSIZE": 1024, "BLOCKYSIZE": 1024}
    profile |= {"QUALITY": "100", "REVERSIBLE": "YES", "RESOLUTIONS": 6, "NUM_THREADS": THREADS}
    transform = Affine(10, 0, tile.left, 0, -10, tile.top)
    with rasterio.open(path, "w", transform=transform, **profile) as target:
        target.write(np.tile(quarter, (2, 2))[None])


def decode(product: Path) -> None:
    """Decode the two bands, tile by tile, by two threads."""
    scene = open_scene(Safe.open(product))
    for band in BANDS:
        scene.image(band).read_all(threads=THREADS)


def run(chain: SceneChain[Any], product: Path, folder: Path, **inputs: str) -> None:
    """Do the task of an order."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    values = vars(read_metadata(product))
    known = {name: values[name] for name in values if name in Product.__dataclass_fields__}
    entry = Product(**known, published=SENSING, updated=SENSING, size_bytes=1)
    config = Config.load(var=folder, environ={"PEPS_PROCESSING_THREADS": str(THREADS)})
    order = chain.parse({"products": [entry.title], **{k: [v] for k, v in inputs.items()}})
    catalogue = type("Shelf", (), {"product": staticmethod(lambda _: entry)})()
    (task,) = chain.plan(order, PlanContext(catalogue, config)).tasks
    scratch = folder / "scratch"
    scratch.mkdir()
    chain.run(task, TaskInputs({entry.uid: product}, config, scratch), lambda *_: None)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp/everyday")
    folder.mkdir(parents=True, exist_ok=True)
    product = product_in(folder)
    ndvi = partial(run, IndexS2(), product, folder / "ndvi")
    area = "POLYGON((0.7 44.0, 0.75 44.0, 0.75 44.04, 0.7 44.04, 0.7 44.0))"
    decoding = measure(partial(decode, product))
    whole = measure(ndvi, warm_up=partial(ndvi, geometry=area))
    small = measure(partial(ndvi, geometry=area))
    print(f"decode B04 and B08        {decoding}")
    print(f"S2_NDVI of the whole tile {whole}   {whole.wall_s / decoding.wall_s:.2f} x decoding")
    print(f"S2_NDVI of 4 x 4 km       {small}")


if __name__ == "__main__":
    main()
