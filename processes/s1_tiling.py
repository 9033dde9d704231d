"""S1_TILING: filtered time series of Sentinel-1 on the Sentinel-2 tiles, in the datalake."""

from typing import ClassVar

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.chains.tiling_s1 import order
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described

_JSON = Format("application/json", extension=".json")


def _instant(identifier: str, title: str, abstract: str) -> LiteralInput:
    return LiteralInput(identifier, title, data_type="string", abstract=abstract, min_occurs=1)


def _output(identifier: str, title: str, form: Format) -> ComplexOutput:
    return ComplexOutput(identifier, title, supported_formats=[form])


class S1Tiling(ChainProcess):
    """Description of S1_TILING; the chain `peps_wps.chains.tiling_s1` does the work."""

    identifier = "S1_TILING"
    version = "1.0.0"
    title = "Sentinel-1 time series on the Sentinel-2 tiles"
    abstract = (
        "Finds all Sentinel-1 GRD acquisitions (IW) of some MGRS tiles and a period, calibrates "
        "and orthorectifies each, filters the speckle with the help of the other dates of its "
        "orbit, and publishes them in the datalake. What is there already with the same parameters "
        "is not computed again. Gives the list of files, a STAC collection, statistics and "
        "pictures."
    )
    keywords: ClassVar = ["Sentinel-1", "GRD", "time series", "speckle", "gamma0", "MGRS"]

    inputs: ClassVar = [
        LiteralInput(
            "tiles",
            "MGRS tiles",
            data_type="string",
            abstract="Tiles such as 31TGL",
            min_occurs=1,
            max_occurs=200,
        ),
        _instant("start", "First day", "2018-07-20, or a time such as 2018-07-20T06:00:00Z"),
        _instant("end", "Last day", "Itself included; or a time"),
        LiteralInput(
            "relative_orbit",
            "Relative orbits",
            data_type="integer",
            abstract="All orbits without it; each is a series of its own",
            min_occurs=0,
            max_occurs=175,
        ),
        described.choice(
            "orbit_direction", "Direction of the passes", (order.ALL, *order.DIRECTIONS), ""
        ),
        described.text("platform", "Satellite", "S1A and so on; all of them without it"),
        LiteralInput(
            "polarizations",
            "Polarizations",
            data_type="string",
            abstract="Needed where the products of a series have different ones",
            allowed_values=["all", "VV", "VH", "HH", "HV"],
            default="all",
            min_occurs=0,
            max_occurs=4,
        ),
        described.choice(
            "calibration",
            "Calibration",
            order.CALIBRATIONS,
            "gamma0, sigma0 and beta0 on the ellipsoid; gamma0_rtc flattened for the terrain.",
        ),
        described.choice(
            "filter",
            "Speckle filter",
            order.FILTERS,
            "quegan: over time, with a window for the local mean; lee, refined_lee, gammamap and "
            "frost: each date by itself; none.",
        ),
        LiteralInput(
            "window",
            "Window of the filter in pixels",
            data_type="integer",
            abstract=f"Odd, {order.WINDOWS[0]} to {order.WINDOWS[1]}",
            default=order.Order.window,
            min_occurs=0,
        ),
        LiteralInput(
            "min_images",
            "Least number of dates of a series",
            data_type="integer",
            abstract="2 for quegan and 1 for the others without it; 15 are recommended for quegan",
            min_occurs=0,
        ),
        described.number(
            "min_coverage",
            "Least coverage in percent",
            "Acquisitions that cover less of a tile are left out",
            default=order.Order.min_coverage,
        ),
        described.switch("mask_border", "Border masks", "A mask of the valid pixels of each date"),
        described.choice(
            "format",
            "Values",
            order.FORMATS,
            "float32: linear power, 0 is no data. float32_db: decibels, NaN is no data. uint16: "
            "amplitude times 10000 with its scale tag, 0 is no data.",
        ),
        described.choice(
            "naming",
            "Names",
            order.NAMINGS,
            "peps: one file of all polarizations, s1b_gam_31TGL_vvvh_DES_139_20180720txxxxxx.tif; "
            "s1tiling: one file a polarization, s1b_31TGL_vv_DES_139_20180720txxxxxx.tif.",
        ),
        described.choice(
            "refilter",
            "Dates to filter",
            order.REFILTERS,
            "new: filtered files that are there stay; all: each is made with all dates.",
        ),
        LiteralInput(
            "composites",
            "Further results",
            data_type="string",
            abstract="Mean of each month, ratio of the polarizations, coloured picture",
            allowed_values=[order.NONE, *order.COMPOSITES],
            default=order.NONE,
            min_occurs=0,
            max_occurs=len(order.COMPOSITES),
        ),
        described.switch("archive", "Zip", "A zip of all files"),
    ]
    outputs: ClassVar = [
        _output("files", "Published files", _JSON),
        _output("collection", "STAC collection", _JSON),
        _output("statistics", "Statistics of each date", _JSON),
        _output("statistics_csv", "Statistics as a table", Format("text/csv", extension=".csv")),
        _output(
            "preview", "Animation of the longest series", Format("image/webp", extension=".webp")
        ),
        _output(
            "enl",
            "Equivalent number of looks before and after the filter",
            Format("image/tiff; application=geotiff; profile=cloud-optimized", extension=".tif"),
        ),
        described.archive(),
    ]
