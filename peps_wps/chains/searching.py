"""The search of an order that names a place and a period instead of products."""

from catalog_db.catalogue.products import Product
from catalog_db.catalogue.query import SearchQuery
from catalog_db.errors import QueryError
from peps_wps.chains.contract import Catalogue
from peps_wps.errors import OrderRefusedError
from peps_wps.resto.query import RestoSearch


def searched(query: SearchQuery, catalogue: Catalogue, *, most: int, place: str) -> list[Product]:
    """Return all products that a search finds, in the order of time.

    Parameters
    ----------
    most
        With more than so many the order is refused.
    place
        What the search is over, in words.

    Raises
    ------
    OrderRefusedError
        When the search is refused, or finds too many.
    """
    try:
        products = catalogue.search(RestoSearch(query, {}), most)
    except QueryError as error:
        raise OrderRefusedError("start", f"the search is refused: {error}") from error
    if len(products) > most:
        raise OrderRefusedError(
            "start", f"more than {most} products are over {place}: narrow the period"
        )
    return sorted(products, key=lambda product: (product.start, product.title))
