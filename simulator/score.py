"""How well a geocoded image puts back what a simulated scene had: targets and patches.

The image is anything that rasterio opens, of any maker, in linear power with 0 or NaN for no data.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.io import DatasetReader
from rasterio.windows import Window

Float64 = NDArray[np.float64]

# A target is looked for this far from where it should be, and weighed this far from its peak.
SEARCH_PIXELS = 12
CENTROID_PIXELS = 4
# Its peak must stand this far above its surroundings, or it is not answered.
PEAK_TO_BACKGROUND = 20.0
# Patches are read this far inside their border.
PATCH_MARGIN_M = 150.0


@dataclass(frozen=True)
class Score:
    """Residuals of one image.

    Parameters
    ----------
    easting, northing
        Found minus true position of each target, metres, shape (target,).
    bias_db
        Measured minus true gamma0 of each patch, decibels, shape (patch,).
    missing
        Targets inside the valid image that were not found.
    """

    easting: Float64
    northing: Float64
    bias_db: Float64
    missing: int

    @property
    def rms_m(self) -> float:
        """Root mean square distance of the targets, metres."""
        return float(np.sqrt(np.mean(self.easting**2 + self.northing**2)))

    @property
    def worst_m(self) -> float:
        """Largest distance, metres."""
        return float(np.max(np.hypot(self.easting, self.northing)))

    @property
    def mean_m(self) -> tuple[float, float]:
        """Mean residual in easting and northing, metres."""
        return float(np.mean(self.easting)), float(np.mean(self.northing))

    def __str__(self) -> str:
        text = f"{self.easting.size} targets, {self.missing} missing"
        if self.easting.size:
            east, north = self.mean_m
            text += (
                f": rms {self.rms_m:.3f} m, max {self.worst_m:.3f} m, "
                f"mean {east:+.3f} {north:+.3f} m"
            )
        if self.bias_db.size:
            text += (
                f"; {self.bias_db.size} patches: mean {self.bias_db.mean():+.4f} dB, "
                f"worst {np.abs(self.bias_db).max():.3f} dB"
            )
        return text


def score(truth: Path, image: Path, *, polarization: str) -> Score:
    """Measure the targets and patches of `truth.json` that lie in an image."""
    scene = json.loads(truth.read_text())
    with rasterio.open(image) as dataset:
        to_map = Transformer.from_crs(4326, dataset.crs, always_xy=True)
        residuals, missing = _targets(scene, dataset, to_map)
        bias = _patches(scene, dataset, to_map, polarization)
    found = np.array(residuals, np.float64).reshape(-1, 2)
    return Score(found[:, 0], found[:, 1], np.array(bias, np.float64), missing)


def _targets(
    scene: dict[str, Any],
    dataset: DatasetReader,
    to_map: Transformer,
) -> tuple[list[tuple[float, float]], int]:
    """Return the residuals of the targets found, and how many were not."""
    residuals, missing = [], 0
    for target in scene["targets"]:
        expected = to_map.transform(target["longitude"], target["latitude"])
        column, row = ~dataset.transform @ expected
        window = _window(dataset, row, column, SEARCH_PIXELS)
        if window is None:
            continue
        found = _centroid(window)
        if found is None:
            missing += 1
            continue
        top, left = int(np.floor(row)) - SEARCH_PIXELS, int(np.floor(column)) - SEARCH_PIXELS
        easting, northing = dataset.transform @ (left + found[1] + 0.5, top + found[0] + 0.5)
        residuals.append((easting - expected[0], northing - expected[1]))
    return residuals, missing


def _window(
    dataset: DatasetReader, row: float, column: float, half: int
) -> NDArray[np.float32] | None:
    """Return the pixels around a place, None where some are outside or no data."""
    top, left, side = int(np.floor(row)) - half, int(np.floor(column)) - half, 2 * half + 1
    if top < 0 or left < 0 or top + side > dataset.height or left + side > dataset.width:
        return None
    values: NDArray[np.float32] = dataset.read(1, window=Window(left, top, side, side))
    return values if np.all(np.isfinite(values) & (values != 0)) else None


def _centroid(window: NDArray[np.float32]) -> tuple[float, float] | None:
    """Return row and column of the centre of the power above the background."""
    background = float(np.median(window))
    row, column = np.unravel_index(np.argmax(window), window.shape)
    if window[row, column] < PEAK_TO_BACKGROUND * background:
        return None
    reach = CENTROID_PIXELS
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    near = np.pad(window, reach, constant_values=background)
    power = near[row : row + 2 * reach + 1, column : column + 2 * reach + 1] - background
    power = power.astype(np.float64)
    total = power.sum()
    return (
        float(row + (power * rows).sum() / total),
        float(column + (power * columns).sum() / total),
    )


def _patches(
    scene: dict[str, Any],
    dataset: DatasetReader,
    to_map: Transformer,
    polarization: str,
) -> list[float]:
    """Return measured minus true mean of each disc that lies inside the valid image, dB."""
    biases = []
    for patch in scene["patches"]:
        centre = to_map.transform(patch["longitude"], patch["latitude"])
        column, row = ~dataset.transform @ centre
        radius = (patch["radius_m"] - PATCH_MARGIN_M) / dataset.transform.a
        window = _window(dataset, row, column, int(np.ceil(radius)))
        if window is None:
            continue
        half = window.shape[0] // 2
        rows, columns = np.mgrid[: window.shape[0], : window.shape[1]]
        centred = (row - np.floor(row) - 0.5 + half, column - np.floor(column) - 0.5 + half)
        inside = np.hypot(rows - centred[0], columns - centred[1]) <= radius
        mean = float(window[inside].mean(dtype=np.float64))
        biases.append(10 * np.log10(mean / patch["gamma0"][polarization]))
    return biases
