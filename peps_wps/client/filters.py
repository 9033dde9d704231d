"""What products are searched for, in words of this house; and the same in those of resto."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

# A number, or an interval of resto: "[0,20]", "]10,30[", "{51,59}".
Interval = float | str
# An instant, a day (its first instant, UTC), or either as RFC 3339 writes it.
Time = datetime | date | str

# Nine tenths of the 8190 bytes that servers usually take for a request line.
LONGEST_GEOMETRY = 7000


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What products must be; None asks for nothing. A last ``%`` of a text stands for any rest.

    Parameters
    ----------
    collection
        ``S1``, ``S2``, ``S2ST`` or ``S3``; all where none is named.
    box
        West, south, east, north in degrees.
    geometry
        WKT, or GeoJSON as a text; `wkt_of` makes it of other GeoJSON.
    point, radius_m
        Longitude and latitude in degrees, and metres about it.
    others
        Further parameters of the server, by the names that it has for them.
    """

    collection: str | None = None
    identifier: str | None = None
    title: str | None = None
    place: str | None = None
    tile: str | None = None
    start: Time | None = None
    end: Time | None = None
    published_from: Time | None = None
    published_to: Time | None = None
    updated: Time | None = None
    product_type: str | None = None
    platform: str | None = None
    instrument: str | None = None
    sensor_mode: str | None = None
    processing_level: str | None = None
    polarization: str | None = None
    swath: str | None = None
    orbit_direction: str | None = None
    orbit: Interval | None = None
    relative_orbit: Interval | None = None
    cycle: Interval | None = None
    mission_take: Interval | None = None
    cloud_cover: Interval | None = None
    snow_cover: Interval | None = None
    timeliness: str | None = None
    data_take: str | None = None
    box: tuple[float, float, float, float] | None = None
    geometry: str | None = None
    point: tuple[float, float] | None = None
    radius_m: float | None = None
    others: Mapping[str, str] = field(default_factory=dict)

    def parameters(self) -> dict[str, str]:
        """Return the parameters of resto.

        Raises
        ------
        ValueError
            When there are too many vertices for the address of a search.
        """
        given = {name: _text(getattr(self, name)) for name in PARAMETERS if _is_given(self, name)}
        for name in ("cloud_cover", "snow_cover"):
            if name in given and given[name].replace(".", "", 1).isdigit():
                given[name] = f"[0,{given[name]}]"
        return {
            **{PARAMETERS[name].parameter: value for name, value in given.items()},
            **self._where(),
            **self.others,
        }

    def _where(self) -> dict[str, str]:
        if self.geometry is not None:
            if len(self.geometry) > LONGEST_GEOMETRY:
                raise ValueError(
                    f"the geometry has {len(self.geometry)} characters; {LONGEST_GEOMETRY} fit "
                    "into the address of a search: simplify it, or search by its box"
                )
            return {"geometry": self.geometry}
        if self.box is not None:
            return {"box": ",".join(_text(edge) for edge in self.box)}
        if self.point is None:
            return {}
        longitude, latitude = self.point
        about = {"lon": _text(longitude), "lat": _text(latitude)}
        return about if self.radius_m is None else {**about, "radius": _text(self.radius_m)}


@dataclass(frozen=True)
class FilterName:
    """How a filter is called on the wire, and what it means."""

    parameter: str
    title: str


# Field of `Filters` -> parameter of resto; those that need more than a name are not among them.
PARAMETERS: Mapping[str, FilterName] = {
    "identifier": FilterName("identifier", "title or identifier of one product"),
    "title": FilterName("productIdentifier", "title, or how it begins: S1A_IW_GRDH%"),
    "place": FilterName("q", "name of a town that products lie about"),
    "tile": FilterName("tileid", "MGRS tile: 31TCJ, 31T%"),
    "start": FilterName("startDate", "sensed then or later"),
    "end": FilterName("completionDate", "sensed then or earlier; a day is its beginning"),
    "published_from": FilterName("publishedBegin", "published then or later"),
    "published_to": FilterName("publishedEnd", "published then or earlier"),
    "updated": FilterName("updated", "changed then or later"),
    "product_type": FilterName("productType", "GRD, SLC, OCN, S2MSI1C..."),
    "platform": FilterName("platform", "satellite: S1A, S2B"),
    "instrument": FilterName("instrument", "MSI, SAR-C SAR"),
    "sensor_mode": FilterName("sensorMode", "IW, EW, SM, WV, INS-NOBS"),
    "processing_level": FilterName("processingLevel", "LEVEL1, LEVEL1C"),
    "polarization": FilterName("polarisation", '"VV VH", VV, HH...'),
    "swath": FilterName("swath", "IW, S3..."),
    "orbit_direction": FilterName("orbitDirection", "ascending or descending"),
    "orbit": FilterName("orbitNumber", "absolute orbit: 39085, [39000,39100]"),
    "relative_orbit": FilterName("relativeOrbitNumber", "51, {51,59}"),
    "cycle": FilterName("cycleNumber", "cycle of the orbit, or an interval"),
    "mission_take": FilterName("missionTakeId", "data take of Sentinel-1, or an interval"),
    "cloud_cover": FilterName("cloudCover", "percent: a number is the most: 20"),
    "snow_cover": FilterName("snowCover", "percent: a number is the most: 20"),
    "timeliness": FilterName("realtime", "Nominal, NRT-3h, Fast-24h..."),
    "data_take": FilterName("s2TakeId", "data take of Sentinel-2"),
}
TIMES = ("start", "end", "published_from", "published_to", "updated")


def wkt_of(geojson: Mapping[str, Any]) -> str:
    """Return a GeoJSON geometry, feature or collection of features as one WKT text.

    Raises
    ------
    ValueError
        When it is none of them.
    """
    import shapely
    from shapely.errors import ShapelyError
    from shapely.geometry import shape

    features = geojson.get("features", [geojson])
    try:
        shapes = [shape(one.get("geometry", one)) for one in features]
        whole = shapely.force_2d(shapely.union_all(shapes))
    except (ShapelyError, KeyError, AttributeError, TypeError) as error:
        raise ValueError("this is no GeoJSON geometry, feature or collection") from error
    if whole.is_empty:
        raise ValueError("this GeoJSON has no geometry")
    # A millionth of a degree is 10 cm.
    return str(shapely.to_wkt(whole, rounding_precision=6))


def _is_given(filters: Filters, name: str) -> bool:
    return getattr(filters, name) not in (None, "")


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.10g}" if isinstance(value, float) else str(value)
