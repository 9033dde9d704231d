"""Which pairs an order is for, refused where they cannot be correlated."""

import itertools
from collections.abc import Iterator, Sequence

import shapely

from algorithms import mgrs
from algorithms.time_series.network import nearest_pairs
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Catalogue, Task
from peps_wps.chains.correlation_s2.order import STABLE, Order
from peps_wps.chains.optical.products import scene_product
from peps_wps.chains.optical.region import NAME, check_meets, on_map, shorter_side
from peps_wps.errors import OrderRefusedError


def pair_tasks(order: Order, catalogue: Catalogue) -> tuple[Task, ...]:
    """Return the tasks of an order, one a pair.

    Raises
    ------
    OrderRefusedError
        When a product is unknown, of another mission, without the band or out of the area, when
        two are the same one or have no ground in common, or a series is of several tiles; when the
        area is smaller than a window.
    """

    def found(identifier: str, name: str) -> Found:
        return scene_product(identifier, catalogue, name, bands=(order.band,), tile=order.tile)

    name = "secondaries" if order.is_series else "secondary"
    reference = found(order.reference, "reference")
    others = [found(identifier, name) for identifier in order.secondaries]
    for other in others:
        check_common_ground(name, reference, other, order)
    for product, _ in (reference, *others):
        check_meets(order.region, product.footprint, product.title)
        check_meets(order.stable, product.footprint, product.title, STABLE)
    check_room(order, reference[1])
    if not order.is_series:
        return (_task(reference, others[0], order, reference),)
    return tuple(_series_tasks(reference, others, order))


Found = tuple[Product, str]
MOST_PAIRS = 1_000


def _series_tasks(reference: Found, others: Sequence[Found], order: Order) -> Iterator[Task]:
    """Yield the pairs of a series, each with the later date second."""
    for product, tile in others:
        if tile != reference[1]:
            raise OrderRefusedError(
                "secondaries",
                f"{product.title} is of tile {tile}, the reference of {reference[1]}: a series is "
                "of one tile",
            )
    by_time = sorted((reference, *others), key=lambda one: (one[0].start, one[0].title))
    for (first, _), (second, _) in itertools.pairwise(by_time):
        if first.start == second.start:
            raise OrderRefusedError(
                "secondaries", f"{first.title} and {second.title} are of the same time"
            )
    pairs = nearest_pairs(len(by_time), order.neighbours or len(by_time))
    if len(pairs) > MOST_PAIRS:
        raise OrderRefusedError(
            "neighbours",
            f"{len(by_time)} dates make {len(pairs)} pairs, at most {MOST_PAIRS}: order neighbours",
        )
    for first, second in pairs:
        yield _task(by_time[first], by_time[second], order, reference)


def _task(first: Found, second: Found, order: Order, reference: Found) -> Task:
    products = (first[0], second[0])
    return Task(
        f"{first[1]} {products[0].start:%Y-%m-%d} {products[1].start:%Y-%m-%d}",
        tuple(product.uid for product in products),
        {
            "order": order.to_json(),
            "tiles": [first[1], second[1]],
            "titles": [product.title for product in products],
            "starts": [product.start.isoformat() for product in products],
            "reference": reference[0].start.isoformat(),
        },
    )


def check_common_ground(
    name: str, reference: tuple[Product, str], secondary: tuple[Product, str], order: Order
) -> None:
    """Refuse products that cannot be compared: the same, of other pixels, of other ground.

    Parameters
    ----------
    name
        The input that names the secondary.
    reference, secondary
        Products and their tiles.
    order
        Band and window of the comparison.

    Raises
    ------
    OrderRefusedError
        With `name`.
    """
    (first, first_tile), (second, second_tile) = reference, secondary
    if first.uid == second.uid:
        raise OrderRefusedError(name, f"{name} is the reference, {first.title}")
    if first_tile != second_tile:
        _check_tiles(name, first_tile, second_tile, order)
    if not first.footprint.intersects(second.footprint):
        raise OrderRefusedError(name, f"{second.title} shows no ground that {first.title} shows")


def check_room(order: Order, tile: str) -> None:
    """Refuse an area with less room on a tile than a window takes.

    Raises
    ------
    OrderRefusedError
        With the area's input.
    """
    if order.region is None:
        return
    square = mgrs.tile(tile)
    area = on_map(order.region, square.epsg, square.bounds)
    side = shorter_side(area.intersection(shapely.box(*square.bounds)))
    if side < order.window * order.resolution:
        raise OrderRefusedError(
            NAME,
            f"{NAME} is {side:.0f} m wide on tile {tile}, less than a window of {order.window} "
            f"pixels of {order.resolution} m: give a larger area or a smaller window",
        )


def _check_tiles(name: str, first: str, second: str, order: Order) -> None:
    """Refuse tiles that do not share pixels, or fewer than a window has."""
    one, other = mgrs.tile(first), mgrs.tile(second)
    if one.epsg != other.epsg:
        raise OrderRefusedError(
            name,
            f"{name} is of tile {second} in EPSG:{other.epsg}, reference of {first} in "
            f"EPSG:{one.epsg}: expected one UTM zone, whose pixels coincide",
        )
    west, south, east, north = (
        pick(pair)
        for pick, pair in zip(
            (max, max, min, min), zip(one.bounds, other.bounds, strict=True), strict=True
        )
    )
    if min(east - west, north - south) < order.window * order.resolution:
        raise OrderRefusedError(
            name,
            f"{name} is of tile {second}, reference of {first}: they overlap by less than a "
            f"window of {order.window} pixels of {order.resolution} m",
        )
