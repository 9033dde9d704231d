"""``q=``: the name of a town, or the title of a product, made into a search."""

from dataclasses import replace

from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue import gazetteer
from catalog_db.catalogue.gazetteer import Place
from catalog_db.catalogue.query import SearchQuery, TextFilter
from catalog_db.catalogue.regions import square_region
from catalog_db.engine import Engine
from peps_wps.readers.place_names import read_places

# As far about a town as about a point.
RADIUS_M = 10_000.0
_NOWHERE = ("",)  # a collection that no product is in


def load_places(engine: Engine, *, anew: bool = False) -> bool:
    """Read the gazetteer into the catalogue, once; say whether that was to be done.

    Parameters
    ----------
    engine
        The catalogue.
    anew
        Replace the places that are known.
    """
    if not anew and _is_loaded(engine):
        return False
    places = list(read_places())  # nobody's writing waits for that
    with engine.begin() as connection:
        if gazetteer.is_loaded(connection) and not anew:
            return False
        gazetteer.replace_places(connection, places)
        return True


def about_place(engine: Engine, query: SearchQuery, text: str) -> SearchQuery:
    """Return the query of products about a place, or called so; of none where nothing is.

    A region that the query has already must be met as well: its part about the place is searched.
    The first search for a place loads the gazetteer, if neither `peps db upgrade` nor the
    demonstration has.
    """
    if "_" in text:  # no town is written so, and every product is
        if "title" in query.texts:
            return replace(query, collections=_NOWHERE)
        return replace(query, texts={**query.texts, "title": TextFilter(text)})
    place = _place(engine, text)
    region: BaseGeometry = Polygon()
    if place is not None:
        region = square_region(place.longitude, place.latitude, RADIUS_M)
    if query.region is not None:
        region = region.intersection(query.region)
    return (
        replace(query, collections=_NOWHERE) if region.is_empty else replace(query, region=region)
    )


def _place(engine: Engine, text: str) -> Place | None:
    load_places(engine)
    with engine.connect() as connection:
        return gazetteer.find_place(connection, text)


def _is_loaded(engine: Engine) -> bool:
    with engine.connect() as connection:
        return gazetteer.is_loaded(connection)
