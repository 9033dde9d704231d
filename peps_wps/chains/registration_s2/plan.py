"""Which products an order registers, refused where they cannot lie on the reference."""

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Catalogue, Task
from peps_wps.chains.correlation_s2.plan import check_common_ground, check_room
from peps_wps.chains.optical.products import scene_product
from peps_wps.chains.optical.region import check_meets
from peps_wps.chains.registration_s2.order import Order


def registration_tasks(order: Order, catalogue: Catalogue) -> tuple[Task, ...]:
    """Return one task a product, in the order of time; each reads the reference too.

    Raises
    ------
    OrderRefusedError
        When a product is unknown, of another mission, without a band or out of the area, is the
        reference itself, or has no ground in common with it; when the area is smaller than a
        window.
    """
    tile = order.selection.tile
    reference = scene_product(
        order.reference, catalogue, "reference", bands=(order.band,), tile=tile
    )
    found: dict[str, tuple[Product, str]] = {}
    for identifier in order.selection.products:
        product = scene_product(
            identifier, catalogue, "products", bands=(order.band, *order.bands), tile=tile
        )
        check_common_ground("products", reference, product, order.comparison(identifier))
        found[product[0].uid] = product
    for one, _ in (reference, *found.values()):
        check_meets(order.selection.region, one.footprint, one.title)
    check_room(order.comparison(""), reference[1])
    in_time = sorted(found.values(), key=lambda one: (one[0].start, one[0].title))
    return tuple(_task(order, reference, product) for product in in_time)


def _task(order: Order, reference: tuple[Product, str], target: tuple[Product, str]) -> Task:
    title = target[0].title
    return Task(
        title,
        (reference[0].uid, target[0].uid),
        {"order": order.to_json(), "title": title, "tiles": [reference[1], target[1]]},
    )
