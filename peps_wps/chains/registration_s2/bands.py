"""The bands of a product on the reference: resampled, or as they are with another geotransform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.registration.resampling import MARGIN, needed, resampled
from peps_wps.chains.blocks import SIDE, put, run_blocks
from peps_wps.chains.optical import results
from peps_wps.chains.optical.grid import SceneGrid, scene_grid
from peps_wps.chains.optical.source import CachedImage, held_resolution
from peps_wps.chains.registration_s2.match import Match
from peps_wps.chains.registration_s2.order import Order
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import BANDS, Sentinel2Scene
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.publish import published

UInt16 = NDArray[np.uint16]
# Digital numbers that are no measurement (S2-PDGS-TAS-DI-PSD, special values).
_NO_DATA, _SATURATED = 0, 65_535


@dataclass(frozen=True)
class RegisteredBand:
    """A file of one band and the pixels that it has."""

    path: Path
    grid: SceneGrid | None
    resolution: int


def resampled_bands(
    folder: Path,
    match: Match,
    order: Order,
    tags: Mapping[str, str],
    threads: int,
    progress: Callable[[float], None],
) -> dict[str, RegisteredBand]:
    """Write the bands on the pixels of the reference; return them by name.

    Raises
    ------
    ChainError
        When a band has no data where the reference lies, or an image is damaged.
    """
    files = {}
    for number, band in enumerate(order.bands):
        start = number / len(order.bands)

        def tell(share: float, start: float = start) -> None:
            progress(start + share / len(order.bands))

        files[band] = _resampled_band(folder, match, order, band, tags, threads, tell)
    return files


def _resampled_band(
    folder: Path,
    match: Match,
    order: Order,
    band: str,
    tags: Mapping[str, str],
    threads: int,
    progress: Callable[[float], None],
) -> RegisteredBand:
    reference, scene = match.pair.scenes
    resolution = held_resolution(scene, band, BANDS[band].resolution)
    grid = scene_grid(reference, resolution, order.selection.region)
    source = _Source(scene, band, resolution, match)
    path = folder / f"{stem_of(scene)}_{band.lower()}.tif"
    rows, columns = grid.shape
    description = _description(scene, band, grid, tags)
    writer = CogWriter(path, width=columns, height=rows, description=description)

    def store(block: Block) -> None:
        numbers = source.read(grid.in_tile(block))
        outside = grid.outside(block)
        if outside is not None:
            numbers[outside] = _NO_DATA
        put(writer, block, numbers, _NO_DATA)

    run_blocks(grid.shape, store, threads=threads, progress=progress)
    if not writer.has_data:
        raise ChainError(f"{scene.product.title} has no data of {band} where the reference lies")
    writer.close()
    return RegisteredBand(path, grid, resolution)


def _description(
    scene: Sentinel2Scene, band: str, grid: SceneGrid, tags: Mapping[str, str]
) -> RasterDescription:
    """Return what the file of a band says: digital numbers stay those of the product."""
    radiometry = scene.radiometry
    scale = 1.0 / radiometry.quantification
    return RasterDescription(
        "uint16",
        grid.epsg,
        grid.transform,
        float(_NO_DATA),
        {**tags, "BAND": band},
        scale=scale,
        offset=radiometry.offsets[band] * scale,
        description=band,
    )


class _Source:
    """Digital numbers of a band on the pixels of the reference's tile."""

    def __init__(self, scene: Sentinel2Scene, band: str, resolution: int, match: Match) -> None:
        image = scene.image(band, resolution)
        self._shape = image.shape
        self._image = CachedImage(image, SIDE + 2 * MARGIN)
        # Decoded for the tie points already.
        self._held = match.held_pixels(band, resolution, image.shape)
        self._model = match.model_of(resolution)

    def read(self, block: Block) -> UInt16:
        """Return a block of the reference's tile; what is partly saturated is saturated."""
        part = needed(self._model, block, self._shape)
        if part.rows == 0 or part.columns == 0:
            return np.full((block.rows, block.columns), _NO_DATA, np.uint16)
        pixels = self._pixels(part)
        measured = (pixels != _NO_DATA) & (pixels != _SATURATED)
        values, valid = self._moved(pixels, measured, part, block)
        numbers = np.rint(values).clip(1, _SATURATED - 1).astype(np.uint16)
        numbers[valid == 0] = _NO_DATA
        if (pixels == _SATURATED).any():
            _, seen = self._moved(pixels, pixels != _NO_DATA, part, block)
            numbers[(valid == 0) & (seen == 1)] = _SATURATED
        return numbers

    def _pixels(self, part: Block) -> UInt16:
        if self._held is None:
            return self._image.read(part)
        rows = slice(part.row, part.row + part.rows)
        return self._held[rows, part.column : part.column + part.columns]

    def _moved(
        self, pixels: UInt16, valid: NDArray[np.bool_], part: Block, block: Block
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        return resampled(
            pixels.astype(np.float32),
            valid.astype(np.uint8),
            part,
            self._shape,
            self._model,
            block,
        )


def stem_of(scene: Sentinel2Scene) -> str:
    """Return the name of files without kind and extension."""
    return results.stem_of(scene, "registered")


def corrected_transform(match: Match, resolution: int) -> Affine:
    """Return the geotransform that lays the product's own pixels on the reference.

    Parameters
    ----------
    match
        Whose model is a shift or affine.
    resolution
        Of the pixels, metres.
    """
    reference = match.pair.reference.geometry.transforms[resolution]
    inverse: Affine = ~match.model_of(resolution).matrix()
    return reference @ inverse


def pointing_files(folder: Path, match: Match, order: Order) -> dict[str, RegisteredBand]:
    """Write a VRT a band: the product's own image, undecoded, on the corrected geotransform.

    Each opens in a folder beside the SAFE folder of the product, as an unpacked archive has it.
    """
    scene = match.pair.secondary
    files = {}
    for band in order.bands:
        resolution = held_resolution(scene, band, BANDS[band].resolution)
        path = folder / f"{stem_of(scene)}_{band.lower()}.vrt"
        with published(path) as stream:
            stream.write(_vrt(scene, band, resolution, corrected_transform(match, resolution)))
        files[band] = RegisteredBand(path, None, resolution)
    return files


def _vrt(scene: Sentinel2Scene, band: str, resolution: int, transform: Affine) -> bytes:
    rows, columns = scene.geometry.shapes[resolution]
    root = Element("VRTDataset", rasterXSize=str(columns), rasterYSize=str(rows))
    SubElement(root, "SRS").text = f"EPSG:{scene.geometry.epsg}"
    SubElement(root, "GeoTransform").text = ", ".join(repr(v) for v in transform.to_gdal())
    layer = SubElement(root, "VRTRasterBand", dataType="UInt16", band="1")
    SubElement(layer, "Description").text = band
    SubElement(layer, "NoDataValue").text = str(_NO_DATA)
    source = SubElement(layer, "SimpleSource")
    name = f"../{scene.safe.title}.SAFE/{scene.granule.images[band, resolution]}"
    SubElement(source, "SourceFilename", relativeToVRT="1").text = name
    SubElement(source, "SourceBand").text = "1"
    return tostring(root)
