"""Air whose state is known at every height, and files of it as ERA5 has them.

Temperature of the US Standard Atmosphere 1976, vapour that falls off exponentially; pressure and
geopotential by integrating hydrostatic balance in steps of 10 m under gravity of the
international formula of 1980, shared with nothing that is tested.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from rasterio.io import MemoryFile

Float64 = NDArray[np.float64]

_HIGH = (1, 2, 3, 5, 7, 10, 20, 30, 50, 70)
LEVELS = np.array(
    [*_HIGH, *range(100, 250, 25), *range(250, 750, 50), *range(750, 1001, 25)], np.float64
)  # hPa, all of ERA5's
_STEP = 10.0  # m
_HEIGHT = np.arange(-600.0, 80_000.0, _STEP)


@dataclass(frozen=True)
class StandardAir:
    """A column of air.

    Parameters
    ----------
    latitude
        Degrees; gravity depends on it.
    humidity
        Specific humidity at sea level; it falls by a factor e every 2.2 km.
    surface
        Pressure at -600 m, Pa.
    """

    latitude: float = 45.0
    humidity: float = 0.012
    surface: float = 1.0875e5

    @property
    def temperature(self) -> Float64:
        """Kelvins at every 10 m."""
        corners = [-1e3, 11e3, 20e3, 32e3, 47e3, 51e3, 71e3, 85e3]
        return np.interp(
            _HEIGHT, corners, [294.65, 216.65, 216.65, 228.65, 270.65, 270.65, 214.65, 186.95]
        )

    @property
    def specific_humidity(self) -> Float64:
        """Mass of vapour in that of moist air."""
        return self.humidity * np.exp(-_HEIGHT / 2200.0)

    @property
    def gravity(self) -> Float64:
        """Gravity in m/s2."""
        sine = np.sin(np.radians(self.latitude))
        double = np.sin(2 * np.radians(self.latitude))
        ground = 9.780327 * (1 + 0.0053024 * sine**2 - 0.0000058 * double**2)
        return ground * (6_371_000.0 / (6_371_000.0 + _HEIGHT)) ** 2

    @property
    def geopotential(self) -> Float64:
        """Integral of gravity from sea level, m2/s2."""
        integral = _integral(self.gravity)
        return integral - np.interp(0.0, _HEIGHT, integral)

    @property
    def pressure(self) -> Float64:
        """Pa."""
        gas = 287.05 * (1 + 0.60772 * self.specific_humidity)
        return self.surface * np.exp(-_integral(self.gravity / (gas * self.temperature)))

    def delay(self, height: float) -> float:
        """Return the zenith delay from a height, the refractivity summed up, metres."""
        q = self.specific_humidity
        vapour = self.pressure * q / (0.622 + 0.378 * q)
        refractivity = (
            0.776 * (self.pressure - vapour) / self.temperature
            + 0.716 * vapour / self.temperature
            + 3750.0 * vapour / self.temperature**2
        )
        integral = _integral(1e-6 * refractivity)
        return float(integral[-1] - np.interp(height, _HEIGHT, integral))

    def at_levels(self) -> dict[str, Float64]:
        """Return geopotential, temperature and specific humidity at the levels of ERA5."""
        where = np.interp(np.log(LEVELS * 100), np.log(self.pressure[::-1]), _HEIGHT[::-1])
        return {
            name: np.interp(where, _HEIGHT, getattr(self, name))
            for name in ("geopotential", "temperature", "specific_humidity")
        }


def _integral(values: Float64) -> Float64:
    steps = (values[1:] + values[:-1]) / 2 * _STEP
    return np.concatenate([[0.0], np.cumsum(steps)])


# Discipline 0: category and number of GRIB 2's table 4.2.
_NUMBERS = {"geopotential": (3, 4), "temperature": (0, 0), "specific_humidity": (1, 0)}


@dataclass(frozen=True)
class Nodes:
    """Nodes of a file, every quarter of a degree: the north-western one and how many."""

    north: float = 34.0
    west: float = 130.0
    rows: int = 9
    columns: int = 9


def write_air(
    folder: Path,
    time: datetime,
    air: StandardAir,
    nodes: Nodes = Nodes(),
    *,
    without: tuple[tuple[str, float], ...] = (),
    of: datetime | None = None,
) -> Path:
    """Write a file (GRIB 2) of air that is the same at all nodes.

    Parameters
    ----------
    time
        Of the name, on the hour.
    without
        Variables and levels (hPa) that are left out.
    of
        What the file itself says its time is; None for that of its name.
    """
    values = air.at_levels()
    fields = [
        (variable, level, values[variable][index])
        for index, level in enumerate(LEVELS)
        for variable in _NUMBERS
        if (variable, level) not in without
    ]
    options = {"DATA_ENCODING": "IEEE_FLOATING_POINT", "INPUT_UNIT": "K"}
    said = f"{of or time:%Y-%m-%dT%H:%M:%SZ}"
    for band, (variable, level, _value) in enumerate(fields, 1):
        category, number = _NUMBERS[variable]
        options |= {
            f"BAND_{band}_DISCIPLINE": "0",
            f"BAND_{band}_IDS": f"CENTER=98 SIGNF_REF_TIME=1 REF_TIME={said} TYPE=0",
            f"BAND_{band}_PDS_PDTN": "0",
            f"BAND_{band}_PDS_TEMPLATE_ASSEMBLED_VALUES": (
                f"{category} {number} 0 0 0 0 0 1 0 100 0 {level * 100:.0f} 255 0 0"
            ),
        }
    path = folder / f"ERA5_N32_N34_E130_E132_{time:%Y%m%d_%H}.grb"
    transform = Affine(0.25, 0.0, nodes.west - 0.125, 0.0, -0.25, nodes.north + 0.125)
    shape = (nodes.rows, nodes.columns)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", height=shape[0], width=shape[1], count=len(fields), dtype="float64",
            crs="EPSG:4326", transform=transform,
        ) as raster:  # fmt: skip
            for band, (_variable, _level, value) in enumerate(fields, 1):
                raster.write(np.full(shape, value), band)
        with memory.open() as raster:
            rasterio.shutil.copy(raster, path, driver="GRIB", **options)
    return path


def write_geoid(folder: Path, undulation: float) -> Path:
    """Write a geoid grid of the whole Earth that lies at one height above the ellipsoid, metres."""
    path = folder / "egm96.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=360, height=181, count=1, dtype="float32",
        crs="EPSG:4326", transform=Affine(1, 0, -180.5, 0, -1, 90.5),
    ) as grid:  # fmt: skip
        grid.write(np.full((181, 360), undulation, np.float32), 1)
    return path
