"""Which acquisitions an order is for: one pass a date, all of one track."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import shapely
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.products import Product
from catalog_db.catalogue.query import OneOf, SearchQuery, TextFilter
from peps_wps.chains.contract import Catalogue, Json
from peps_wps.chains.interferometry.passes import (
    Pass,
    parted_by_track,
    passes_of,
    track_difference,
    without_repeats,
)
from peps_wps.chains.interferometry.products import (
    SWATHS,
    common_polarization,
    polarizations_of,
    slc_product,
)
from peps_wps.chains.optical.region import check_meets
from peps_wps.chains.searching import searched
from peps_wps.chains.time_series_s1.order import MOST_PRODUCTS, Order
from peps_wps.errors import OrderRefusedError
from peps_wps.readers.burst_id import ORBITS

LEAST_DATES = 3
# Of what the best date of a search shows of the area.
_LEAST_SHARE = 0.75
# Latitudes that slices beside the ascending node show: they look to the side, which is not east.
_NODE_REACH = 5.0  # degrees


@dataclass
class Found:
    """The passes of a stack in the order of time, and what was left out with the reason.

    Parameters
    ----------
    passes
        One a date.
    polarization
        That is used of all.
    area
        Ground that all show, longitude and latitude in degrees, cut to what was asked for.
    left_out
        Titles and reasons.
    """

    passes: list[Pass] = field(default_factory=list)
    polarization: str = ""
    area: BaseGeometry = field(default_factory=shapely.Polygon)
    left_out: list[Json] = field(default_factory=list)

    @property
    def products(self) -> list[Product]:
        """What each date shows, as one product."""
        return [one.whole for one in self.passes]

    def leave_out(self, product: Product, reason: str) -> None:
        """Note that a product is not used."""
        self.left_out.append({"product": product.title, "reason": reason})


def acquisitions(order: Order, catalogue: Catalogue) -> Found:
    """Find the products of a stack.

    Raises
    ------
    OrderRefusedError
        When one is unknown or of another kind or track, none has the polarisation, fewer than
        three dates are left, or they show no ground together.
    """
    found = Found()
    products = _named(order, catalogue) if order.products else _searched(order, catalogue)
    _check_track(products)
    found.polarization = _polarization(order, products, found)
    kept = [one for one in products if found.polarization in polarizations_of(one)]
    found.passes = _one_a_date(kept, order, found)
    if not order.products:
        found.passes = _showing_most(found.passes, order, found)
    _check_enough(order, found)
    found.area = _area(order, found.products)
    return found


def _named(order: Order, catalogue: Catalogue) -> list[Product]:
    """Look up each identifier."""
    found: dict[str, Product] = {}
    for identifier in order.products:
        product = slc_product(identifier, catalogue, "products")
        check_meets(order.geometry, product.footprint, product.title)
        found[product.uid] = product
    return sorted(found.values(), key=lambda one: (one.start, one.title))


def _searched(order: Order, catalogue: Catalogue) -> list[Product]:
    """Return what the catalogue has of a track over an area.

    Passes that cross the ascending node are of a track and of one beside it: near the equator
    their slices of the other number belong to it too, also on dates that show no other.
    """
    track, area = int(order.relative_orbit or 0), shapely.from_wkt(str(order.geometry))
    _, south, _, north = area.bounds
    is_near_node = south < _NODE_REACH and north > -_NODE_REACH
    beside = (-1, 0, 1) if is_near_node else (0,)
    tracks = tuple(float((track + step - 1) % ORBITS + 1) for step in beside)
    query = SearchQuery(
        collections=("S1",),
        region=area,
        start_from=order.start,
        start_to=order.end,
        texts={"product_type": TextFilter("SLC")},
        numbers={"relative_orbit": OneOf(tracks)},
    )
    products = searched(query, catalogue, most=MOST_PRODUCTS, place="the area")
    passes = passes_of(one for one in products if one.sensor_mode in SWATHS)
    asked = [one for one in passes if track in one.tracks]
    tied, _ = parted_by_track(asked, [one for one in passes if track not in one.tracks])
    return [slice_ for one in tied for slice_ in one.slices]


def _check_track(products: Sequence[Product]) -> None:
    """Refuse products that do not see the ground from one place."""
    passes = passes_of(products)
    _, others = parted_by_track(passes[:1], passes[1:])
    for other in others:
        first = passes[0]
        difference = track_difference(first, other)
        if difference is not None:
            what, one, another = difference
            raise OrderRefusedError(
                "products",
                f"products {first.whole.title} and {other.whole.title} are of {what} {one} and "
                f"{another}: a series is of one track",
            )


def _polarization(order: Order, products: Sequence[Product], found: Found) -> str:
    """Return the polarisation asked for, or one that most products have, co-polarised first."""
    if order.products:
        return common_polarization(products, order.polarization or None, "polarization")
    counted = Counter(name for product in products for name in polarizations_of(product))
    wanted = order.polarization or max(("VV", "HH"), key=lambda name: counted[name])
    for product in products:
        if wanted not in polarizations_of(product):
            found.leave_out(product, f"it has no polarization {wanted}")
    return wanted


def _one_a_date(products: Sequence[Product], order: Order, found: Found) -> list[Pass]:
    """Return of each day the pass that shows most of the area, the newest of equals.

    Slices of one pass stay together; of one that was processed twice the newer stays.
    """
    days: dict[date, list[Pass]] = defaultdict(list)
    for one in passes_of(products):
        single, repeats = without_repeats(one)
        for product, newer in repeats:
            found.leave_out(product, f"{newer.title} is the same slice, processed later")
        days[single.whole.start.date()].append(single)
    kept = []
    for same in days.values():
        best = max(same, key=lambda one: (round(_shown(one.whole, order), 6), one.whole.published))
        kept.append(best)
        for product in (product for one in same if one is not best for product in one.slices):
            found.leave_out(product, f"of its day {best.whole.title} shows more of the area")
    return kept


def _showing_most(passes: Sequence[Pass], order: Order, found: Found) -> list[Pass]:
    """Leave out dates that show far less of the area than others: the series would be cut to them.

    A slice of theirs is not in the catalogue, mostly.
    """
    areas = [_shown(one.whole, order) for one in passes]
    kept = []
    for one, area in zip(passes, areas, strict=True):
        share = area / max(areas) if max(areas) > 0.0 else 1.0
        if share >= _LEAST_SHARE:
            kept.append(one)
            continue
        for product in one.slices:
            found.leave_out(
                product, f"its date shows {100 * share:.0f} percent of what others show of the area"
            )
    return kept


def _shown(product: Product, order: Order) -> float:
    """Return how much of what was asked for a product shows, of any unit."""
    if order.geometry is None:
        return float(product.footprint.area)
    return float(product.footprint.intersection(shapely.from_wkt(order.geometry)).area)


def _check_enough(order: Order, found: Found) -> None:
    if len(found.products) >= LEAST_DATES:
        return
    days = ", ".join(f"{one.start:%Y-%m-%d}" for one in found.products) or "none"
    said = f"a series needs {LEAST_DATES} dates or more, found {len(found.products)}: {days}"
    if found.left_out:
        said += f"; {len(found.left_out)} left out, the first because {found.left_out[0]['reason']}"
    raise OrderRefusedError("products" if order.products else "start", said)


def _area(order: Order, products: Sequence[Product]) -> BaseGeometry:
    """Return the ground that all products show, within what was asked for."""
    area = shapely.intersection_all([one.footprint for one in products])
    if area.area == 0.0:
        raise OrderRefusedError(
            "products" if order.products else "geometry",
            f"the {len(products)} products from {products[0].title} to {products[-1].title} show "
            "no ground that is common to all",
        )
    if order.geometry is None:
        return area
    cut = area.intersection(shapely.from_wkt(order.geometry))
    if cut.area == 0.0:
        raise OrderRefusedError("geometry", "geometry lies outside what all products show")
    return cut
