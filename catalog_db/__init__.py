"""The only package that writes SQL: products, search, recalls, jobs, migrations."""

from catalog_db.catalogue.query import SearchQuery, SearchResult
from catalog_db.catalogue.searching import search

__all__ = ["SearchQuery", "SearchResult", "search"]
