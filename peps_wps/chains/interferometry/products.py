"""What the catalogue says of a pair: enough to refuse, before a byte is recalled, what cannot be.

What only the annotations tell, which bursts are common, is found when they are on disk.
"""

import math
from collections.abc import Sequence

import numpy as np
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Catalogue, PlanContext
from peps_wps.chains.interferometry.bursts import Wanted, on_one_turn
from peps_wps.chains.interferometry.order_fields import BurstName
from peps_wps.chains.optical.region import check_meets
from peps_wps.chains.ortho_s1.heights import configured_dem
from peps_wps.errors import DemError, OrderRefusedError
from peps_wps.readers.burst_id import ORBITS

SWATHS = {
    "IW": ("IW1", "IW2", "IW3"),
    "EW": ("EW1", "EW2", "EW3", "EW4", "EW5"),
}
BURST_PERIOD_S = 2.758  # of IW; that of EW is a tenth longer
# Bursts that one task computes.
BURSTS_A_TASK = 5


def slc_product(identifier: str, catalogue: Catalogue, name: str) -> Product:
    """Return the product that an input names.

    Raises
    ------
    OrderRefusedError
        With `name`, the input, when it is unknown or not a single look product of bursts.
    """
    product = catalogue.product(identifier)
    if product is None:
        raise OrderRefusedError(name, f"product {identifier} is not in the catalogue")
    if product.product_type != "SLC" or product.sensor_mode not in SWATHS:
        raise OrderRefusedError(
            name,
            f"product {product.title} is of type {product.product_type} and mode "
            f"{product.sensor_mode}, expected SLC of IW or EW",
        )
    return product


def polarizations_of(product: Product) -> tuple[str, ...]:
    """Return what polarisations a product has."""
    return tuple((product.polarization or "").split())


def common_polarization(products: Sequence[Product], wanted: str | None, name: str) -> str:
    """Return the polarisation to use: the one wanted, else VV, else what all products have.

    Raises
    ------
    OrderRefusedError
        With `name`, the input, when a product lacks it.
    """
    for product in products:
        if wanted is not None and wanted not in polarizations_of(product):
            raise OrderRefusedError(
                name,
                f"polarization {wanted} is not in {product.title}, which has "
                f"{' and '.join(polarizations_of(product)) or 'none'}",
            )
    if wanted is not None:
        return wanted
    common = [
        polarization
        for polarization in ("VV", "HH", *polarizations_of(products[0]))
        if all(polarization in polarizations_of(product) for product in products)
    ]
    if not common:
        listed = "; ".join(f"{one.title} has {one.polarization}" for one in products)
        raise OrderRefusedError(name, f"no polarization is common: {listed}")
    return common[0]


def check_wanted(wanted: Wanted, products: Sequence[Product]) -> None:
    """Refuse an area outside, or bursts of another track; OrderRefusedError."""
    for product in products:
        check_meets(wanted.region, product.footprint, product.title)
    track = products[0].relative_orbit
    for name in map(BurstName.of, wanted.names):
        # Tracks are counted from the node, which a product may cross.
        if track is not None and (name.track - track) % ORBITS not in (0, 1, ORBITS - 1):
            raise OrderRefusedError(
                "bursts",
                f"burst {name} is of relative orbit {name.track}, {products[0].title} of {track}",
            )


def check_heights(wanted: Wanted, products: Sequence[Product], context: PlanContext) -> None:
    """Refuse an area that no DEM covers; OrderRefusedError."""
    west, south, east, north = common_area(wanted, products).bounds
    try:
        configured_dem(context.config).check({"the pair": (west, south, east, north)})
    except DemError as error:
        raise OrderRefusedError("reference", str(error)) from error


def common_area(wanted: Wanted, products: Sequence[Product]) -> BaseGeometry:
    """Return what an order is for of that which two products show, degrees."""
    first = products[0].footprint
    common = first.intersection(on_one_turn(products[1].footprint, first.centroid.x))
    area = wanted.of(common)
    # Footprints are drawn through few corners: bursts may reach beyond them.
    return common if area.is_empty else area


def swaths_of(product: Product, wanted: Wanted) -> tuple[str, ...]:
    """Return the swaths of a product that an order may need bursts of."""
    known = SWATHS[str(product.sensor_mode)]
    named = tuple(swath for swath in known if swath in (product.swath or "").split())
    if wanted.names:
        asked = {name.swath for name in map(BurstName.of, wanted.names)}
        return tuple(swath for swath in known if swath in asked)
    return named or known


def parts_of_a_swath(reference: Product, wanted: Wanted) -> int:
    """Return how many tasks share the bursts of a swath."""
    if wanted.names:
        swaths = [name.swath for name in map(BurstName.of, wanted.names)]
        most = max(swaths.count(swath) for swath in set(swaths))
    else:
        most = math.ceil((reference.end - reference.start).total_seconds() / BURST_PERIOD_S)
    return max(1, math.ceil(most / BURSTS_A_TASK))


def share_of(number: int, parts: int, count: int) -> slice:
    """Return which of some bursts are those of one part."""
    bounds = np.linspace(0, count, parts + 1).round().astype(int)
    return slice(int(bounds[number]), int(bounds[number + 1]))
