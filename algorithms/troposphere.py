"""Delay of radar waves in the troposphere, from temperature, humidity and pressure of a model.

A path is longer in air than in vacuum by the integral of the refractivity upwards: a dry part of
some 2.3 m at sea level that follows the pressure, and a wet one of 0 to 0.4 m that changes from
day to day. Between two dates of an interferogram only their difference counts. Clouds, rain and
the ionosphere are left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import map_coordinates

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Refractivity of air as Doin et al. 2009 have it, after Smith & Weintraub, Proc. IRE 41, 1953.
K1 = 0.776  # K/Pa, dry air
K2 = 0.716  # K/Pa, water vapour
K3 = 3.75e3  # K2/Pa, the dipole of water
DRY_GAS = 287.05  # J/(kg K)
VAPOUR_GAS = 461.495  # J/(kg K)
_WET = K2 - K1 * DRY_GAS / VAPOUR_GAS  # what vapour adds to the air that it is part of, K/Pa

STANDARD_LAPSE = 6.5e-3  # K/m, US Standard Atmosphere 1976, below 11 km
LOWEST = -500.0  # m; the shore of the Dead Sea is at -430
HIGHEST = 9_000.0  # m
# Tables are read linearly between their heights: 2e-6 m off where the air is densest.
_STEP = 20.0  # m

# WGS84, NIMA TR8350.2, tables 3.1 to 3.4.
_SEMI_MAJOR = 6_378_137.0  # m
_FLATTENING = 1.0 / 298.257223563
_EQUATOR_GRAVITY = 9.7803253359  # m/s2
_SOMIGLIANA = 0.00193185265241
_ECCENTRICITY_SQUARED = 0.00669437999014
_GRAVITY_RATIO = 0.00344978650684  # centrifugal to gravitational at the equator


@dataclass(frozen=True)
class PressureLevels:
    """The air over an area at one instant, on surfaces of equal pressure.

    Parameters
    ----------
    longitude, latitude
        Degrees of the columns, ascending, and of the rows, either way; evenly spaced.
    pressure
        Pa of the levels, in any order, shape (level,).
    geopotential
        m2/s2 above the geoid, shape (level, row, column).
    temperature
        K, same shape.
    specific_humidity
        Mass of vapour in that of moist air, same shape.

    Raises
    ------
    ValueError
        When shapes disagree, or there are fewer than 4 levels or 2 rows or columns.
    """

    longitude: Float64
    latitude: Float64
    pressure: Float64
    geopotential: Float64
    temperature: Float64
    specific_humidity: Float64

    def __post_init__(self) -> None:
        shape = (self.pressure.size, self.latitude.size, self.longitude.size)
        for name in ("geopotential", "temperature", "specific_humidity"):
            if (found := getattr(self, name).shape) != shape:
                raise ValueError(f"{name} has shape {found}, expected {shape}")
        if shape[0] < 4 or min(shape[1:]) < 2:
            raise ValueError(f"air has {shape} levels, rows, columns: expected (4, 2, 2) or more")


@dataclass(frozen=True)
class ZenithDelay:
    """Delay straight upwards at heights over an area.

    Parameters
    ----------
    longitude, latitude
        Degrees, as in `PressureLevels`.
    dry, wet
        Metres one way from heights `LOWEST`, `LOWEST` + 20 m, ..., above
        whatever `zenith_delay` was told; shape (height, row, column).
    """

    longitude: Float64
    latitude: Float64
    dry: Float64
    wet: Float64

    def at(self, longitude: Float64, latitude: Float64, height: NDArray[np.floating]) -> Float32:
        """Return the whole delay at some places, bilinear on the ground.

        Parameters
        ----------
        longitude, latitude
            Degrees, any shape; longitudes on the turn of this one's.
        height
            Metres, same shape.

        Returns
        -------
        Metres one way, float32, NaN outside the area or the heights, and where height is NaN.
        """
        places = np.empty((3, *np.shape(height)))
        places[0] = (height - LOWEST) / _STEP
        for axis, (nodes, value) in enumerate(
            ((self.latitude, latitude), (self.longitude, longitude)), 1
        ):
            places[axis] = (value - nodes[0]) / (nodes[1] - nodes[0])
        places[:, ~np.isfinite(places).all(axis=0)] = -1.0
        delay: Float32 = map_coordinates(
            self.dry + self.wet, places, output=np.float32, order=1, cval=np.nan
        )
        return delay


def zenith_delay(
    air: PressureLevels, undulation: NDArray[np.floating] | None = None
) -> ZenithDelay:
    """Integrate the refractivity of the air upwards.

    With pressure P, temperature T, partial pressure of vapour e and geometric height h, the delay
    at a height z is

        1e-6 { k1 Rd P(z) / g_m + integral from z of [(k2 - k1 Rd / Rv) e / T + k3 e / T^2] dh }

    where the first term is the integral of k1 Rd rho for air of density rho in hydrostatic
    balance, g_m the gravity at the centre of mass of the column above z. The logarithm of the
    pressure and the wet refractivity are cubic splines of the height over each column.

    Parameters
    ----------
    air
        Levels up to some 100 hPa or less pressure; the vapour above the topmost is neglected.
    undulation
        Height of the geoid above the ellipsoid at the nodes, metres, shape (row, column): the
        answer is then for heights above the ellipsoid. None: for elevations above the geoid.

    References
    ----------
    Doin, Lasserre, Peltzer, Cavalie & Doubre, Corrections of stratified tropospheric delays in SAR
    interferometry: validation with global atmospheric models, J. Applied Geophysics 69, 2009.
    Jolivet, Grandin, Lasserre, Doin & Peltzer, Systematic InSAR tropospheric phase delay
    corrections from global meteorological reanalysis data, GRL 38, L17311, 2011, equation 1.
    """
    order = np.argsort(-air.pressure)
    pressure = air.pressure[order]
    heights = np.arange(LOWEST, HIGHEST + _STEP / 2, _STEP)
    shape = (heights.size, air.latitude.size, air.longitude.size)
    dry, wet = np.empty(shape), np.empty(shape)
    above = np.zeros(shape[1:]) if undulation is None else undulation
    for row, latitude in enumerate(np.radians(air.latitude)):
        for column in range(air.longitude.size):
            place = (order, row, column)
            sea = above[row, column]
            gravity = column_gravity(latitude, heights - sea)
            height = geometric_height(air.geopotential[place], latitude) + sea
            levels = _extended(
                height, pressure, air.temperature[place], air.specific_humidity[place]
            )
            surface_pressure, path = _column(*levels, heights)
            dry[:, row, column] = 1e-6 * K1 * DRY_GAS * surface_pressure / gravity
            wet[:, row, column] = 1e-6 * path
    return ZenithDelay(air.longitude, air.latitude, dry, wet)


def slant_delay(zenith: Float32, incidence_angle: Float32) -> Float32:
    """Return the delay along a line of sight through flat layers: zenith / cos(incidence), metres.

    Parameters
    ----------
    zenith
        Metres one way.
    incidence_angle
        From the vertical, radians, below 60 degrees or so; same shape.
    """
    return (zenith / np.cos(incidence_angle)).astype(np.float32)


def vapour_pressure(pressure: Float64, specific_humidity: Float64) -> Float64:
    """Return the partial pressure of vapour in moist air of some pressure, both Pa.

    With the ratio r of the gas constants Rd / Rv: q P / (r + (1 - r) q).
    """
    ratio = DRY_GAS / VAPOUR_GAS
    vapour: Float64 = specific_humidity * pressure / (ratio + (1.0 - ratio) * specific_humidity)
    return vapour


def normal_gravity(latitude: float) -> float:
    """Return gravity on the ellipsoid, m/s2, at a latitude in radians.

    NIMA TR8350.2, equation 4-1 (Somigliana).
    """
    square = float(np.sin(latitude)) ** 2
    return float(
        _EQUATOR_GRAVITY
        * (1.0 + _SOMIGLIANA * square)
        / np.sqrt(1.0 - _ECCENTRICITY_SQUARED * square)
    )


def geometric_height(geopotential: Float64, latitude: float) -> Float64:
    """Return heights (m) of geopotentials (m2/s2), at a latitude in radians.

    Gravity falls as over a sphere whose radius gives its fall on the ellipsoid, NIMA TR8350.2,
    equation 4-3 to first order: R = a / (1 + f + m - 2 f sin^2), and h = R W / (g R - W).
    """
    square = float(np.sin(latitude)) ** 2
    radius = _SEMI_MAJOR / (1.0 + _FLATTENING + _GRAVITY_RATIO - 2.0 * _FLATTENING * square)
    height: Float64 = radius * geopotential / (normal_gravity(latitude) * radius - geopotential)
    return height


def column_gravity(latitude: float, height: Float64) -> Float64:
    """Return gravity (m/s2) at the centre of mass of the air above some heights (m).

    Saastamoinen, Contributions to the theory of atmospheric refraction, Bulletin Geodesique 105,
    1972: 9.784 (1 - 0.00266 cos 2 latitude - 0.28e-6 h), m/s2; latitude in radians.
    """
    gravity: Float64 = 9.784 * (1.0 - 0.00266 * np.cos(2.0 * latitude) - 0.28e-6 * height)
    return gravity


def _extended(
    height: Float64, pressure: Float64, temperature: Float64, humidity: Float64
) -> tuple[Float64, Float64, Float64, Float64]:
    """Add a level below the lowest of a column, with the lapse rate of the standard atmosphere."""
    if height[0] <= LOWEST:
        return height, pressure, temperature, humidity
    below = temperature[0] + STANDARD_LAPSE * (height[0] - LOWEST)
    moist = DRY_GAS * (1.0 + (VAPOUR_GAS / DRY_GAS - 1.0) * humidity[0])
    exponent = normal_gravity(np.pi / 4) / (moist * STANDARD_LAPSE)
    heavier = pressure[0] * (below / temperature[0]) ** exponent
    return (
        np.insert(height, 0, LOWEST),
        np.insert(pressure, 0, heavier),
        np.insert(temperature, 0, below),
        np.insert(humidity, 0, humidity[0]),
    )


def _column(
    height: Float64, pressure: Float64, temperature: Float64, humidity: Float64, at: Float64
) -> tuple[Float64, Float64]:
    """Return pressure (Pa) at heights, and the integral of the wet refractivity above them (m)."""
    vapour = vapour_pressure(pressure, humidity)
    refractivity = _WET * vapour / temperature + K3 * vapour / temperature**2
    integral = CubicSpline(height, refractivity).antiderivative()
    above = integral(height[-1]) - integral(at)
    return np.exp(CubicSpline(height, np.log(pressure))(at)), above
