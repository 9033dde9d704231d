"""What the datalake holds of a series, and whether it is what an order would make."""

from collections.abc import Sequence

from peps_wps.chains.composites.channels import Channel
from peps_wps.chains.contract import Json
from peps_wps.chains.tiling_s1.order import DEFAULT_PARAMETERS, Order
from peps_wps.chains.tiling_s1.tasks import DateTask, Series
from peps_wps.config import Config
from peps_wps.datalake.lake import SOURCE, Lake
from peps_wps.datalake.parameters import collection_folder, parameters_hash, standard_parameters
from storage.datalake import Product

# Properties of an item that say whether it is what is wanted.
PARAMETERS, HASH = "peps:parameters", "peps:parameters_hash"
DATE, INPUTS = "peps:date", "peps:input_products"
# Of what was made of dates.
COMPOSITE = "peps:composite"
IMAGE = "data"  # role of the assets that are images


def parameters_of(order: Order, config: Config) -> Json:
    """Return what decides what the files of an order hold.

    Dates that are not to be filtered are those that the operator's filter begins with.
    """
    standard = standard_parameters(config.datalake.standard, DEFAULT_PARAMETERS)
    filtering = {} if order.is_filtered else {name: standard[name] for name in ("filter", "window")}
    return {**order.parameters, **filtering}


def collection_of(parameters: Json, config: Config) -> str:
    """Return the folder of the datalake for results of these parameters."""
    standard = standard_parameters(config.datalake.standard, DEFAULT_PARAMETERS)
    return collection_folder(parameters, standard=standard)


def is_held(lake: Lake, work: DateTask) -> bool:
    """Tell whether a date is there, made of the same products with the same parameters."""
    product = lake.product(work.folder, work.stem)
    if product is None:
        return False
    said = product.item["properties"]
    is_same = said.get(HASH) == parameters_hash(work.series.parameters)
    return is_same and tuple(said[INPUTS]) == work.titles


def dates_of(lake: Lake, series: Series) -> dict[str, Product]:
    """Return the dates of a series by what tells them apart, unfiltered, in the order of time."""
    found = [
        product
        for product in lake.files.products(series.folder)
        if SOURCE not in product.item["properties"] and _belongs(product, series)
    ]
    found.sort(key=lambda product: str(product.item["properties"]["datetime"]))
    return {str(product.item["properties"][DATE]): product for product in found}


def images_of(product: Product) -> dict[str, Json]:
    """Return the assets of a product that are images, by file name."""
    return {name: asset for name, asset in product.files.items() if IMAGE in asset["roles"]}


def channels_of(lake: Lake, products: Sequence[Product]) -> dict[str, Channel]:
    """Return the channels by polarisation of products of one date; those of later ones win."""
    return {
        name: Channel(lake.files.path(f"{product.folder}/{file}"), band)
        for product in products
        for file, asset in images_of(product).items()
        for band, name in enumerate(asset["sar:polarizations"], 1)
    }


def listed(product: Product) -> list[Json]:
    """Return the files of a product with what a client wants to know before it fetches them."""
    return [
        {
            "path": f"{product.folder}/{name}",
            "type": asset["type"],
            "title": asset["title"],
            "size": asset["file:size"],
            "checksum": asset["file:checksum"],
        }
        for name, asset in product.files.items()
    ]


def _belongs(product: Product, series: Series) -> bool:
    said = product.item["properties"]
    return (
        said.get(HASH) == parameters_hash(series.parameters)
        and DATE in said
        and COMPOSITE not in said
        and said["sat:relative_orbit"] == series.relative_orbit
        and said["sat:orbit_state"] == series.orbit_direction
        and tuple(said["sar:polarizations"]) == series.polarizations
    )
