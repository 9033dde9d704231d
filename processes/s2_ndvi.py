"""S2_NDVI: spectral indices of Sentinel-2 products."""

from typing import ClassVar

from peps_wps.chains.index_s2 import order
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S2Ndvi(ChainProcess):
    """Description of S2_NDVI; the chain `peps_wps.chains.index_s2` does the work."""

    identifier = "S2_NDVI"
    title = "Spectral indices of Sentinel-2: NDVI and others"
    abstract = (
        "Computes NDVI or another index, or a formula of your own, from reflectances of Sentinel-2 "
        "products of level 1C or 2A, offsets of baseline 04.00 and later removed. Gives a zip "
        "with a Cloud Optimized GeoTIFF, a STAC item and a picture of each product, and a report "
        "with statistics."
    )
    keywords: ClassVar = ["Sentinel-2", "NDVI", "vegetation", "water", "snow", "spectral index"]

    inputs: ClassVar = [
        described.products(),
        described.choice(
            "index", "Index", order.INDEX_NAMES, "NDVI is the default; or give formula."
        ),
        described.text(
            "formula",
            "Formula of your own",
            "Numbers, + - * / ** and parentheses over bands: A B G R RE1 RE2 RE3 N N2 WV S1 S2, "
            "or B01 to B12 and B8A; 300 characters at most. Example: (N - R) / (N + R + 0.5)",
        ),
        described.tile(),
        described.geometry(),
        described.switch(
            "mask_clouds",
            "Leave out clouds",
            "Opaque clouds, cirrus and their shadows by the masks of the product",
        ),
        described.resolution("That of the coarsest band without it"),
        described.choice(
            "format",
            "Values",
            order.FORMATS,
            "int16: times 10000 with its scale tag, -32768 is no data; CIRE and IRECI times 1000. "
            "float32: as they are, NaN is no data; the default of a formula.",
            has_default=False,
        ),
    ]
    outputs: ClassVar = [described.archive(), described.quicklook()]
