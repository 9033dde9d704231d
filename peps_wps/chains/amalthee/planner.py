"""AMALTHEE as a planner: which products an order names or finds, and how long they shall stay."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from catalog_db.catalogue.products import Product
from catalog_db.errors import QueryError
from peps_wps.chains.amalthee.request import INPUT, read_address, search_of
from peps_wps.chains.contract import Plan, PlanContext, Stage
from peps_wps.chains.orders import ChainOrder, PlannerOf
from peps_wps.config.archive_sections import Staging, Storage
from peps_wps.errors import InvalidInputError, OrderRefusedError

_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Order(ChainOrder):
    """What to stage.

    Parameters
    ----------
    search
        Address of a resto search, all of whose products are meant; empty for none.
    products
        Identifiers or titles beside them.
    pin_hours
        How long they shall stay; None as configured.
    """

    search: str
    products: tuple[str, ...]
    pin_hours: float | None

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Turn inputs into an order; raise InvalidInputError where there is nothing to stage."""
        encoded, products = inputs.get(INPUT, ()), tuple(inputs.get("products", ()))
        if not encoded and not products:
            raise InvalidInputError(INPUT, f"neither {INPUT} nor products are given")
        hours = inputs.get("pin_hours", ())
        search = read_address(encoded[0]) if encoded else ""
        if search:
            search_of(search)
        return cls(search, products, float(hours[0]) if hours else None)


class Amalthee(PlannerOf[Order]):
    """The planner of AMALTHEE; it holds nothing between calls."""

    name = "AMALTHEE"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Find the products; refuse what names none, too many, or one that is unknown."""
        settings = context.config.staging
        hours = _pin_hours(order, context.config.storage)
        found = [*_found(order, context), *_named(order, context)]
        uids = tuple(dict.fromkeys(product.uid for product in found))
        if not uids:
            raise OrderRefusedError(INPUT, "the search finds no product")
        if len(uids) > settings.max_products:
            raise _too_many(str(len(uids)), settings)
        return Plan(stage=Stage(uids, round(hours * _SECONDS_AN_HOUR)))


def _pin_hours(order: Order, settings: Storage) -> float:
    hours = settings.pin_hours if order.pin_hours is None else order.pin_hours
    if not (math.isfinite(hours) and 0 < hours <= settings.max_pin_hours):
        raise OrderRefusedError(
            "pin_hours",
            f"pin_hours is {hours:g}, expected above 0 and at most {settings.max_pin_hours:g}",
        )
    return hours


def _found(order: Order, context: PlanContext) -> Sequence[Product]:
    if not order.search:
        return ()
    most = context.config.staging.max_products
    try:
        found = context.catalogue.search(search_of(order.search), most)
    except QueryError as error:
        raise OrderRefusedError(INPUT, f"its search is refused: {error}") from error
    if len(found) > most:
        raise _too_many(f"more than {most}", context.config.staging)
    return found


def _named(order: Order, context: PlanContext) -> list[Product]:
    found = []
    for name in order.products:
        product = context.catalogue.product(name)
        if product is None:
            raise OrderRefusedError("products", f"no product is called {name[:120]}")
        found.append(product)
    return found


def _too_many(number: str, settings: Staging) -> OrderRefusedError:
    return OrderRefusedError(
        INPUT,
        f"the order is for {number} products, at most {settings.max_products} can be staged by "
        "one: narrow the search",
    )
