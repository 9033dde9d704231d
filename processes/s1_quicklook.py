"""S1_QUICKLOOK: small pictures of Sentinel-1 GRD products."""

from typing import ClassVar

from peps_wps.chains.quicklook_s1 import chain
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S1Quicklook(ChainProcess):
    """Description of S1_QUICKLOOK; the chain `peps_wps.chains.quicklook_s1` does the work."""

    identifier = "S1_QUICKLOOK"
    title = "Pictures of Sentinel-1 GRD products"
    abstract = (
        "Draws Sentinel-1 GRD products in ground range, about north up: sigma nought in decibels "
        "between percentiles, co- and cross-polarized and their ratio as red, green and blue, or "
        "one polarization as grey. Gives the picture of the first product, and a zip with all."
    )
    keywords: ClassVar = ["Sentinel-1", "GRD", "quicklook", "picture"]

    inputs: ClassVar = [
        described.products("Sentinel-1 GRD"),
        described.choice(
            "polarization", "Polarization", chain.POLARIZATIONS, "all shows two as colours"
        ),
        described.size(chain.DEFAULT_SIDE, chain.SIDES),
        described.choice("picture", "Format", chain.PICTURES, "PNG or JPEG"),
    ]
    outputs: ClassVar = [described.archive(), described.quicklook(described.PNG, described.JPEG)]
