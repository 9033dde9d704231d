"""Errors of the catalogue database."""


class CatalogError(Exception):
    """Base of what catalog_db raises itself."""


class UnknownProductError(CatalogError):
    """No product has this identifier."""

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier)  # keeps the error picklable
        self.identifier = identifier

    def __str__(self) -> str:
        return f"no product is called {self.identifier}"


class FootprintError(CatalogError):
    """A geometry cannot be placed on the Earth."""


class QueryError(CatalogError):
    """A search asks for something that has no meaning; the sentence says what."""


class SchemaError(CatalogError):
    """The database was written by another version of the program."""
