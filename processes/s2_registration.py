"""S2_REGISTRATION: Sentinel-2 products moved onto a reference by fractions of a pixel."""

from typing import ClassVar

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.chains.correlation_s2.order import LARGEST_STEP, LARGEST_WINDOW, SMALLEST_WINDOW
from peps_wps.chains.registration_s2 import order
from peps_wps.chains.registration_s2.chain import GEOJSON
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S2Registration(ChainProcess):
    """Description of S2_REGISTRATION; the chain `peps_wps.chains.registration_s2` does the work."""

    identifier = "S2_REGISTRATION"
    title = "Fine registration of Sentinel-2 products on a reference"
    abstract = (
        "Finds by tie points how Sentinel-2 products of level 1C or 2A lie on a reference, to "
        "thousandths of a pixel, and lays them on it: by a corrected geotransform, or by one "
        "resampling into Cloud Optimized GeoTIFFs on the pixels of the reference. Gives the tie "
        "points, a report (RMSE, CE90, structural similarity before and after) and pictures."
    )
    keywords: ClassVar = ["Sentinel-2", "registration", "coregistration", "tie points", "series"]

    inputs: ClassVar = [
        LiteralInput(
            "reference",
            "Product identifier or title of the reference",
            data_type="string",
            abstract="Sentinel-2 of level 1C or 2A, on whose pixels the others shall lie.",
            min_occurs=1,
        ),
        described.products("Of the same tile, or of one of its UTM zone that overlaps"),
        described.tile(),
        described.text("band", "Band of the tie points", f"{order.Order.band} is the default."),
        described.text(
            "bands",
            "Bands to register",
            f"Names between blanks or commas; {' '.join(order.DEFAULT_BANDS)} without it. All "
            "share the model of the tie points.",
            most=order.MOST_BANDS,
        ),
        described.choice(
            "model",
            "How the displacement may vary over the image",
            order.MODELS,
            "auto: the one of least Bayesian information criterion that the tie points support. "
            "polynomial: of the second order, with apply=resample.",
        ),
        described.choice(
            "apply",
            "What is done to the products",
            order.APPLICATIONS,
            "none: their pixels stay as they are, the report and a VRT a band give the corrected "
            "geotransform. resample: interpolated once by cubic B-splines.",
        ),
        LiteralInput(
            "window",
            "Side of the windows in pixels",
            data_type="integer",
            abstract=f"Odd, {SMALLEST_WINDOW} to {LARGEST_WINDOW}",
            default=order.Order.window,
            min_occurs=0,
        ),
        LiteralInput(
            "step",
            "Distance of the tie points in pixels",
            data_type="integer",
            abstract=f"1 to {LARGEST_STEP}; without it a 128th of the image, 8 to 100.",
            min_occurs=0,
        ),
        described.number(
            "max_shift_m",
            "Largest displacement in metres",
            f"Searched along each axis; at most {order.LARGEST_SHIFT_M:g}",
            default=order.Order.max_shift_m,
        ),
        described.geometry(),
        described.switch(
            "mask_clouds",
            "No tie points on clouds",
            "Opaque clouds, cirrus and shadows by the masks of both products. Without it clouds "
            "are left out where they do not resemble each other, or move against the ground.",
        ),
    ]
    outputs: ClassVar = [
        described.archive(),
        described.quicklook(),
        ComplexOutput(
            "tie_points",
            "Tie points of all products",
            supported_formats=[Format(GEOJSON, extension=".geojson")],
        ),
    ]
