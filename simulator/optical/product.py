"""Writes Sentinel-2 level 1C products as SAFE folders: images, masks and metadata."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from simulator.optical.datastrip_xml import datastrip_xml
from simulator.optical.displacement import (
    DETECTOR_WIDTH,
    Displacement,
    detector_index,
    origin,
    still,
)
from simulator.optical.ground import Float32, reflectance, render
from simulator.optical.product_xml import (
    BANDS,
    FIRST_DETECTOR,
    Tile,
    inspire_xml,
    manifest_xml,
    product_xml,
    tile_xml,
)

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]

RESOLUTION = (60, 10, 10, 10, 20, 20, 20, 10, 20, 60, 60, 20, 20)
QUANTIFICATION, OFFSET = 10_000, 1_000
_NOISE = 8.0  # digital numbers
_TCI_SCALE = 0.355  # reflectance shown as 255


@dataclass(frozen=True)
class Acquisition:
    """What is seen, when, and how it has moved.

    Parameters
    ----------
    tile
        MGRS tile without T.
    epsg, left, top
        Its UTM zone and upper left corner, metres, whole multiples of 60.
    size
        Rows and columns of 10 m; a multiple of 6. A whole tile has 10,980.
    sensing
        Time of the acquisition, UTC.
    seed
        Which ground; the same for all dates of a series.
    displacement
        What has moved since the date of reference.
    clouds
        Share of the tile under opaque clouds.
    """

    tile: str
    epsg: int
    left: int
    top: int
    size: int
    sensing: datetime
    seed: int = 1
    displacement: Displacement = still
    clouds: float = 0.0

    def __post_init__(self) -> None:
        if self.size % 6 or self.size <= 0:
            raise ValueError(f"size = {self.size}: expected a multiple of 6")


def write_product(folder: Path, acquisition: Acquisition, *, threads: int = 2) -> Path:
    """Write a product of processing baseline 05.10.

    Parameters
    ----------
    folder
        Where its folder is made.
    acquisition
        What is seen.
    threads
        Images rendered and encoded at once.

    Returns
    -------
    The SAFE folder.
    """
    tile = Tile.of(
        acquisition.tile,
        acquisition.epsg,
        acquisition.left,
        acquisition.top,
        acquisition.size,
        acquisition.sensing,
        100.0 * acquisition.clouds,
    )
    product = folder / f"{tile.title}.SAFE"
    granule = product / tile.granule
    for part in ("IMG_DATA", "QI_DATA"):
        (granule / part).mkdir(parents=True)
    ground = _seen(acquisition, threads)
    clouds = _clouds(acquisition)
    rng = np.random.default_rng([acquisition.seed, int(acquisition.sensing.timestamp())])
    bands = {
        name: _numbers(ground, clouds, number, RESOLUTION[number] // 10, rng)
        for number, name in enumerate(BANDS)
    }
    images: dict[Path, tuple[NDArray[np.uint16] | UInt8, int]] = {
        granule / f"IMG_DATA/{tile.stem}_{name}.jp2": (image[None], RESOLUTION[number])
        for number, (name, image) in enumerate(bands.items())
    }
    true_color = np.stack([_shown(bands[name]) for name in ("B04", "B03", "B02")])
    images[granule / f"IMG_DATA/{tile.stem}_TCI.jp2"] = (true_color, 10)
    images |= _masks(acquisition, granule / "QI_DATA", clouds)
    with ThreadPoolExecutor(threads, "encode") as executor:
        futures = [
            executor.submit(_write_jp2, path, image, resolution, acquisition)
            for path, (image, resolution) in images.items()
        ]
        for future in futures:
            future.result()
    _write_metadata(product, tile)
    return product


def _write_metadata(product: Path, tile: Tile) -> None:
    """Write what a product says of itself; its images are there already."""
    (product / "MTD_MSIL1C.xml").write_text(product_xml(tile))
    (product / "INSPIRE.xml").write_text(inspire_xml(tile))
    (product / tile.granule / "MTD_TL.xml").write_text(tile_xml(tile))
    datastrip = product / tile.granule.replace("GRANULE/L1C", "DATASTRIP/DS")
    datastrip.mkdir(parents=True)
    (datastrip / "MTD_DS.xml").write_text(datastrip_xml(tile))
    (product / "manifest.safe").write_text(manifest_xml(tile, product))


def _seen(acquisition: Acquisition, threads: int) -> Float32:
    """Return the ground of every pixel of 10 m, where it has moved to."""

    def place(
        row: NDArray[np.float64], column: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        row, column = origin(acquisition.displacement, row, column, iterations=8)
        return (
            acquisition.left + 10.0 * (column + 0.5),
            acquisition.top - 10.0 * (row + 0.5),
        )

    shape = (acquisition.size, acquisition.size)
    return render(shape, place, seed=acquisition.seed, threads=threads)


def _clouds(acquisition: Acquisition) -> NDArray[np.bool_]:
    """Return where clouds are, pixels of 60 m: discs until their share is reached."""
    size = acquisition.size // 6
    rng = np.random.default_rng([acquisition.seed, 7, int(acquisition.sensing.timestamp())])
    row, column = np.mgrid[0:size, 0:size]
    covered = np.zeros((size, size), np.bool_)
    while covered.mean() < acquisition.clouds:
        centre, radius = rng.uniform(0, size, 2), rng.uniform(0.02, 0.12) * size
        covered |= np.hypot(row - centre[0], column - centre[1]) < radius
    return covered


def _numbers(
    ground: Float32, clouds: NDArray[np.bool_], band: int, factor: int, rng: np.random.Generator
) -> UInt16:
    """Return the digital numbers of a band on its own grid."""
    image = reflectance(ground, band)
    size = image.shape[0] // factor
    image = image.reshape(size, factor, size, factor).mean(axis=(1, 3), dtype=np.float32)
    zoom = 6 // factor
    hidden = clouds.repeat(zoom, axis=0).repeat(zoom, axis=1)
    bright = np.float32(0.012 if band == 10 else 0.55)
    image = np.where(hidden, bright + np.float32(0.02) * image, image)
    noisy = QUANTIFICATION * image + OFFSET + _NOISE * rng.standard_normal(image.shape, np.float32)
    return np.asarray(np.rint(noisy).clip(1, 65_534), np.uint16)


def _shown(numbers: UInt16) -> UInt8:
    """Return a band as the true colour image shows it."""
    scaled = (numbers.astype(np.float32) - OFFSET) * (255.0 / (_TCI_SCALE * QUANTIFICATION))
    return np.asarray(np.rint(scaled).clip(1, 255), np.uint8)


def _masks(
    acquisition: Acquisition, folder: Path, clouds: NDArray[np.bool_]
) -> dict[Path, tuple[NDArray[np.uint16] | UInt8, int]]:
    """Return the footprints of detectors and the classification."""
    masks: dict[Path, tuple[NDArray[np.uint16] | UInt8, int]] = {}
    for resolution in (10, 20, 60):
        size = acquisition.size * 10 // resolution
        row, column = np.mgrid[0:size, 0:size] * (resolution / 10.0)
        index = detector_index(row, column, DETECTOR_WIDTH)
        detectors = (FIRST_DETECTOR + index).astype(np.uint8)[None]
        for name, own in zip(BANDS, RESOLUTION, strict=True):
            if own == resolution:
                masks[folder / f"MSK_DETFOO_{name}.jp2"] = (detectors, resolution)
    nothing = np.zeros_like(clouds, np.uint8)
    masks[folder / "MSK_CLASSI_B00.jp2"] = (
        np.stack([clouds.astype(np.uint8), nothing, nothing]),
        60,
    )
    return masks


def _write_jp2(
    path: Path, image: NDArray[np.uint16] | UInt8, resolution: int, acquisition: Acquisition
) -> None:
    """Write an image without loss, in tiles of 1024 pixels and six resolutions, as ESA's."""
    count, rows, columns = image.shape
    with rasterio.open(
        path,
        "w",
        driver="JP2OpenJPEG",
        dtype=image.dtype,
        count=count,
        height=rows,
        width=columns,
        crs=CRS.from_epsg(acquisition.epsg),
        transform=Affine(resolution, 0, acquisition.left, 0, -resolution, acquisition.top),
        QUALITY="100",
        REVERSIBLE="YES",
        BLOCKXSIZE="1024",
        BLOCKYSIZE="1024",
        RESOLUTIONS="6" if min(rows, columns) >= 64 else "1",
        YCBCR420="NO",
        GMLJP2="YES",
    ) as target:
        target.write(image)
