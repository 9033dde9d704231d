"""S2_EXTRACT_BANDS: bands of Sentinel-2 products as GeoTIFFs."""

from typing import ClassVar

from peps_wps.chains.extract_s2 import order
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S2ExtractBands(ChainProcess):
    """Description of S2_EXTRACT_BANDS; the chain `peps_wps.chains.extract_s2` does the work."""

    identifier = "S2_EXTRACT_BANDS"
    title = "Bands of Sentinel-2 as GeoTIFFs"
    abstract = (
        "Extracts bands of Sentinel-2 products of level 1C or 2A, whole or cut to an area, on the "
        "grid of the tile or at another resolution or on another map, as reflectances or digital "
        "numbers. Gives a zip with a Cloud Optimized GeoTIFF of each band, a STAC item and a "
        "picture of each product."
    )
    keywords: ClassVar = ["Sentinel-2", "bands", "subset", "reprojection", "GeoTIFF"]

    inputs: ClassVar = [
        described.products(),
        described.text(
            "bands",
            "Bands",
            "B01 to B12 and B8A; all but B10 without it",
            most=13,
        ),
        described.tile(),
        described.geometry(),
        described.bound(
            "resolution",
            "Pixel size in metres",
            "1 to 1000; that of each band without it. Pixels lie at whole multiples of it.",
        ),
        described.text("crs", "Projection", "EPSG:2154 and so on; the zone of the tile without it"),
        described.choice(
            "resampling",
            "Resampling",
            order.RESAMPLINGS,
            "Where pixels are not those of the product",
        ),
        described.choice(
            "values",
            "Values",
            order.VALUES,
            "reflectance: int16 times 10000 with its scale tag, offsets removed, saturated pixels "
            "and no data -32768. dn: digital numbers as they are, with scale and offset tags.",
        ),
    ]
    outputs: ClassVar = [described.archive(), described.quicklook()]
