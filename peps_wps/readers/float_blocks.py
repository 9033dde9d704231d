"""Rows of a float32 GeoTIFF of ours, decoded from its blocks straight into an array.

Half the work of reading them through GDAL, which decodes into a cache and copies from there. For
blocks coded as `peps_wps.writers.cog` codes them: ZSTD and predictor 3, or absent.
"""

from pathlib import Path

import numpy as np
import zstandard
from numpy.typing import NDArray
from rasterio.errors import RasterioIOError
from rasterio.io import DatasetReader

from algorithms.compiled import compiled
from peps_wps.readers.byte_source import StoredBytes

Float32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def is_readable(dataset: DatasetReader) -> bool:
    """Return whether blocks of the file are coded as `FloatBlocks` reads them."""
    structure = dataset.tags(ns="IMAGE_STRUCTURE")
    coding = (structure.get("COMPRESSION"), structure.get("PREDICTOR"))
    is_planar = dataset.count == 1 or structure.get("INTERLEAVE") == "BAND"
    return set(dataset.dtypes) == {"float32"} and coding == ("ZSTD", "3") and is_planar


class FloatBlocks:
    """One band of a file, for one thread.

    Parameters
    ----------
    dataset
        Open while this is used; `is_readable`.
    band
        Number of the band, from 1.
    """

    def __init__(self, dataset: DatasetReader, band: int) -> None:
        self._path = Path(dataset.name)
        self._dataset = dataset
        self._band = band
        self._side_rows, self._side_columns = dataset.block_shapes[band - 1]
        self._file = StoredBytes(self._path, offset=0, size=self._path.stat().st_size)
        self._decompressor = zstandard.ZstdDecompressor()

    def read(self, target: Float32, first: int) -> None:
        """Fill an array with the rows from `first` on.

        Parameters
        ----------
        target
            Shape (row, column of the whole width); 0 where the file has no block.

        Raises
        ------
        RasterioIOError
            When a block cannot be decoded.
        """
        end = first + len(target)
        for block_row in range(first // self._side_rows, -(-end // self._side_rows)):
            top = block_row * self._side_rows
            start, stop = max(first, top), min(end, top + self._side_rows)
            for block_column in range(-(-target.shape[1] // self._side_columns)):
                column = block_column * self._side_columns
                coded = self._coded(block_row, block_column)
                part = target[start - first : stop - first]
                if coded is None:
                    part[:, column : column + self._side_columns] = 0
                else:
                    _decode(coded[start - top : stop - top], part, column)

    def _coded(self, row: int, column: int) -> Bytes | None:
        """Return the bytes of a block before the predictor is undone; None where there is none."""
        place = f"{column}_{row}"
        offset = self._dataset.get_tag_item(f"BLOCK_OFFSET_{place}", "TIFF", bidx=self._band)
        if offset is None:
            return None
        size = self._dataset.get_tag_item(f"BLOCK_SIZE_{place}", "TIFF", bidx=self._band)
        stored = self._file.read_at(int(offset), int(size))
        try:
            coded = self._decompressor.decompress(stored)
            return np.frombuffer(coded, np.uint8).reshape(self._side_rows, 4 * self._side_columns)
        except (zstandard.ZstdError, ValueError) as error:
            raise RasterioIOError(
                f"{self._path.name} is damaged: block {place} cannot be decoded"
            ) from error


@compiled
def _decode(coded: Bytes, target: Float32, column: int) -> None:
    """Undo TIFF predictor 3 (Adobe TIFF Technical Note 3): sums along the row, then four planes."""
    side = coded.shape[1] // 4
    columns = min(side, target.shape[1] - column)
    planes = np.empty(4 * side, np.uint8)
    values = target.view(np.uint32)
    for row in range(target.shape[0]):
        before = np.uint8(0)
        source = coded[row]
        for place in range(4 * side):
            before = np.uint8(before + source[place])
            planes[place] = before
        _join(
            planes[:columns],
            planes[side : side + columns],
            planes[2 * side : 2 * side + columns],
            planes[3 * side : 3 * side + columns],
            values[row, column : column + columns],
        )


@compiled
def _join(
    first: Bytes, second: Bytes, third: Bytes, fourth: Bytes, values: NDArray[np.uint32]
) -> None:
    for place in range(values.size):
        values[place] = (
            (np.uint32(first[place]) << np.uint32(24))
            | (np.uint32(second[place]) << np.uint32(16))
            | (np.uint32(third[place]) << np.uint32(8))
            | np.uint32(fourth[place])
        )
