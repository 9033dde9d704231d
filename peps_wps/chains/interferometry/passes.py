"""Products of one pass put together: the ground segment cuts a pass into consecutive slices."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import shapely

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Catalogue
from peps_wps.chains.interferometry.bursts import on_one_turn
from peps_wps.chains.interferometry.products import polarizations_of, slc_product
from peps_wps.errors import OrderRefusedError

# Share of a slice that another one of its pass may show too: more is the same slice once more.
_SHARED = 0.8


@dataclass(frozen=True)
class Pass:
    """What one pass of a satellite gave.

    Parameters
    ----------
    slices
        One product, or consecutive ones in the order of time.
    """

    slices: tuple[Product, ...]

    @cached_property
    def whole(self) -> Product:
        """The slices as if they were one product; polarisations are those that all have."""
        first, last = self.slices[0], self.slices[-1]
        if first is last:
            return first
        shown = [on_one_turn(one.footprint, first.footprint.centroid.x) for one in self.slices]
        common = [
            name
            for name in polarizations_of(first)
            if all(name in polarizations_of(one) for one in self.slices)
        ]
        return replace(
            first,
            title=" and ".join(self.titles),
            end=last.end,
            footprint=shapely.union_all(shown),
            polarization=" ".join(common),
        )

    @property
    def titles(self) -> tuple[str, ...]:
        """Of the slices."""
        return tuple(one.title for one in self.slices)

    @property
    def uids(self) -> tuple[str, ...]:
        """Of the slices."""
        return tuple(one.uid for one in self.slices)


def passes_of(products: Iterable[Product]) -> list[Pass]:
    """Group products by satellite, mode, absolute orbit and direction; in the order of time."""
    groups: dict[tuple[object, ...], dict[str, Product]] = defaultdict(dict)
    for one in products:
        orbit = one.title if one.orbit_number is None else one.orbit_number
        groups[one.platform, one.sensor_mode, orbit, one.orbit_direction][one.uid] = one
    found = [Pass(tuple(sorted(group.values(), key=_by_time))) for group in groups.values()]
    return sorted(found, key=lambda one: _by_time(one.slices[0]))


def without_repeats(one: Pass) -> tuple[Pass, list[tuple[Product, Product]]]:
    """Leave out slices that were processed again, the newest of each stays.

    Returns
    -------
    The pass, and what is left out of it, each with the product that stays.
    """
    kept: list[Product] = []
    repeats = []
    for product in sorted(one.slices, key=lambda slice_: slice_.published, reverse=True):
        newer = next((other for other in kept if _shared(product, other) > _SHARED), None)
        if newer is None:
            kept.append(product)
        else:
            repeats.append((product, newer))
    return Pass(tuple(sorted(kept, key=_by_time))), repeats


def pass_named(identifiers: Sequence[str], catalogue: Catalogue, name: str) -> Pass:
    """Return the pass whose product, or slices, an input names.

    Raises
    ------
    OrderRefusedError
        With `name`, the input, when a product is unknown, no SLC, or of another pass.
    """
    found = passes_of(slc_product(one, catalogue, name) for one in identifiers)
    if len(found) > 1:
        first, other = (one.slices[0].title for one in found[:2])
        raise OrderRefusedError(
            name,
            f"{name} names {first} and {other}, of different passes: expected one product, or "
            "consecutive ones of one pass",
        )
    return found[0]


def _by_time(product: Product) -> tuple[object, ...]:
    return product.start, product.title


def _shared(product: Product, other: Product) -> float:
    """Return the share of the time of a product that another one has too."""
    common = min(product.end, other.end) - max(product.start, other.start)
    whole = (product.end - product.start).total_seconds()
    return common.total_seconds() / whole if whole > 0.0 else 0.0
