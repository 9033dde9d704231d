"""What is alike in the orders of chains: they are read from inputs and kept as JSON."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Generic, Self, TypeVar

from peps_wps.chains.contract import Json


@dataclass(frozen=True)
class ChainOrder(ABC):
    """What a client asks of one process, value by value; each process has an order of its own."""

    @classmethod
    @abstractmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; an empty value counts as absent.

        Raises
        ------
        InvalidInputError
            With the input's identifier, the value found and what is expected.
        """

    def to_json(self) -> Json:
        """Return the order as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, order: Json) -> Self:
        """Return the order that `to_json` gave; what JSON has as a list is a tuple again."""
        values = order.items()
        return cls(**{k: tuple(value) if isinstance(value, list) else value for k, value in values})


OrderT = TypeVar("OrderT", bound=ChainOrder)


class PlannerOf(Generic[OrderT]):
    """The part of a chain that reads its orders and keeps them: their type knows how.

    Attributes
    ----------
    name
        Identifier of the process.
    order_type
        Of its orders.
    """

    name: str
    order_type: type[OrderT]

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> OrderT:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        return self.order_type.parse(inputs)

    def order_to_json(self, order: OrderT) -> Json:
        """Return the order as JSON."""
        return order.to_json()

    def order_from_json(self, order: Json) -> OrderT:
        """Return the order of a job row."""
        return self.order_type.from_json(order)
