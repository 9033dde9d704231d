"""Who asks."""

from dataclasses import dataclass

ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    name
        The user; ``anonymous`` where nobody said.
    groups
        The groups of the user.
    is_operator
        Whether every job is seen, and may be dismissed.
    processes
        The restricted processes that the user may order.
    is_page
        Whether a page of another site asks, whose user need not know of it.
    """

    name: str = ANONYMOUS
    groups: frozenset[str] = frozenset()
    is_operator: bool = False
    processes: frozenset[str] = frozenset()
    is_page: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody said who asks."""
        return self.name == ANONYMOUS
