"""Inputs and outputs that several processes describe alike."""

from collections.abc import Sequence

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.chains.interferometry.order_fields import (
    DEFAULT_COHERENCE_LOOKS,
    MOST_BURSTS,
    MOST_COHERENCE_LOOKS,
    MOST_SLICES,
)
from peps_wps.chains.optical.products import MOST_PRODUCTS


def choice(
    identifier: str, title: str, allowed: Sequence[str], abstract: str, *, has_default: bool = True
) -> LiteralInput:
    """Return an optional input with a list of words, the first the default."""
    return LiteralInput(
        identifier,
        title,
        data_type="string",
        abstract=abstract,
        allowed_values=list(allowed),
        default=allowed[0] if has_default else None,
        min_occurs=0,
    )


def switch(identifier: str, title: str, abstract: str, *, default: bool = False) -> LiteralInput:
    """Return an optional boolean."""
    return LiteralInput(
        identifier,
        title,
        data_type="boolean",
        abstract=abstract,
        default=str(default).lower(),
        min_occurs=0,
    )


def text(identifier: str, title: str, abstract: str, *, most: int = 1) -> LiteralInput:
    """Return an optional text."""
    return LiteralInput(
        identifier, title, data_type="string", abstract=abstract, min_occurs=0, max_occurs=most
    )


def number(identifier: str, title: str, abstract: str, *, default: float) -> LiteralInput:
    """Return an optional number."""
    return LiteralInput(
        identifier, title, data_type="float", abstract=abstract, default=default, min_occurs=0
    )


def bound(identifier: str, title: str, abstract: str) -> LiteralInput:
    """Return an optional number whose default depends on other inputs."""
    return LiteralInput(identifier, title, data_type="float", abstract=abstract, min_occurs=0)


def size(default: int, limits: tuple[int, int]) -> LiteralInput:
    """Return the size of a picture."""
    return LiteralInput(
        "size",
        "Most pixels a side",
        data_type="integer",
        abstract=f"{limits[0]} to {limits[1]}",
        default=default,
        min_occurs=0,
    )


def products(abstract: str = "Sentinel-2 of level 1C or 2A") -> LiteralInput:
    """Return the products of an order."""
    return LiteralInput(
        "products",
        "Product identifiers or titles",
        data_type="string",
        abstract=abstract,
        min_occurs=1,
        max_occurs=MOST_PRODUCTS,
    )


def product(identifier: str, abstract: str, *, least: int = 1) -> LiteralInput:
    """Return a single look product of an order, or the slices of a pass."""
    return LiteralInput(
        identifier,
        f"Product identifier or title of the {identifier}",
        data_type="string",
        abstract=(
            f"Sentinel-1 SLC of mode IW or EW, or several that are consecutive slices of one "
            f"pass. {abstract}"
        ),
        min_occurs=least,
        max_occurs=MOST_SLICES,
    )


def bursts() -> LiteralInput:
    """Return the bursts of an order."""
    return text(
        "bursts",
        "Bursts",
        "Identifiers such as 144_308029_IW1, instead of a geometry.",
        most=MOST_BURSTS,
    )


def looks(default: str) -> LiteralInput:
    """Return the looks of an order."""
    return LiteralInput(
        "looks",
        "Looks: samples by lines",
        data_type="string",
        abstract="20x4, 10x2, 5x1, 8x2 or others: what makes a cell.",
        default=default,
        min_occurs=0,
    )


def coherence_looks() -> LiteralInput:
    """Return how many looks a coherence stands on."""
    return number(
        "coherence_looks",
        "Independent looks of a coherence",
        f"1 to {MOST_COHERENCE_LOOKS:g}: neighbouring cells are joined, by weights that fall with "
        "their distance, until they have so many. Fewer show finer detail, scatter more and lie "
        "off by hundredths; 1 takes every cell alone.",
        default=DEFAULT_COHERENCE_LOOKS,
    )


def tile() -> LiteralInput:
    """Return the tile to read of products that hold many."""
    return text("tile", "MGRS tile", "Needed for products of many tiles (before December 2016)")


def geometry() -> LiteralInput:
    """Return the area of an order."""
    return text(
        "geometry",
        "Area",
        "Polygon in longitude and latitude as WKT or GeoJSON; the result is cut to it. "
        "The whole product without it.",
    )


def resolution(abstract: str) -> LiteralInput:
    """Return the pixel size of a result on the grid of a tile."""
    return choice(
        "resolution", "Pixel size in metres", ("10", "20", "60"), abstract, has_default=False
    )


def archive() -> ComplexOutput:
    """Return the zip of all files."""
    return ComplexOutput(
        "archive",
        "Zip of all files",
        supported_formats=[Format("application/zip", extension=".zip")],
    )


def quicklook(*formats: Format) -> ComplexOutput:
    """Return the picture."""
    return ComplexOutput(
        "quicklook",
        "Picture of the first product",
        supported_formats=list(formats) or [PNG],
    )


PNG = Format("image/png", extension=".png")
JPEG = Format("image/jpeg", extension=".jpg")
