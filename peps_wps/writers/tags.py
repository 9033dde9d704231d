"""Metadata of the GeoTIFFs: the keys and spellings of S1Tiling 1.4, and our own beside them."""

from collections.abc import Mapping
from datetime import datetime

from peps_wps.writers.acquisition import Acquisition, Processing
from peps_wps.writers.naming import ORBIT_DIRECTION

# The word of S1Tiling for each of ours; it has none for what it does not offer.
_CALIBRATION = {
    "gamma0": "gamma",
    "sigma0": "sigma",
    "beta0": "beta",
    "gamma0_rtc": "GammaNaughtRTC",
    "dn": "dn",
}
_INTERPOLATOR = {"nearest": "nn", "bilinear": "linear", "bicubic": "bco", "lanczos": "lanczos"}


def tile_tags(
    acquisition: Acquisition,
    processing: Processing,
    tile: str,
    polarization: str,
    *,
    image_type: str = "BACKSCATTERING",
    quantity: str = "linear power",
) -> dict[str, str]:
    """Return the tags of one file.

    Parameters
    ----------
    tile
        MGRS name.
    polarization
        "VV" and so on.
    image_type
        "BACKSCATTERING", or "MASK".
    quantity
        What the values are: "linear power", "decibels", "amplitude".
    """
    tags = {
        "ACQUISITION_DATETIME": _instant(acquisition.starts[0]),
        "CALIBRATION": _CALIBRATION[processing.calibration],
        "DEM_INFO": processing.dem,
        "FLYING_UNIT_CODE": acquisition.platform.lower(),
        "IMAGE_TYPE": image_type,
        "INPUT_S1_IMAGES": ", ".join(acquisition.titles),
        "LOWER_SIGNAL_VALUE": f"{processing.lower_signal_value:.9g}",
        "NOISE_REMOVED": str(processing.denoised),
        "ORBIT_DIRECTION": ORBIT_DIRECTION[acquisition.orbit_direction],
        "ORBIT_NUMBER": f"{acquisition.orbit_number:06d}",
        "ORTHORECTIFICATION_INTERPOLATOR": _INTERPOLATOR[processing.resampling],
        "ORTHORECTIFIED": "true",
        "POLARIZATION": polarization.lower(),
        "RELATIVE_ORBIT_NUMBER": f"{acquisition.relative_orbit:03d}",
        "S2_TILE_CORRESPONDING_CODE": tile,
        "SPATIAL_RESOLUTION": f"{processing.resolution:.1f}",
        "TIFFTAG_DATETIME": f"{processing.created:%Y:%m:%d %H:%M:%S}",
        "TIFFTAG_IMAGEDESCRIPTION": _description(acquisition, processing, tile),
        "TIFFTAG_SOFTWARE": f"PEPS {processing.version}",
        "ORBIT_SOURCE": processing.orbit,
        "QUANTITY": quantity,
    }
    for number, start in enumerate(acquisition.starts, 1):
        tags[f"ACQUISITION_DATETIME_{number}"] = _instant(start)
    return tags


def filtering_tags(tags: Mapping[str, str], method: str, radius: int, dates: int) -> dict[str, str]:
    """Return the tags of an image whose speckle was filtered.

    Parameters
    ----------
    tags
        Of the image that it was made from.
    method, radius
        The filter, and the pixels of its window beside the middle.
    dates
        How many images it was filtered with.
    """
    description = f"{tags['TIFFTAG_IMAGEDESCRIPTION']}, speckle filtered ({method})"
    return {
        **tags,
        "FILTERED": "true",
        "FILTERING_METHOD": method,
        "FILTERING_WINDOW_RADIUS": str(radius),
        "FILTERING_DATES": str(dates),
        "TIFFTAG_IMAGEDESCRIPTION": description,
    }


def _instant(instant: datetime) -> str:
    return f"{instant:%Y:%m:%dT%H:%M:%SZ}"


def _description(acquisition: Acquisition, processing: Processing, tile: str) -> str:
    return (
        f"{_CALIBRATION[processing.calibration]} calibrated orthorectified "
        f"Sentinel-{acquisition.platform[1:]} {acquisition.mode} GRD on S2 tile {tile}"
    )
