"""S1_TIME_SERIES: displacement of the ground at each date of a Sentinel-1 stack."""

from typing import ClassVar

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.chains.interferometry import order_fields
from peps_wps.chains.time_series_s1 import order
from peps_wps.chains.time_series_s1.chain import OUTPUT_TYPES, PROCESS
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described

_TITLES = {
    "velocity": "Velocity towards the satellite, metres a year",
    "velocity_sigma": "Standard error of the velocity",
    "displacement": "Displacement towards the satellite since the first date, a band a date",
    "dem_error": "Height that the elevations lack, metres",
    "temporal_coherence": "How well the pairs agree with the dates, 0 to 1",
    "residual": "What the pairs differ from the dates, metres",
    "incidence": "Incidence angle, degrees",
    "quicklook": "Picture of the velocity",
    "network": "Plot of the pairs",
    "dates": "Table of the dates",
    "statistics": "Statistics, signs, reference, pairs",
    "item": "STAC item",
}
_EXTENSIONS = {
    "quicklook": ".png",
    "network": ".png",
    "dates": ".csv",
    "statistics": ".json",
    "item": ".json",
}


def _whole(identifier: str, title: str, abstract: str, default: int | None = None) -> LiteralInput:
    return LiteralInput(
        identifier, title, data_type="integer", abstract=abstract, default=default, min_occurs=0
    )


class S1TimeSeries(ChainProcess):
    """Description of S1_TIME_SERIES; the chain `peps_wps.chains.time_series_s1` does the work."""

    identifier = PROCESS
    version = "1.0.0"
    title = "Displacement of the ground from a series of Sentinel-1 products"
    abstract = (
        "Makes a network of interferograms of Sentinel-1 single look products (SLC) of one track, "
        "unwraps each, and inverts them to the displacement of the ground at each date, its "
        "velocity with a standard error, and the error of the elevations. Pairs that are in the "
        "datalake already are not computed again, so that an interrupted order goes on where it "
        "was, and a longer one adds what is new. Give products, or relative_orbit with geometry, "
        "start and end."
    )
    keywords: ClassVar = ["Sentinel-1", "SLC", "InSAR", "NSBAS", "displacement", "subsidence"]

    inputs: ClassVar = [
        described.text(
            "products",
            "Product identifiers or titles",
            "Sentinel-1 SLC of one track, three dates or more",
            most=order.MOST_PRODUCTS,
        ),
        _whole("relative_orbit", "Relative orbit", "Of a search, in place of products"),
        described.text("start", "First day", "Of a search: 2018-07-20, or a time"),
        described.text("end", "Last day", "Of a search: itself included; or a time"),
        described.text(
            "geometry",
            "Area",
            "Polygon in longitude and latitude as WKT or GeoJSON: bursts that meet it are "
            "computed, and the result is cut to it. All that the products have in common without "
            "it.",
        ),
        described.choice(
            "polarization",
            "Polarization",
            order_fields.POLARIZATIONS,
            "Without it VV, where the products have it, else HH.",
            has_default=False,
        ),
        described.looks(order_fields.LOOKS),
        _whole(
            "resolution",
            "Pixel size in metres",
            "Of the UTM maps; without it 20 for each look along the track.",
        ),
        described.choice(
            "network",
            "Pairs of dates",
            order.NETWORKS,
            "nearest: each date with the next ones. delaunay: the sides of Delaunay's triangles "
            "of times and perpendicular baselines; needs orbit files, or products on disk.",
        ),
        _whole(
            "neighbours",
            "Next dates that each makes a pair with",
            f"1 to {order.MOST_NEIGHBOURS}; {order.Order.neighbours} without it, or all within "
            "max_days where that is given.",
        ),
        _whole("max_days", "Longest pair in days", "A pair is at most so far apart."),
        described.bound(
            "max_baseline_m",
            "Longest perpendicular baseline in metres",
            "Longer pairs are left out: at submission where orbit files or annotations are on "
            "disk, else before pixels are read.",
        ),
        described.choice("filter", "Filter of the phase", order_fields.FILTERS, "Goldstein's."),
        described.choice(
            "unwrap",
            "Unwrapping of the phase",
            order.UNWRAPPERS,
            "Parts of snaphu may not be used commercially.",
        ),
        described.number(
            "min_coherence",
            "Least coherence that is unwrapped",
            "0 to 1; water is below 0.1.",
            default=order.Order.min_coherence,
        ),
        described.text(
            "reference_point",
            "Place that displacement is told against",
            "Longitude and latitude, 2.35,48.85, or POINT (2.35 48.85); without it where the "
            "pairs are most coherent.",
        ),
        described.switch(
            "dem_error", "Error of the elevations", "Estimate it from baselines", default=True
        ),
        described.choice(
            "atmosphere",
            "What is taken off for the air and the orbits",
            order.ATMOSPHERES,
            "elevation: what is proportional to it; planes; both of them: estimated for each date "
            "from all pairs. era5: the tropospheric delay that ECMWF's reanalysis gives, where the "
            "service has its files of all dates.",
        ),
        described.choice(
            "model",
            "What ties dates that no pairs connect",
            order.MODELS,
            "connected: there must not be any. linear: a velocity. quadratic: a velocity that "
            "changes evenly, which is fitted in any case then.",
        ),
        described.switch("seasonal", "Seasons", "Fit a yearly cosine and sine"),
        described.text(
            "steps",
            "Days of sudden motion",
            "Such as 2023-02-06: earthquakes",
            most=order.MOST_STEPS,
        ),
        _whole(
            "iterations",
            "How often pairs that disagree are weighted down",
            f"0 to {order.MOST_ITERATIONS}; 0 trusts all",
            order.Order.iterations,
        ),
        described.number(
            "min_temporal_coherence",
            "Least temporal coherence",
            "Pixels with less have no velocity and no displacement",
            default=order.Order.min_temporal_coherence,
        ),
    ]
    outputs: ClassVar = [
        described.archive(),
        *(
            ComplexOutput(
                identifier,
                _TITLES[identifier],
                supported_formats=[
                    Format(media_type, extension=_EXTENSIONS.get(identifier, ".tif"))
                ],
            )
            for identifier, media_type in OUTPUT_TYPES.items()
        ),
    ]
