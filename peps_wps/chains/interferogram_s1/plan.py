"""From an order to its tasks: bursts first, then what is made of all of them."""

import importlib.util

from algorithms import mgrs
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Plan, PlanContext, Task
from peps_wps.chains.interferogram_s1.order import Order
from peps_wps.chains.interferometry.air import check_air
from peps_wps.chains.interferometry.passes import check_pair, pass_named
from peps_wps.chains.interferometry.products import (
    check_heights,
    check_wanted,
    common_area,
    common_polarization,
)
from peps_wps.chains.interferometry.tasks import cells_tasks
from peps_wps.errors import OrderRefusedError

LAST = "interferogram"


def plan(order: Order, context: PlanContext) -> Plan:
    """Return tasks for some bursts each, and one that puts them together.

    Raises
    ------
    OrderRefusedError
        Unknown or unsuitable product, pair without a common burst, missing polarisation, area
        outside, no DEM, no file of the air, or an unwrapper that is not installed.
    """
    passes = (
        pass_named(order.reference, context.catalogue, "reference"),
        pass_named(order.secondary, context.catalogue, "secondary"),
    )
    products = reference, secondary = passes[0].whole, passes[1].whole
    check_pair(*passes, "secondary")
    polarization = common_polarization(products, order.polarization, "polarization")
    check_wanted(order.wanted, products)
    check_tiles(order.tiles, reference)
    check_heights(order.wanted, products, context)
    if order.atmosphere == "era5":
        times = reference.start, secondary.start
        check_air(context.config, times, common_area(order.wanted, products).bounds)
    if order.unwrap == "snaphu" and importlib.util.find_spec("snaphu") is None:
        raise OrderRefusedError("unwrap", "unwrap is snaphu, which is not installed here")
    tasks = cells_tasks(
        *passes,
        polarization,
        wanted=order.wanted,
        looks=order.looks,
    )
    names = tuple(task.name for task in tasks)
    weight = 2.0 * len(tasks)
    return Plan((*tasks, Task(LAST, (), {"order": order.to_json()}, weight, after=names)))


def check_tiles(tiles: tuple[str, ...], product: Product) -> None:
    """Refuse a tile that a product does not touch; OrderRefusedError."""
    touched = mgrs.tiles_over(product.footprint) if tiles else {}
    for tile in tiles:
        if tile not in touched:
            near = ", ".join(sorted(touched, key=lambda name: -touched[name])[:10])
            raise OrderRefusedError(
                "tiles", f"tile {tile} lies outside {product.title}, which touches {near}"
            )
