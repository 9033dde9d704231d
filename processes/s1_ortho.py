"""S1_ORTHO: Sentinel-1 GRD, calibrated and orthorectified on the Sentinel-2 tiles."""

from typing import ClassVar

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.chains.ortho_s1 import order
from peps_wps.ordering.process import Alias, ChainProcess
from processes import descriptions as described


class S1Ortho(ChainProcess):
    """Description of S1_ORTHO; the chain `peps_wps.chains.ortho_s1` does the work."""

    identifier = "S1_ORTHO"
    version = "1.0.0"
    title = "Sentinel-1 orthorectification on the Sentinel-2 tiles"
    abstract = (
        "Calibrates Sentinel-1 GRD products (IW, EW, SM) and orthorectifies them onto the MGRS "
        "tiles of Sentinel-2, with the terrain height of every pixel. Gives a zip with one Cloud "
        "Optimized GeoTIFF a tile and polarization, STAC items, quicklooks and a report. "
        "Consecutive frames of one pass given together are concatenated without a seam."
    )
    keywords: ClassVar = ["Sentinel-1", "GRD", "orthorectification", "calibration", "gamma0"]
    # The same processing as CNES's GEODES portal names it.
    aliases: ClassVar = {
        "ortho-s1-grd": Alias(
            {"product-title": "product"}, ("notif-email", "restoration", "timeout")
        )
    }

    inputs: ClassVar = [
        LiteralInput(
            "product",
            "Product identifiers or titles",
            data_type="string",
            abstract="Sentinel-1 GRD products of the catalogue, on disk or on tape.",
            min_occurs=1,
            max_occurs=100,
        ),
        LiteralInput(
            "tiles",
            "MGRS tiles",
            data_type="string",
            abstract="Tiles such as 31TCJ; all tiles covered by min_coverage or more when absent.",
            min_occurs=0,
            max_occurs=200,
        ),
        described.choice(
            "calibration",
            "Calibration",
            order.CALIBRATIONS,
            "gamma0, sigma0 and beta0 on the ellipsoid; gamma0_rtc flattened for the terrain; "
            "dn for digital numbers as they are.",
        ),
        LiteralInput(
            "polarizations",
            "Polarizations",
            data_type="string",
            allowed_values=list(order.POLARIZATIONS),
            default="all",
            min_occurs=0,
            max_occurs=4,
        ),
        LiteralInput(
            "resolution",
            "Pixel size in metres",
            data_type="integer",
            allowed_values=[10, 20],
            default=10,
            min_occurs=0,
        ),
        LiteralInput(
            "resampling",
            "Interpolation",
            data_type="string",
            allowed_values=list(order.RESAMPLINGS),
            default="bilinear",
            min_occurs=0,
        ),
        described.choice(
            "interpolated",
            "Interpolated quantity",
            order.INTERPOLATED,
            "power keeps the mean backscatter; amplitude is offered for comparison.",
        ),
        described.switch(
            "denoise", "Remove thermal noise", "With the product's noise tables", default=True
        ),
        LiteralInput(
            "min_coverage",
            "Least coverage of a tile in percent",
            data_type="float",
            default=10,
            min_occurs=0,
        ),
        described.choice(
            "format",
            "Values",
            order.FORMATS,
            "float32: linear power, 0 is no data, valid from 1e-7. float32_db: decibels, NaN is no "
            "data. uint16: amplitude times 10000 with its scale tag, 0 is no data.",
        ),
        described.switch(
            "masks",
            "Masks and angles",
            "Border mask, layover and shadow, incidence and local incidence angle",
            default=False,
        ),
        described.switch(
            "bistatic",
            "Residual bistatic correction",
            "Azimuth shift of up to 2 m between near and far range, as the annotation has it",
            default=True,
        ),
        described.choice(
            "srgr",
            "Ground range polynomials between their records",
            order.SRGR_RULES,
            "linear interpolates the coefficients in time; nearest takes the nearest record.",
        ),
        described.switch(
            "lossless",
            "Keep all bits",
            "Otherwise float32 mantissas are rounded to 10 bits, 0.002 dB",
            default=False,
        ),
    ]
    outputs: ClassVar = [
        ComplexOutput(
            "archive",
            "Zip of all files",
            supported_formats=[Format("application/zip", extension=".zip")],
        ),
        ComplexOutput(
            "quicklook",
            "Picture of the tiles",
            supported_formats=[Format("image/png", extension=".png")],
        ),
    ]
