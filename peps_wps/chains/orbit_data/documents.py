"""Orbit data of products as documents: CSV, GeoJSON and CZML."""

import csv
import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from algorithms.geodesy import ecef_to_geodetic
from catalog_db.catalogue.footprints import placed
from peps_wps.chains.contract import Json
from peps_wps.chains.orbit_data.reading import OrbitData

Float64 = NDArray[np.float64]

COLUMNS = (
    *("product", "platform", "source", "time_utc"),
    *("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s"),
    *("longitude_deg", "latitude_deg", "height_m"),
)
_PRECISION_DEG = 1e-6  # 11 cm
_COLOURS = {"S1": [255, 160, 60, 255], "S2": [90, 170, 255, 255]}
_INTERPOLATION_DEGREE = 5


def to_body(data: OrbitData) -> Json:
    """Return orbit data as JSON, for the row of a task."""
    return {
        "title": data.title,
        "platform": data.platform,
        "start": data.start.isoformat(),
        "stop": data.stop.isoformat(),
        "orbit_number": data.orbit_number,
        "relative_orbit": data.relative_orbit,
        "orbit_direction": data.orbit_direction,
        "footprint": shapely.to_wkt(data.footprint, rounding_precision=9),
        "source": data.source,
        "times": [time.isoformat() for time in data.times],
        "states": data.states.tolist(),
    }


def from_body(body: Json) -> OrbitData:
    """Return the orbit data that `to_body` gave."""
    return OrbitData(
        **{
            **body,
            "start": datetime.fromisoformat(body["start"]),
            "stop": datetime.fromisoformat(body["stop"]),
            "footprint": shapely.from_wkt(body["footprint"]),
            "times": tuple(datetime.fromisoformat(time) for time in body["times"]),
            "states": np.array(body["states"], np.float64).reshape(-1, 6),
        }
    )


def csv_text(products: Sequence[OrbitData]) -> str:
    """Return one line a state vector: Earth fixed, and the place below the satellite."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for data in products:
        longitude, latitude, height = _ground_track(data.states)
        for index, time in enumerate(data.times):
            writer.writerow(
                [
                    *(data.title, data.platform, data.source, _instant(time)),
                    *(f"{value:.6f}" for value in data.states[index]),
                    *(f"{longitude[index]:.7f}", f"{latitude[index]:.7f}"),
                    f"{height[index]:.3f}",
                ]
            )
    return stream.getvalue()


def geojson(products: Sequence[OrbitData]) -> Json:
    """Return a feature of each footprint, and one of each ground track."""
    features = []
    for data in products:
        properties = {
            "product": data.title,
            "platform": data.platform,
            "start": _instant(data.start),
            "stop": _instant(data.stop),
            "orbit_number": data.orbit_number,
            "relative_orbit": data.relative_orbit,
            "orbit_direction": data.orbit_direction,
            "source": data.source,
        }
        footprint = shapely.set_precision(placed(data.footprint)[0], _PRECISION_DEG)
        features.append(_feature(footprint, {**properties, "kind": "footprint"}))
        if len(data.times) > 1:
            track = {"kind": "ground track", "times": [_instant(time) for time in data.times]}
            features.append(_feature(_track(data.states), {**properties, **track}))
    return {"type": "FeatureCollection", "features": features}


def czml(products: Sequence[OrbitData]) -> list[Json]:
    """Return a document for globes: footprints, and satellites that move.

    CZML of Analytical Graphics, packets of the wiki of Cesium: positions in the frame FIXED.
    """
    interval = f"{_instant(_earliest(products))}/{_instant(_latest(products))}"
    clock = {
        "interval": interval,
        "currentTime": interval.split("/", maxsplit=1)[0],
        "multiplier": 10,
    }
    packets: list[Json] = [
        {"id": "document", "name": "PEPS orbit data", "version": "1.0", "clock": clock}
    ]
    for data in products:
        colour = {"rgba": _COLOURS[data.platform[:2]]}
        packets += [
            _outline(data, number, part, colour)
            for number, part in enumerate(shapely.get_parts(placed(data.footprint)[0]))
        ]
        if len(data.times) > 1:
            packets.append(_satellite(data, colour))
    return packets


def _outline(data: OrbitData, number: int, part: shapely.Polygon, colour: Json) -> Json:
    """Return the packet of a part of a footprint."""
    ring = [round(value, 6) for x, y in part.exterior.coords for value in (x, y, 0.0)]
    fill = {"rgba": [*colour["rgba"][:3], 60]}
    return {
        "id": f"{data.title}/footprint/{number}",
        "name": data.title,
        "availability": f"{_instant(_earliest([data]))}/{_instant(_latest([data]))}",
        "polygon": {
            "positions": {"cartographicDegrees": ring},
            "material": {"solidColor": {"color": fill}},
            "outline": True,
            "outlineColor": colour,
            "height": 0,
        },
    }


def _satellite(data: OrbitData, colour: Json) -> Json:
    """Return the packet of a satellite that moves along its state vectors."""
    epoch = data.times[0]
    cartesian = [
        number
        for time, state in zip(data.times, data.states, strict=True)
        for number in ((time - epoch).total_seconds(), *(round(float(v), 4) for v in state[:3]))
    ]
    return {
        "id": f"{data.title}/satellite",
        "name": data.platform,
        "description": data.title,
        "availability": f"{_instant(data.times[0])}/{_instant(data.times[-1])}",
        "position": {
            "epoch": _instant(epoch),
            "referenceFrame": "FIXED",
            "interpolationAlgorithm": "LAGRANGE",
            "interpolationDegree": min(_INTERPOLATION_DEGREE, len(data.times) - 1),
            "cartesian": cartesian,
        },
        "point": {"pixelSize": 8, "color": colour},
        "path": {"width": 2, "material": {"solidColor": {"color": colour}}, "resolution": 10},
    }


def _earliest(products: Sequence[OrbitData]) -> datetime:
    return min(time for data in products for time in (data.start, *data.times))


def _latest(products: Sequence[OrbitData]) -> datetime:
    return max(time for data in products for time in (data.stop, *data.times))


def _ground_track(states: Float64) -> tuple[Float64, Float64, Float64]:
    """Return longitude and latitude in degrees and height in metres below state vectors."""
    longitude, latitude, height = ecef_to_geodetic(states[:, :3])
    return np.degrees(longitude), np.degrees(latitude), height


def _track(states: Float64) -> BaseGeometry:
    """Return the line below a satellite, cut at the antimeridian (RFC 7946, 3.1.9)."""
    longitude, latitude, _ = _ground_track(states)
    places = np.column_stack([np.degrees(np.unwrap(np.radians(longitude))), latitude])
    line = shapely.LineString(places)
    first = math.floor((line.bounds[0] + 180) / 360)
    last = math.floor((line.bounds[2] + 180) / 360)
    parts = [
        shapely.affinity.translate(
            line.intersection(shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90)),
            -360.0 * turn,
        )
        for turn in range(first, last + 1)
    ]
    track = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    return shapely.set_precision(track, _PRECISION_DEG)


def _feature(geometry: BaseGeometry, properties: dict[str, Any]) -> Json:
    return {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(geometry),
        "properties": properties,
    }


def _instant(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
