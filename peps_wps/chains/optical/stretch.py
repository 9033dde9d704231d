"""From reflectances to the tones of a picture: which are the darkest and the brightest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from algorithms.optical import reflectance_from_dn
from peps_wps.chains.fields import Fields
from peps_wps.chains.optical.grid import SceneGrid
from peps_wps.chains.optical.source import held_resolution
from peps_wps.errors import ChainError, InvalidInputError
from peps_wps.readers.sentinel2 import Sentinel2Scene

STRETCHES = ("tci", "maja", "range", "percentiles")
# Reflectances shown brightest: by the true colour images of ESA, by the quicklooks of MAJA.
_FIXED = {"tci": (0.0, 0.355), "maja": (0.0, 0.25)}
_DEFAULT = {**_FIXED, "range": (0.0, 0.4), "percentiles": (2.0, 98.0)}
_LIMITS = {"range": (-0.1, 2.0), "percentiles": (0.0, 100.0)}
_SAMPLED = 512  # pixels a side from which percentiles are taken
_LEAST_RANGE = 0.01  # reflectance: a flat scene is not stretched into noise


@dataclass(frozen=True)
class Stretch:
    """How reflectances become tones.

    Parameters
    ----------
    name
        One of `STRETCHES`.
    low, high
        Reflectances shown darkest and brightest; percents of the pixels for "percentiles".
    gamma
        Above 1 brightens the middle.
    """

    name: str = "tci"
    low: float = 0.0
    high: float = 0.355
    gamma: float = 1.0

    @classmethod
    def of(cls, fields: Fields) -> "Stretch":
        """Read the inputs ``stretch``, ``low``, ``high`` and ``gamma``."""
        name = fields.choice("stretch", STRETCHES)
        gamma = fields.number("gamma", default=1.0, low=0.2, high=5.0)
        low, high = _DEFAULT[name]
        if name in _FIXED:
            for limit in ("low", "high"):
                if fields.has(limit):
                    message = f"{limit} is given, expected with stretch range or percentiles only"
                    raise InvalidInputError(limit, message)
            return cls(name, low, high, gamma)
        least, most = _LIMITS[name]
        low = fields.number("low", default=low, low=least, high=most)
        high = fields.number("high", default=high, low=least, high=most)
        if not low < high:
            raise InvalidInputError("high", f"high is {high:g}, expected more than low, {low:g}")
        return cls(name, low, high, gamma)

    def limits(
        self, scene: Sentinel2Scene, bands: Sequence[str], grid: SceneGrid
    ) -> list[tuple[float, float]]:
        """Return the reflectances shown darkest and brightest of each band.

        Raises
        ------
        ChainError
            When percentiles are wanted of an area without data.
        """
        if self.name != "percentiles":
            return [(self.low, self.high)] * len(bands)
        return [self._percentiles(scene, band, grid) for band in bands]

    def _percentiles(
        self, scene: Sentinel2Scene, band: str, grid: SceneGrid
    ) -> tuple[float, float]:
        """Return percentiles of a band from its reduced resolutions."""
        image = scene.image(band, held_resolution(scene, band, grid.resolution))
        rows, columns = scene.geometry.shapes[grid.resolution]
        step = max(1, min(grid.shape) // _SAMPLED)
        shape = max(1, rows // step), max(1, columns // step)
        down, across = shape[0] / rows, shape[1] / columns
        numbers = image.read_reduced(shape)[
            math.floor(grid.row * down) : math.ceil((grid.row + grid.shape[0]) * down),
            math.floor(grid.column * across) : math.ceil((grid.column + grid.shape[1]) * across),
        ]
        radiometry = scene.radiometry
        values = reflectance_from_dn(
            numbers, offset=radiometry.offsets[band], quantification=radiometry.quantification
        )
        if np.isnan(values).all():
            raise ChainError(f"{scene.product.title} has no data of {band} in the area")
        low, high = np.nanpercentile(values, (self.low, self.high))
        middle, half = (low + high) / 2, max(high - low, _LEAST_RANGE) / 2
        return float(middle - half), float(middle + half)
