"""S1_COHERENCE: how alike the ground is between dates, on the tiles of Sentinel-2."""

from typing import ClassVar

from pywps import LiteralInput

from peps_wps.chains.coherence_s1 import order
from peps_wps.chains.interferometry.order_fields import looks_text
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S1Coherence(ChainProcess):
    """Description of S1_COHERENCE; the chain `peps_wps.chains.coherence_s1` does the work."""

    identifier = "S1_COHERENCE"
    title = "Sentinel-1 coherence on the Sentinel-2 tiles"
    abstract = (
        "Coherence of Sentinel-1 single look products (SLC, IW or EW) of one track: of a pair, or "
        "of the consecutive dates of a series, in each polarization, without the bias of few "
        "looks. Gives Cloud Optimized GeoTIFFs on the pixels of Sentinel-2, pictures and STAC "
        "items: floods, fires, harvests, buildings, snow."
    )
    keywords: ClassVar = ["Sentinel-1", "SLC", "coherence", "change", "series"]

    inputs: ClassVar = [
        LiteralInput(
            "products",
            "Product identifiers or titles",
            data_type="string",
            abstract=(
                "Two or more Sentinel-1 SLC of mode IW or EW and one track; those that follow "
                "each other in time make the pairs."
            ),
            min_occurs=0,
            max_occurs=order.MOST_PRODUCTS,
        ),
        described.product("reference", "Instead of products, with the secondary.", least=0),
        described.product("secondary", "Of the same track and another date.", least=0),
        LiteralInput(
            "polarizations",
            "Polarizations",
            data_type="string",
            abstract="VV, VH, HH, HV or several; all that every product has without it.",
            min_occurs=0,
            max_occurs=4,
        ),
        described.text("tiles", "MGRS tiles", "Such as 31TCJ; all touched without it.", most=200),
        described.text(
            "geometry",
            "Area",
            "Polygon in longitude and latitude as WKT or GeoJSON: bursts that meet it are "
            "computed, and the result is cut to it. All bursts without it.",
        ),
        described.bursts(),
        LiteralInput(
            "resolution",
            "Pixel size in metres",
            data_type="string",
            abstract="One that divides a tile.",
            allowed_values=list(order.RESOLUTIONS),
            default=str(order.DEFAULT_RESOLUTION),
            min_occurs=0,
        ),
        described.looks(looks_text(order.DEFAULT_LOOKS)),
        described.coherence_looks(),
    ]
    outputs: ClassVar = [described.archive(), described.quicklook()]
