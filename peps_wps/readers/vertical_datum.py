"""What the heights of a DEM file are measured from, and the rule that decided it."""

from dataclasses import dataclass

import pyproj
from rasterio.io import DatasetReader

from peps_wps.errors import DemError

ELLIPSOID = "ellipsoid"
_EGM96_CODE = 5773
_EGM2008_CODE = 3855


@dataclass(frozen=True)
class VerticalDatum:
    """``EGM96``, ``EGM2008`` or ``ellipsoid``, and how it is known."""

    name: str
    rule: str


def vertical_datum(dataset: DatasetReader, configured: str) -> VerticalDatum:
    """Return the datum of a DEM file: its own tag, else the configuration, else its name.

    Raises
    ------
    DemError
        When the file names a vertical datum that is none of the three.
    """
    tagged = _tagged(dataset)
    if tagged is not None:
        return VerticalDatum(tagged, "by the vertical reference of the file")
    if configured:
        return VerticalDatum(configured, "by the configuration")
    name = dataset.name.rsplit("/", 1)[-1]
    if name.startswith("Copernicus_DSM"):
        return VerticalDatum("EGM2008", "by the file name Copernicus_DSM")
    return VerticalDatum("EGM96", "by default")


def _tagged(dataset: DatasetReader) -> str | None:
    """Return the datum of the file's coordinate reference system, None when it has no heights."""
    if dataset.crs is None:
        return None
    reference = pyproj.CRS.from_user_input(dataset.crs)
    for part in reference.sub_crs_list:
        if part.is_vertical:
            return _model(part, dataset)
    # A geographic system of three axes counts heights from its ellipsoid.
    return ELLIPSOID if len(reference.axis_info) == 3 else None


def _model(vertical: pyproj.CRS, dataset: DatasetReader) -> str:
    code = vertical.to_epsg()
    name = vertical.name.upper()
    if code == _EGM96_CODE or "EGM96" in name:
        return "EGM96"
    if code == _EGM2008_CODE or "EGM2008" in name or "EGM08" in name:
        return "EGM2008"
    if "ELLIPSOID" in name:
        return ELLIPSOID
    file = dataset.name.rsplit("/", 1)[-1]
    raise DemError(f"{file} has heights in {vertical.name}, EGM96, EGM2008 or ellipsoid expected")
