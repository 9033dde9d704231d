"""AMALTHEE: all products of a search brought from tape to disk, and kept there for a while."""

from typing import ClassVar

from pywps import LiteralInput

from peps_wps.ordering import ChainProcess

_MOST_PRODUCTS = 1000


class Amalthee(ChainProcess):
    """Description of AMALTHEE; the planner `peps_wps.chains.amalthee` reads its orders."""

    identifier = "AMALTHEE"
    version = "1.0.0"
    title = "Products from tape to disk"
    abstract = (
        "Recalls every product of a search from tape and keeps it on disk, for 48 hours unless "
        "asked otherwise. The report lists the addresses of the products, and of those that could "
        "not be had why; a centre beside the archive is told their local paths."
    )
    keywords: ClassVar = ["staging", "recall", "tape", "download"]
    inputs: ClassVar = [
        LiteralInput(
            "opensearch_request",
            "Search",
            data_type="string",
            abstract="Base64 of the address of a resto search, of any host: only its collection "
            "and its parameters are read, and all its pages are meant.",
            min_occurs=0,
        ),
        LiteralInput(
            "products",
            "Product identifiers or titles",
            data_type="string",
            abstract="Products beside those of the search, or instead of one.",
            min_occurs=0,
            max_occurs=_MOST_PRODUCTS,
        ),
        LiteralInput(
            "pin_hours",
            "Hours on disk",
            data_type="float",
            abstract="How long each product stays on disk from the moment it is there.",
            min_occurs=0,
        ),
    ]
