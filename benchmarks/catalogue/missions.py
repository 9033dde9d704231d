"""The satellites, and what they bring: types of products, their kinds and how titles begin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.catalogue.orbits import SENTINEL_1, SENTINEL_2, Orbit
from catalog_db.catalogue.kinds import Kind


@dataclass(frozen=True)
class Satellite:
    """A satellite: its orbit, when it starts, its first node at or before, and how much it takes.

    `share` is the part of passes outside Europe that are acquired.
    """

    name: str
    orbit: Orbit
    starts: str
    phase_days: float
    share: float
    first_orbit: int


SATELLITES = (
    Satellite("S1A", SENTINEL_1, "2014-10-03", 0.0, 0.62, 2600),
    Satellite("S1B", SENTINEL_1, "2016-09-26", 6.0, 0.50, 2200),
    Satellite("S2A", SENTINEL_2, "2015-07-04", 0.0, 0.88, 200),
    Satellite("S2B", SENTINEL_2, "2017-03-15", 5.0, 0.88, 100),
)


@dataclass(frozen=True)
class ProductType:
    """A type of product of some modes: how many acquisitions have one, and its mean size, bytes."""

    name: str
    modes: str
    level: str
    code: str
    share: float
    size: float
    starts: str = "2014-01-01"


# Name in the title: for Sentinel-1 the type, for Sentinel-2 the level.
PRODUCT_TYPES = {
    "S1": (
        ProductType("SLC", "IW EW", "LEVEL1", "SLC_", 0.95, 4.2e9),
        ProductType("GRD", "IW EW", "LEVEL1", "GRDH", 1.0, 0.95e9),
        ProductType("RAW", "IW EW", "LEVEL0", "RAW_", 0.45, 1.6e9),
        ProductType("OCN", "IW EW WV", "LEVEL2", "OCN_", 0.5, 7e6),
        ProductType("SLC", "WV", "LEVEL1", "SLC_", 1.0, 2.6e9),
    ),
    "S2": (
        ProductType("S2MSI1C", "MSI", "LEVEL1C", "L1C", 1.0, 0.55e9),
        ProductType("S2MSI2A", "MSI", "LEVEL2A", "L2A", 0.9, 0.8e9, "2018-03-26"),
    ),
}
POLARIZATIONS = {"IW": ("VV VH", "SDV"), "EW": ("HH HV", "SDH"), "WV": ("VV", "SSV")}


def all_kinds() -> tuple[list[Kind], dict[str, NDArray[np.int64]]]:
    """Return all kinds, and their positions by satellite, product type, direction and mode."""
    kinds: list[Kind] = []
    positions = {}
    for satellite in SATELLITES:
        mission = satellite.name[:2]
        table = np.full((len(PRODUCT_TYPES[mission]), 2, 4), -1)
        for number, one in enumerate(PRODUCT_TYPES[mission]):
            for place, mode in enumerate(("EW", "IW", "MSI", "WV")):
                if mode not in one.modes.split():
                    continue
                for ascending, direction in enumerate(("descending", "ascending")):
                    table[number, ascending, place] = len(kinds)
                    kinds.append(_kind(satellite.name, one, mode, direction))
        positions[satellite.name] = table
    return kinds, positions


def _kind(platform: str, one: ProductType, mode: str, direction: str) -> Kind:
    is_radar = platform.startswith("S1")
    return Kind(
        collection="S1" if is_radar else "S2ST",
        platform=platform,
        product_type=one.name,
        sensor_mode=mode if is_radar else "INS-NOBS",
        instrument="SAR-C SAR" if is_radar else "MSI",
        processing_level=one.level,
        polarization=POLARIZATIONS[mode][0] if is_radar else None,
        swath=mode if is_radar else None,
        orbit_direction=direction,
    )


def title_start(kind: Kind) -> str:
    """Return what a title starts with, up to its first time."""
    if kind.collection != "S1":
        return f"{kind.platform}_MSI{kind.processing_level[-2:]}_".replace("MSI", "MSIL")
    (code,) = {one.code for one in PRODUCT_TYPES["S1"] if one.name == kind.product_type}
    level = kind.processing_level[-1]
    return f"{kind.platform}_{kind.sensor_mode}_{code}_{level}{POLARIZATIONS[kind.sensor_mode][1]}_"
