"""Metadata of simulated datastrips: where the satellite was (PSD issue 14.9)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from simulator.optical.product_xml import Tile

Float64 = NDArray[np.float64]

RADIUS = 7_157_000.0  # m; 786 km above the equator
PERIOD = 5_925.0  # s
HEADING = np.radians(194.0)  # of the ground track, from north
AHEAD_OF_UTC = timedelta(seconds=18)  # GPS time since 2017
_SPAN = 40  # seconds before and after


def position(tile: Tile) -> Callable[[float], tuple[Float64, Float64]]:
    """Return the orbit: position and velocity, Earth fixed, seconds from when it is overhead.

    The satellite runs along a circle through the zenith of the tile's centre, as the Earth sees it.
    """
    latitude, longitude = np.radians(tile.corners()[:4].mean(axis=0))
    up = np.array(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ]
    )
    east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    ahead = np.cos(HEADING) * np.cross(up, east) + np.sin(HEADING) * east
    rate = 2 * np.pi / PERIOD

    def state(time: float) -> tuple[Float64, Float64]:
        cosine, sine = np.cos(rate * time), np.sin(rate * time)
        return (
            RADIUS * (cosine * up + sine * ahead),
            RADIUS * rate * (cosine * ahead - sine * up),
        )

    return state


def datastrip_xml(tile: Tile) -> str:
    """Return the metadata of the datastrip, ``MTD_DS.xml``."""
    state = position(tile)
    points = "".join(
        _point(tile.sensing + timedelta(seconds=second), *state(float(second)))
        for second in range(-_SPAN, _SPAN + 1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-1C_DataStrip_ID \
xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Datastrip_Metadata.xsd">
<n1:Satellite_Ancillary_Data_Info>
<Time_Correlation_Data_List><Time_Correlation_Data>
<GPS_TIME>{_instant(tile.sensing + AHEAD_OF_UTC)}</GPS_TIME>
<UTC_TIME>{_instant(tile.sensing)}Z</UTC_TIME>
</Time_Correlation_Data></Time_Correlation_Data_List>
<Ephemeris><GPS_Points_List>
{points}</GPS_Points_List></Ephemeris>
</n1:Satellite_Ancillary_Data_Info>
</n1:Level-1C_DataStrip_ID>
"""


def _point(time: datetime, place: Float64, velocity: Float64) -> str:
    millimetres = (" ".join(str(round(1e3 * v)) for v in vector) for vector in (place, velocity))
    position_text, velocity_text = millimetres
    return (
        f'<GPS_Point><POSITION_VALUES unit="mm">{position_text}</POSITION_VALUES>\n'
        f'<VELOCITY_VALUES unit="mm/s">{velocity_text}</VELOCITY_VALUES>\n'
        f"<GPS_TIME>{_instant(time + AHEAD_OF_UTC)}</GPS_TIME></GPS_Point>\n"
    )


def _instant(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}"
