"""The products of a database, as the plan of an order asks for them."""

from dataclasses import dataclass, replace

from catalog_db import search
from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from catalog_db.engine import Engine
from catalog_db.errors import QueryError
from peps_wps.resto.places import about_place
from peps_wps.resto.query import MOST_RECORDS, RestoSearch

# A search for what hardly exists ends its pages early: that many are looked at.
_MOST_PAGES = 50


@dataclass(frozen=True)
class DatabaseCatalogue:
    """The products of a database, as a plan asks for them."""

    engine: Engine

    def product(self, identifier: str) -> Product | None:
        """Return the product, or None where it is unknown or withdrawn."""
        with self.engine.connect() as connection:
            found = products.get(connection, identifier)
        return None if found is None or found.withdrawn else found

    def search(self, asked: RestoSearch, most: int) -> list[Product]:
        """Return all products that a search finds, a few above `most` where there are more.

        Raises
        ------
        QueryError
            When the search has no meaning, or is for a few products among very many.
        """
        query = replace(asked.query, limit=MOST_RECORDS, offset=0)
        if asked.place is not None:
            query = about_place(self.engine, query, asked.place)
        found: list[Product] = []
        with self.engine.connect() as connection:
            for _ in range(_MOST_PAGES):
                page = search(connection, query)
                found.extend(page.items)
                if page.cursor is None or len(found) > most:
                    return found
                query = replace(query, cursor=page.cursor)
        raise QueryError("it is for a few products among very many: narrow it")
