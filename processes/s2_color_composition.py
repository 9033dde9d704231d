"""S2_COLOR_COMPOSITION: pictures of three bands of Sentinel-2 products."""

from typing import ClassVar

from peps_wps.chains.colour_s2 import order
from peps_wps.chains.optical.stretch import STRETCHES
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S2ColorComposition(ChainProcess):
    """Description of S2_COLOR_COMPOSITION; `peps_wps.chains.colour_s2` does the work."""

    identifier = "S2_COLOR_COMPOSITION"
    title = "Colour compositions of Sentinel-2 bands"
    abstract = (
        "Shows three bands of Sentinel-2 products as red, green and blue: true colour, false "
        "colour, shortwave infrared and other presets, or bands of your own. Gives a zip with a "
        "Cloud Optimized GeoTIFF of 8 bits, a STAC item and a picture of each product."
    )
    keywords: ClassVar = ["Sentinel-2", "true colour", "false colour", "RGB", "composition"]

    inputs: ClassVar = [
        described.products(),
        described.choice(
            "preset",
            "Preset",
            tuple(order.PRESETS),
            "; ".join(f"{name}: {' '.join(bands)}" for name, bands in order.PRESETS.items()),
        ),
        described.text(
            "bands",
            "Bands of your own",
            "Three, as red, green and blue: B12 B08 B03",
            most=3,
        ),
        described.tile(),
        described.geometry(),
        described.choice(
            "stretch",
            "Stretch",
            STRETCHES,
            "tci: reflectances 0 to 0.355, as the true colour images of ESA. maja: 0 to 0.25. "
            "range: low to high. percentiles: low to high percent of the pixels, of each band.",
        ),
        described.bound(
            "low", "Shown darkest", "Reflectance (0 by default), or percent (2 by default)"
        ),
        described.bound(
            "high", "Shown brightest", "Reflectance (0.4 by default), or percent (98 by default)"
        ),
        described.number(
            "gamma", "Gamma", "0.2 to 5; above 1 brightens the middle tones", default=1.0
        ),
        described.resolution("That of the finest band without it"),
        described.choice("picture", "Format of the picture", order.PICTURES, "Of the quicklook"),
    ]
    outputs: ClassVar = [
        described.archive(),
        described.quicklook(described.PNG, described.JPEG),
    ]
