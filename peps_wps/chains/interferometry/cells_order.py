"""What orders for cells of bursts have in common: which bursts, and how large a cell is."""

from dataclasses import dataclass, field
from typing import Self

from algorithms.interferometry.cells import Looks
from algorithms.interferometry.ground_coherence import COHERENCE_LOOKS
from peps_wps.chains.contract import Json
from peps_wps.chains.fields import Fields
from peps_wps.chains.interferometry.bursts import Wanted
from peps_wps.chains.interferometry.order_fields import bursts_of, looks_of, looks_text
from peps_wps.chains.optical.region import region_of
from peps_wps.chains.orders import ChainOrder
from peps_wps.errors import InvalidInputError


@dataclass(frozen=True, kw_only=True)
class CellsOrder(ChainOrder):
    """An order for cells of bursts.

    Parameters
    ----------
    wanted
        Which bursts; results are cut to its area.
    looks
        Of a cell.
    coherence_looks
        Independent looks that a coherence stands on: so many neighbouring cells are joined.
    """

    wanted: Wanted = field(default_factory=Wanted)
    looks: Looks
    coherence_looks: float = COHERENCE_LOOKS

    def to_json(self) -> Json:
        """Return the order as JSON."""
        return {**super().to_json(), "looks": looks_text(self.looks)}

    @classmethod
    def from_json(cls, order: Json) -> Self:
        """Return the order that `to_json` gave."""
        wanted = Wanted(order["wanted"]["region"], tuple(order["wanted"]["names"]))
        looks = looks_of(Fields({"looks": [order["looks"]]}))
        return super().from_json({**order, "wanted": wanted, "looks": looks})


def wanted_of(fields: Fields) -> Wanted:
    """Return which bursts an order is for, by area or by name."""
    wanted = Wanted(region_of(fields), bursts_of(fields))
    if wanted.region is not None and wanted.names:
        raise InvalidInputError("bursts", "bursts and geometry are given: expected one of them")
    return wanted
