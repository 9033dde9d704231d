"""Small published rasters whose every value is known."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from peps_wps.writers.cog import BLOCK, CogWriter, OverviewRule
from peps_wps.writers.cog_layout import RasterDescription

UTM_31 = 32631
# Near Toulouse, 20 m a pixel.
TRANSFORM = Affine(20, 0, 300_000, 0, -20, 4_900_020)


def write_cog(
    path: Path,
    values: np.ndarray,
    *,
    nodata: float | None = 0.0,
    epsg: int = UTM_31,
    transform: Affine = TRANSFORM,
    tags: Mapping[str, str] | None = None,
    overview: OverviewRule = "mean",
    **further: Any,
) -> Path:
    """Publish an array, shape (row, column), or with three samples behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = values.shape[:2]
    description = RasterDescription(
        values.dtype.name,
        epsg,
        transform,
        nodata,
        tags or {},
        samples=1 if values.ndim == 2 else 3,
        **further,
    )
    writer = CogWriter(path, width=width, height=height, description=description, overview=overview)
    rows, columns = writer.shape_in_blocks
    fill = 0 if nodata is None else nodata
    for row in range(rows):
        for column in range(columns):
            block = np.full((BLOCK, BLOCK, *values.shape[2:]), fill, values.dtype)
            part = values[row * BLOCK :, column * BLOCK :][:BLOCK, :BLOCK]
            block[: part.shape[0], : part.shape[1]] = part
            writer.put(row, column, block)
    writer.close()
    return path
