"""S2_QUICKLOOK: small true colour pictures of Sentinel-2 products."""

from typing import ClassVar

from peps_wps.chains.quicklook_s2 import chain
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S2Quicklook(ChainProcess):
    """Description of S2_QUICKLOOK; the chain `peps_wps.chains.quicklook_s2` does the work."""

    identifier = "S2_QUICKLOOK"
    title = "Pictures of Sentinel-2 products"
    abstract = (
        "Draws Sentinel-2 products in true colour from their lowest resolutions: a picture in "
        "seconds. Gives the picture of the first product, and a zip with all."
    )
    keywords: ClassVar = ["Sentinel-2", "quicklook", "true colour", "picture"]

    inputs: ClassVar = [
        described.products(),
        described.tile(),
        described.geometry(),
        described.size(chain.DEFAULT_SIDE, chain.SIDES),
        described.choice("picture", "Format", chain.PICTURES, "PNG or JPEG"),
    ]
    outputs: ClassVar = [described.archive(), described.quicklook(described.PNG, described.JPEG)]
