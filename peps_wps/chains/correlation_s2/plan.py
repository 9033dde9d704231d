"""Which pair an order is for, refused where it cannot be correlated."""

from algorithms import mgrs
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Catalogue, Task
from peps_wps.chains.correlation_s2.order import Order
from peps_wps.chains.optical.products import scene_product
from peps_wps.chains.optical.region import check_meets
from peps_wps.errors import OrderRefusedError


def pair_task(order: Order, catalogue: Catalogue) -> Task:
    """Return the task of an order.

    Raises
    ------
    OrderRefusedError
        When a product is unknown, of another mission, without the band or out of the area, when
        both are the same one, or have no ground in common.
    """
    found = [
        scene_product(getattr(order, name), catalogue, name, bands=(order.band,), tile=order.tile)
        for name in ("reference", "secondary")
    ]
    (reference, reference_tile), (secondary, secondary_tile) = found
    check_common_ground("secondary", found[0], found[1], order)
    for product, _ in found:
        check_meets(order.region, product.footprint, product.title)
    return Task(
        f"{reference_tile} {reference.start:%Y-%m-%d} {secondary.start:%Y-%m-%d}",
        (reference.uid, secondary.uid),
        {"order": order.to_json(), "tiles": [reference_tile, secondary_tile]},
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
