"""Which Sentinel-2 products an order is for, refused where they cannot be what it needs."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Catalogue, Json, Task
from peps_wps.chains.fields import Fields
from peps_wps.chains.optical.region import check_meets, region_of
from peps_wps.chains.orders import ChainOrder
from peps_wps.errors import InvalidInputError, OrderRefusedError, SafeError
from peps_wps.readers.sentinel2.bands import band_named

MOST_PRODUCTS = 100
_NOT_IN_LEVEL_2A = ("B10",)


@dataclass(frozen=True)
class Selection:
    """What an order reads.

    Parameters
    ----------
    products
        Identifiers or titles, as the client gave them.
    tile
        MGRS name without T; needed for products of many tiles only.
    region
        WKT in longitude and latitude; None for all of each product.
    """

    products: tuple[str, ...]
    tile: str | None = None
    region: str | None = None

    @classmethod
    def of(cls, fields: Fields) -> "Selection":
        """Read the inputs ``products``, ``tile`` and ``geometry``."""
        products = fields.products(most=MOST_PRODUCTS)
        return cls(products, tile_of_fields(fields), region_of(fields))

    @classmethod
    def from_json(cls, document: Json) -> "Selection":
        """Return the selection that `dataclasses.asdict` gave."""
        return cls(**{**document, "products": tuple(document["products"])})


@dataclass(frozen=True)
class SceneOrder(ChainOrder):
    """An order for products.

    Parameters
    ----------
    selection
        What is read.
    """

    selection: Selection

    @classmethod
    def from_json(cls, order: Json) -> Self:
        """Return the order that `to_json` gave."""
        return super().from_json({**order, "selection": Selection.from_json(order["selection"])})


class BandsOrder(SceneOrder):
    """An order for bands of products."""

    @property
    @abstractmethod
    def bands(self) -> tuple[str, ...]:
        """Those that every product must have."""


def tile_of_fields(fields: Fields) -> str | None:
    """Read the input ``tile``: an MGRS name, with T or without."""
    tile = fields.one("tile")
    if tile is None:
        return None
    return tile.upper().removeprefix("T") if len(tile) > 5 else tile.upper()


def bands_of(fields: Fields, *, once: bool = True) -> tuple[str, ...]:
    """Read the input ``bands``: names, each value one or several between blanks or commas.

    Raises
    ------
    InvalidInputError
        When one is no band, or is given again where it may be named once.
    """
    words = [word for value in fields.listed("bands") for word in value.replace(",", " ").split()]
    try:
        bands = tuple(band_named(word).name for word in words)
    except SafeError as error:
        raise InvalidInputError("bands", str(error)) from error
    if once and len(set(bands)) < len(bands):
        raise InvalidInputError("bands", f"bands are {' '.join(bands)}, expected each once")
    return bands


def scene_tasks(
    selection: Selection, catalogue: Catalogue, *, bands: Iterable[str], body: Json
) -> tuple[Task, ...]:
    """Return one task a product, with its title and tile in the body.

    Parameters
    ----------
    bands
        That every product must have.
    body
        What each task needs beside.

    Raises
    ------
    OrderRefusedError
        Unknown product, one of another mission, of many tiles, without a band or out of the area.
    """
    wanted = tuple(bands)
    tasks = []
    for product in found_products(selection.products, catalogue, "products"):
        tile = _checked_tile(product, "products", wanted, selection.tile)
        check_meets(selection.region, product.footprint, product.title)
        own = {**body, "title": product.title, "tile": tile}
        tasks.append(Task(product.title, (product.uid,), own))
    return tuple(tasks)


def scene_product(
    identifier: str, catalogue: Catalogue, name: str, *, bands: Sequence[str], tile: str | None
) -> tuple[Product, str]:
    """Return the product that an input names, and which of its tiles to read.

    Raises
    ------
    OrderRefusedError
        Unknown product, one of another mission, of many tiles, or without a band; with `name`, the
        input.
    """
    (product,) = found_products((identifier,), catalogue, name)
    return product, _checked_tile(product, name, bands, tile)


def found_products(
    identifiers: Sequence[str], catalogue: Catalogue, name: str
) -> tuple[Product, ...]:
    """Look up products, each once, in the order of time.

    Raises
    ------
    OrderRefusedError
        With `name`, the input, when one is unknown.
    """
    found: dict[str, Product] = {}
    for identifier in identifiers:
        product = catalogue.product(identifier)
        if product is None:
            raise OrderRefusedError(name, f"product {identifier} is not in the catalogue")
        found[product.uid] = product
    return tuple(sorted(found.values(), key=lambda product: (product.start, product.title)))


def _checked_tile(product: Product, name: str, bands: Sequence[str], tile: str | None) -> str:
    """Refuse a product that is not what an input needs; return the tile to read of it."""
    _check_optical(product, name)
    _check_bands(product, name, bands)
    return _tile(product, tile)


def _check_optical(product: Product, name: str) -> None:
    if not product.product_type.startswith("S2MSI") or product.processing_level not in (
        "LEVEL1C",
        "LEVEL2A",
    ):
        raise OrderRefusedError(
            name,
            f"product {product.title} is of type {product.product_type}, "
            "expected Sentinel-2 of level 1C or 2A",
        )


def _check_bands(product: Product, name: str, bands: Sequence[str]) -> None:
    for band in bands:
        if product.processing_level == "LEVEL2A" and band in _NOT_IN_LEVEL_2A:
            raise OrderRefusedError(name, f"product {product.title} of level 2A has no band {band}")


def _tile(product: Product, tile: str | None) -> str:
    """Return the tile to read of a product."""
    if product.mgrs_tile is None:
        if tile is None:
            raise OrderRefusedError(
                "tile", f"product {product.title} holds many tiles: name one as tile"
            )
        return tile
    if tile not in (None, product.mgrs_tile):
        raise OrderRefusedError(
            "tile",
            f"product {product.title} is of tile {product.mgrs_tile}, not of {tile}",
        )
    return product.mgrs_tile
