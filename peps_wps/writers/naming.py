"""Names of results: those of S1Tiling, so that what reads its files reads ours."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

_CALIBRATION_SUFFIX = {
    "gamma0": "",
    "sigma0": "_sigma",
    "beta0": "_beta",
    "gamma0_rtc": "_GammaNaughtRTC",
    "dn": "_dn",
}
# How PEPS says the calibration in the names of its time series.
_CALIBRATION_TOKEN = {"gamma0": "gam", "sigma0": "sig", "beta0": "bet", "gamma0_rtc": "rtc"}
ORBIT_DIRECTION = {"ascending": "ASC", "descending": "DES"}


class Pass(Protocol):
    """What a name says of a pass; an `Acquisition` is one."""

    @property
    def platform(self) -> str:
        """Satellite: "S1A"."""

    @property
    def starts(self) -> tuple[datetime, ...]:
        """First line of each frame, UTC."""

    @property
    def orbit_direction(self) -> str:
        """Whether the pass is "ascending" or "descending"."""

    @property
    def relative_orbit(self) -> int:
        """Number of the orbit in its cycle."""


def tile_stem(
    acquisition: Pass, tile: str, polarization: str, calibration: str, *, kind: str = ""
) -> str:
    """Return the name of a file without extension: ``s1a_31TCJ_vv_ASC_030_20210809t173953``.

    The time of day is ``txxxxxx`` where several frames were put together.

    Parameters
    ----------
    tile
        MGRS name.
    polarization
        "VV", or several together, "VVVH", for what belongs to all of them.
    calibration
        See `Processing`.
    kind
        What the file is when not the image: "BorderMask", "LayoverShadow", ...
    """
    return (
        "_".join(
            [
                acquisition.platform.lower(),
                tile,
                polarization.lower(),
                _pass_stem(acquisition),
            ]
        )
        + _CALIBRATION_SUFFIX[calibration]
        + (f"_{kind}" if kind else "")
    )


def series_stem(acquisition: Pass, tile: str, polarizations: str, calibration: str) -> str:
    """Return the name of a date of a time series as PEPS published it, without extension.

    ``s1b_sig_31TGL_vvvh_DES_139_20180720txxxxxx``; the parameters are those of `tile_stem`.
    """
    return "_".join(
        [
            acquisition.platform.lower(),
            _CALIBRATION_TOKEN[calibration],
            tile,
            polarizations.lower(),
            _pass_stem(acquisition),
        ]
    )


def composite_stem(
    tile: str, polarizations: str, direction: str, relative_orbit: int, calibration: str
) -> str:
    """Return what names of composites begin with: ``s1_gam_31TGL_vvvh_DES_139``.

    Parameters
    ----------
    direction
        "ascending" or "descending".
    """
    token, track = _CALIBRATION_TOKEN[calibration], f"{relative_orbit:03d}"
    return f"s1_{token}_{tile}_{polarizations.lower()}_{ORBIT_DIRECTION[direction]}_{track}"


def pass_name(acquisition: Pass) -> str:
    """Return what tells a pass from every other: ``s1a_ASC_030_20210809t173953``."""
    return f"{acquisition.platform.lower()}_{_pass_stem(acquisition)}"


def archive_name(process: str, starts: Mapping[str, datetime], order: Mapping[str, Any]) -> str:
    """Return the name of the zip of an order, from the start of each pass by its `pass_name`.

    One pass: ``S1_ORTHO_s1a_ASC_030_20210809t173953_<order>.zip``; several: their number and days,
    ``S1_ORTHO_3-passes_20210809_20210821_<order>.zip``. The eight digits at the end are of the
    whole order, so that other tiles or another calibration never overwrite a fetched file.
    """
    if len(starts) == 1:
        (passes,) = starts
    else:
        days = sorted(starts.values())
        passes = f"{len(days)}-passes_{days[0]:%Y%m%d}_{days[-1]:%Y%m%d}"
    return f"{process}_{passes}_{order_digest(order)}.zip"


def order_digest(order: Mapping[str, Any]) -> str:
    """Return eight digits that tell an order from every other."""
    return hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()[:8]


def _pass_stem(acquisition: Pass) -> str:
    start = acquisition.starts[0]
    time = f"{start:%H%M%S}" if len(acquisition.starts) == 1 else "xxxxxx"
    direction = ORBIT_DIRECTION[acquisition.orbit_direction]
    return f"{direction}_{acquisition.relative_orbit:03d}_{start:%Y%m%d}t{time}"
