"""Place names: which point of the Earth a word of a search means.

Names are compared without accents, case and punctuation. Of several places of one name the one with
most people is meant; a name that others give to a place (Londres) counts a hundred times less than
the place's own (Valence in France, not Valencia).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, delete, insert, select

from catalog_db.tables import place, place_name

_BATCH = 20_000
_LONGEST_NAME = 80  # of place_name.folded
_OWN, _FOREIGN = 0, 1
_OWN_WEIGHT = 100
# More places of one name than this are not weighed against each other.
_MOST_NAMESAKES = 200
# Letters that Unicode does not decompose into a base and an accent.
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ð": "d"}
)
_WORD = re.compile(r"[^\W_]+")
_ABBREVIATIONS = {"st": "saint", "ste": "sainte"}


@dataclass(frozen=True)
class Place:
    """A town.

    Parameters
    ----------
    id
        Identifier of GeoNames.
    name
        As the place calls itself.
    country
        ISO 3166-1 alpha-2.
    longitude, latitude
        Degrees.
    population
        Inhabitants.
    other_names
        What others call it.
    """

    id: int
    name: str
    country: str
    longitude: float
    latitude: float
    population: int
    other_names: tuple[str, ...] = ()


def fold(name: str) -> str:
    """Return a name as names are compared: Saint-Étienne and ST ETIENNE are ``saint etienne``."""
    plain = name.casefold()
    if not plain.isascii():
        # Twice: what is decomposed may have a case to fold (Unicode, D146).
        decomposed = unicodedata.normalize("NFKD", plain).casefold()
        decomposed = unicodedata.normalize("NFKD", decomposed).translate(_LETTERS)
        plain = "".join(one for one in decomposed if not unicodedata.combining(one))
    words = _WORD.findall(plain)
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words)


def is_loaded(connection: Connection) -> bool:
    """Say whether there are any places."""
    return connection.execute(select(place.c.id).limit(1)).first() is not None


def replace_places(connection: Connection, places: Iterable[Place]) -> int:
    """Make these the places that are known; return their number."""
    connection.execute(delete(place_name))
    connection.execute(delete(place))
    number, remaining = 0, iter(places)
    while batch := list(islice(remaining, _BATCH)):
        connection.execute(insert(place), [_row(one) for one in batch])
        connection.execute(insert(place_name), [row for one in batch for row in _names(one)])
        number += len(batch)
    return number


def find_place(connection: Connection, text: str) -> Place | None:
    """Return the place that a text means: a name, or a name and the code of its country.

    Parameters
    ----------
    text
        ``toulouse``, ``Saint Étienne``, ``Valencia, VE``.
    """
    name, comma, country = text.rpartition(",")
    if comma and len(country.strip()) == 2 and country.strip().isalpha():
        return _heaviest(connection, name, country.strip().upper())
    return _heaviest(connection, text, None)


def _heaviest(connection: Connection, name: str, country: str | None) -> Place | None:
    folded = fold(name[: 4 * _LONGEST_NAME])
    if not 0 < len(folded) <= _LONGEST_NAME:
        return None
    query = (
        select(place, place_name.c.rank)
        .join(place_name, place_name.c.place == place.c.id)
        .where(place_name.c.folded == folded)
        .order_by(place_name.c.rank, place.c.population.desc(), place.c.id)
        .limit(_MOST_NAMESAKES)
    )
    if country is not None:
        query = query.where(place.c.country == country)
    rows = connection.execute(query).all()
    if not rows:
        return None
    row = max(rows, key=lambda row: row.population * (_OWN_WEIGHT if row.rank == _OWN else 1))
    return Place(row.id, row.name, row.country, row.longitude, row.latitude, row.population)


def _row(one: Place) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "country": one.country,
        "longitude": one.longitude,
        "latitude": one.latitude,
        "population": one.population,
    }


def _names(one: Place) -> Iterator[dict[str, object]]:
    own = fold(one.name)
    foreign = {fold(name) for name in one.other_names} - {own}
    for folded, rank in ((own, _OWN), *((name, _FOREIGN) for name in sorted(foreign))):
        if 0 < len(folded) <= _LONGEST_NAME:
            yield {"folded": folded, "rank": rank, "place": one.id}
