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
# Both ends of an orbit number may be of one direction; they lie three quarters of an hour apart.
_LONGEST_BREAK_S = 1_200.0
# Footprints are drawn through few corners.
_LEAST_COMMON = 0.01  # of the reference


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
    def tracks(self) -> frozenset[int | None]:
        """Relative orbits: two where the pass crosses the ascending node."""
        return frozenset(one.relative_orbit for one in self.slices)

    @property
    def uids(self) -> tuple[str, ...]:
        """Of the slices."""
        return tuple(one.uid for one in self.slices)


def passes_of(products: Iterable[Product]) -> list[Pass]:
    """Group products by satellite, mode, direction and orbit; in the order of time.

    Orbits are counted from the ascending node: a pass that crosses it goes on with the next number.
    """
    flown: dict[tuple[object, ...], dict[str, Product]] = defaultdict(dict)
    for one in products:
        flown[_flight(one)][one.uid] = one
    found: list[list[Product]] = []
    for same in flown.values():
        for number, one in enumerate(sorted(same.values(), key=_by_time)):
            if number > 0 and _goes_on(found[-1], one):
                found[-1].append(one)
            else:
                found.append([one])
    return sorted(
        (Pass(tuple(slices)) for slices in found), key=lambda one: _by_time(one.slices[0])
    )


def _flight(product: Product) -> tuple[object, ...]:
    """Return what products of a pass have in common, whose orbit is known; or the title."""
    known = product.platform, product.sensor_mode, product.orbit_direction
    return (*known, product.title) if product.orbit_number is None else known


def _goes_on(slices: Sequence[Product], product: Product) -> bool:
    """Tell whether a product is of the pass of earlier ones of its flight."""
    if (product.orbit_number or 0) - (slices[-1].orbit_number or 0) not in (0, 1):
        return False
    end = max(one.end for one in slices)
    return (product.start - end).total_seconds() < _LONGEST_BREAK_S


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


def check_pair(first: Pass, second: Pass, name: str) -> None:
    """Refuse two passes that no interferogram can be made of.

    Raises
    ------
    OrderRefusedError
        With `name`, the input of the secondary: the same product or date twice, another orbit,
        direction or mode, or no common ground.
    """
    reference, secondary = first.whole, second.whole
    if reference.uid == secondary.uid:
        raise OrderRefusedError(name, f"{name} is the reference itself, {reference.title}")
    if abs((secondary.start - reference.start).total_seconds()) < 43_200.0:  # s, half a day
        raise OrderRefusedError(
            name,
            f"products {reference.title} and {secondary.title} are of the same date: "
            "an interferogram needs two",
        )
    difference = track_difference(first, second)
    if difference is not None:
        what, one, other = difference
        raise OrderRefusedError(
            name,
            f"{what} of {secondary.title} is {other}, that of the reference "
            f"{reference.title} is {one}: expected the same",
        )
    ground = reference.footprint
    common = ground.intersection(on_one_turn(secondary.footprint, ground.centroid.x))
    if common.area < _LEAST_COMMON * ground.area:
        raise OrderRefusedError(
            name,
            f"products {reference.title} and {secondary.title} have no burst in common: "
            "their footprints do not overlap",
        )


def track_difference(first: Pass, second: Pass) -> tuple[str, object, object] | None:
    """Return what two passes that are not of one track differ in, and how; None for one track."""
    one, other = first.whole, second.whole
    if one.sensor_mode != other.sensor_mode:
        return "mode", one.sensor_mode, other.sensor_mode
    if not first.tracks & second.tracks:
        return "relative orbit", one.relative_orbit, other.relative_orbit
    if one.orbit_direction != other.orbit_direction:
        return "direction", one.orbit_direction, other.orbit_direction
    return None


def parted_by_track(
    passes: Sequence[Pass], others: Sequence[Pass]
) -> tuple[list[Pass], list[Pass]]:
    """Add to passes what of others is of one track with them, also by passes in between.

    One that crosses the ascending node is of two tracks: it ties those of either.

    Returns
    -------
    The passes and those tied to them, and what is left of the others.
    """
    tied, rest = list(passes), list(others)
    near = rest
    while near:
        split: dict[bool, list[Pass]] = {True: [], False: []}
        for other in rest:
            split[any(track_difference(one, other) is None for one in tied)].append(other)
        near, rest = split[True], split[False]
        tied += near
    return tied, rest


def _by_time(product: Product) -> tuple[object, ...]:
    return product.start, product.title


def _shared(product: Product, other: Product) -> float:
    """Return the share of the time of a product that another one has too."""
    common = min(product.end, other.end) - max(product.start, other.start)
    whole = (product.end - product.start).total_seconds()
    return common.total_seconds() / whole if whole > 0.0 else 0.0
