"""STAC API 1.0 over the catalogue: core, collections, item search, features.

Item identifiers are the titles of products, as STAC users know them; where one is asked for, the
resto identifier is understood too.
"""

from werkzeug.routing import Rule

from peps_wps.web.stac import catalogue, search


def rules() -> list[Rule]:
    """Return the addresses of the whole API."""
    return [*catalogue.rules(), *search.rules()]
