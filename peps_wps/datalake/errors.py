"""Errors of the datalake."""

from peps_wps.errors import PepsError


class TileLockedError(PepsError):
    """Somebody else works on it, for longer than one is ready to wait."""

    def __init__(self, key: str, holder: str) -> None:
        super().__init__(key, holder)
        self.key = key
        self.holder = holder

    def __str__(self) -> str:
        return f"{self.key} is in use by {self.holder}"


class LeaseLostError(PepsError):
    """The lease ran out while its holder could not renew it: another may have begun."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"the lease of {self.key} was lost: it could not be renewed in time"
