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


class UnknownUserError(CatalogError):
    """There is no user of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)  # keeps the error picklable
        self.name = name

    def __str__(self) -> str:
        return f"there is no user {self.name}"


class DuplicateUserError(CatalogError):
    """There is a user of this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is a user {self.name} already"


class UserNameError(CatalogError):
    """A user or group cannot be called so."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return (
            f"{self.name!r} is no name: expected up to 64 letters, digits and . _ @ + -, "
            "and not anonymous"
        )


class SchemaError(CatalogError):
    """The database was written by another version of the program."""


class RecallStateError(CatalogError):
    """There is no such recall, or nothing can be done with it in the state that it is in."""
