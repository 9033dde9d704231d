"""The parameters of a resto search: their names there, in OpenSearch and in the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Parameters
    ----------
    qualified
        Its name in OpenSearch and its extensions (resto 2.x models).
    title
        For a person.
    """

    qualified: str
    title: str


# Parameter -> text of a product: equal, or a prefix with a last %.
TEXTS = {
    "productIdentifier": "title",
    "platform": "platform",
    "productType": "product_type",
    "sensorMode": "sensor_mode",
    "instrument": "instrument",
    "processingLevel": "processing_level",
    "polarisation": "polarization",
    "swath": "swath",
    "orbitDirection": "orbit_direction",
    "tileid": "mgrs_tile",
}
# Parameter -> number of a product: sets and intervals.
NUMBERS = {
    "orbitNumber": "orbit_number",
    "relativeOrbitNumber": "relative_orbit",
    "cycleNumber": "cycle_number",
    "missionTakeId": "mission_take_id",
    "cloudCover": "cloud_cover",
    "snowCover": "snow_cover",
}
# What products show and have no column of: parameter -> the value of those that show none.
SHOWN_TEXTS = {"organisationName": "ESA", "realtime": "Nominal", "s2TakeId": None}
SHOWN_NUMBERS = {
    "isNrt": 0.0,
    "resolution": None,
    **dict.fromkeys(
        (
            "cultivatedCover",
            "desertCover",
            "floodedCover",
            "forestCover",
            "herbaceousCover",
            "iceCover",
            "urbanCover",
            "waterCover",
        )
    ),
}
# Parameter -> bound of a search.
TIMES = {
    "startDate": "start_from",
    "completionDate": "start_to",
    "publishedBegin": "published_from",
    "publishedEnd": "published_to",
    "updated": "updated_from",
}

_EO_TITLES = {
    "productIdentifier": "Title of the product",
    "platform": "Satellite: S1A",
    "productType": "GRD, SLC, S2MSI1C",
    "sensorMode": "IW, EW, WV, SM",
    "instrument": "Instrument",
    "processingLevel": "LEVEL1, LEVEL1C",
    "polarisation": "Polarisations: VV VH",
    "swath": "Swath",
    "orbitDirection": "ascending or descending",
    "tileid": "MGRS tile: 31TCJ, 31T%",
    "orbitNumber": "Absolute orbit, or an interval",
    "relativeOrbitNumber": "Relative orbit, or an interval",
    "cycleNumber": "Cycle, or an interval",
    "missionTakeId": "Data take, or an interval",
    "cloudCover": "Percent, or an interval: [0,20]",
    "snowCover": "Percent, or an interval",
    "organisationName": "Who made the product",
    "realtime": "Timeliness: Nominal, Fast-24h",
    "s2TakeId": "Data take of Sentinel-2",
    "isNrt": "1: near real time only, 0: others only",
    "resolution": "Metres, or an interval",
}
_QUALIFIED = {
    "polarisation": "eo:polarisationChannels",
    "swath": "eo:swathIdentifier",
    "tileid": "resto:tileid",
    "isNrt": "resto:isNrt",
    "realtime": "resto:realtime",
    "s2TakeId": "resto:s2TakeId",
}

# Every parameter that is understood.
PARAMETERS: Mapping[str, Parameter] = {
    "q": Parameter("searchTerms", "Name of a town, or title of a product"),
    "maxRecords": Parameter("count", "Products on a page, 500 at most"),
    "index": Parameter("startIndex", "First product of the page, from 1"),
    "page": Parameter("startPage", "Page, from 1"),
    "lang": Parameter("language", "Two letters; everything is in English"),
    "identifier": Parameter("geo:uid", "Identifier or title of a product"),
    "geometry": Parameter("geo:geometry", "WKT or GeoJSON that products intersect"),
    "box": Parameter("geo:box", "west,south,east,north, degrees"),
    "lon": Parameter("geo:lon", "Longitude of a point, degrees"),
    "lat": Parameter("geo:lat", "Latitude of a point, degrees"),
    "radius": Parameter("geo:radius", "About the point, metres"),
    "startDate": Parameter("time:start", "Products that start then or later"),
    "completionDate": Parameter("time:end", "Products that start then or earlier"),
    "updated": Parameter("dc:date", "Products changed then or later"),
    "publishedBegin": Parameter("resto:publishedBegin", "Products published then or later"),
    "publishedEnd": Parameter("resto:publishedEnd", "Products published then or earlier"),
    "parentIdentifier": Parameter("eo:parentIdentifier", "Identifier of the mission"),
    **{
        name: Parameter(
            _QUALIFIED.get(name, f"eo:{name}"),
            _EO_TITLES.get(name, "Percent of the land, or an interval"),
        )
        for name in (*TEXTS, *NUMBERS, *SHOWN_TEXTS, *SHOWN_NUMBERS)
    },
}
