"""S1_INTERFEROGRAM: displacement of the ground from two Sentinel-1 products."""

from typing import ClassVar

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.chains.interferogram_s1 import order
from peps_wps.chains.interferometry import order_fields
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class S1Interferogram(ChainProcess):
    """Description of S1_INTERFEROGRAM; `peps_wps.chains.interferogram_s1` does the work."""

    identifier = "S1_INTERFEROGRAM"
    title = "Sentinel-1 interferogram and displacement of the ground"
    abstract = (
        "Makes an interferogram of two Sentinel-1 single look products (SLC, IW or EW) of one "
        "track: coregistered by orbits, heights and enhanced spectral diversity, flat Earth and "
        "relief taken off, filtered, unwrapped, and laid on a map. Gives Cloud Optimized GeoTIFFs "
        "of wrapped and unwrapped phase, coherence, displacement along the line of sight and "
        "vertical, connected components, angles, heights and masks, pictures, metadata with all "
        "signs, and a STAC item."
    )
    keywords: ClassVar = ["Sentinel-1", "SLC", "interferometry", "InSAR", "displacement"]

    inputs: ClassVar = [
        described.product("reference", "Displacement begins at its time."),
        described.product("secondary", "Of the same track and another date."),
        described.choice(
            "polarization",
            "Polarization",
            order_fields.POLARIZATIONS,
            "Without it VV, where both products have it, else HH.",
            has_default=False,
        ),
        described.text(
            "geometry",
            "Area",
            "Polygon in longitude and latitude as WKT or GeoJSON: bursts that meet it are "
            "computed, and the result is cut to it. All bursts without it.",
        ),
        described.bursts(),
        described.looks(order_fields.LOOKS),
        described.coherence_looks(),
        described.choice(
            "filter",
            "Filter of the phase",
            order_fields.FILTERS,
            "goldstein: by the spectrum of windows of 32 cells.",
        ),
        described.text(
            "filter_exponent",
            "Exponent of the filter",
            "0 to 1, or adaptive, which is the default: one less the coherence of each window.",
        ),
        described.choice(
            "unwrap",
            "Unwrapping of the phase",
            order_fields.UNWRAPPERS,
            "none leaves it wrapped, and gives no displacement. Parts of snaphu may not be used "
            "commercially.",
        ),
        described.number(
            "min_coherence",
            "Least coherence that is unwrapped",
            "0 to 1; water is below 0.1.",
            default=order.LEAST_COHERENCE,
        ),
        described.choice(
            "grid",
            "Map of the result",
            order.GRIDS,
            "utm: one image in the zone of the middle. mgrs: tiles of Sentinel-2.",
        ),
        described.text("tiles", "MGRS tiles", "Of grid=mgrs; all touched without it.", most=200),
        LiteralInput(
            "resolution",
            "Pixel size in metres",
            data_type="integer",
            abstract="Without it 20 for each look along the track, on tiles the next that fits.",
            min_occurs=0,
        ),
        described.switch(
            "esd",
            "Enhanced spectral diversity",
            "Measures what the images lie off along the track in the overlaps of bursts.",
            default=True,
        ),
        described.choice(
            "atmosphere",
            "What is taken off for the air",
            order.ATMOSPHERES,
            "era5: the tropospheric delay that ECMWF's reanalysis gives, off the unwrapped phase "
            "and the displacements, where the service has its files of both dates.",
        ),
        described.switch("complex", "Complex interferogram", "Adds it, two bands."),
        described.switch("masks", "Layover and shadow", "Adds their mask.", default=True),
    ]
    outputs: ClassVar = [
        described.archive(),
        ComplexOutput("quicklook", "Picture of the phase", supported_formats=[described.PNG]),
        ComplexOutput(
            "coherence_picture", "Picture of the coherence", supported_formats=[described.PNG]
        ),
        ComplexOutput(
            "displacement_picture",
            "Picture of the displacement",
            supported_formats=[described.PNG],
        ),
        ComplexOutput(
            "metadata",
            "Metadata: geometry, signs, warnings",
            supported_formats=[Format("application/json", extension=".json")],
        ),
    ]
