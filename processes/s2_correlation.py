"""S2_CORRELATION: displacement of the ground between two Sentinel-2 products."""

from typing import ClassVar

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.chains.correlation_s2 import order
from peps_wps.chains.correlation_s2.chain import OUTPUT_TYPES
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described

_TITLES = {
    "ew": "Displacement to the east, metres",
    "ns": "Displacement to the north, metres",
    "velocity_ew": "Velocity to the east",
    "velocity_ns": "Velocity to the north",
    "quality": "Correlation of the windows of a pair",
    "flags": "Why nodes of a pair have no answer",
    "residual": "What the pairs of a series differ from its dates, metres",
    "quicklook": "Picture of the field",
    "network": "Plot of the pairs of a series",
    "statistics": "Statistics",
    "item": "STAC item",
}
_EXTENSIONS = {"quicklook": ".png", "network": ".png", "statistics": ".json", "item": ".json"}


def _product(identifier: str, abstract: str, *, least: int = 0, most: int = 1) -> LiteralInput:
    return LiteralInput(
        identifier,
        f"Product identifier or title of the {identifier}",
        data_type="string",
        abstract=abstract,
        min_occurs=least,
        max_occurs=most,
    )


def _whole(identifier: str, title: str, abstract: str, default: int) -> LiteralInput:
    return LiteralInput(
        identifier, title, data_type="integer", abstract=abstract, default=default, min_occurs=0
    )


class S2Correlation(ChainProcess):
    """Description of S2_CORRELATION; the chain `peps_wps.chains.correlation_s2` does the work."""

    identifier = "S2_CORRELATION"
    title = "Displacement of the ground by correlation of Sentinel-2 images"
    abstract = (
        "Compares windows of two Sentinel-2 images of the same ground, of level 1C or 2A, to a few "
        "hundredths of a pixel: earthquakes, glaciers, landslides, dunes. Gives displacement to "
        "the east and to the north in metres, its quality and flags as Cloud Optimized GeoTIFFs, "
        "a picture with arrows, statistics and a STAC item."
    )
    keywords: ClassVar = ["Sentinel-2", "correlation", "displacement", "earthquake", "glacier"]

    inputs: ClassVar = [
        _product(
            "reference", "Sentinel-2 of level 1C or 2A; displacement begins at its time.", least=1
        ),
        _product(
            "secondary",
            "Of the same tile, or one of its UTM zone that overlaps; needed without secondaries.",
        ),
        _product(
            "secondaries",
            "Several of the same tile: every pair is correlated, and the pairs are inverted into "
            "the displacement of each date and a velocity.",
            most=order.MOST_SECONDARIES,
        ),
        described.tile(),
        described.text("band", "Band", f"{order.Order.band} is the default."),
        _whole(
            "window",
            "Side of the windows in pixels",
            f"Odd, {order.SMALLEST_WINDOW} to {order.LARGEST_WINDOW}",
            order.Order.window,
        ),
        _whole(
            "step",
            "Distance of the nodes in pixels",
            f"1 to {order.LARGEST_STEP}: the pixels of the result are as large.",
            order.Order.step,
        ),
        described.number(
            "max_displacement_m",
            "Largest displacement in metres",
            f"Searched along each axis; at most {order.LARGEST_DISPLACEMENT_M:g}",
            default=order.Order.max_displacement_m,
        ),
        described.choice(
            "model",
            "What happens to windows",
            order.MODELS,
            "translation: they move. affine: they move and deform, for strong shear, at twice the "
            "time. auto: they deform where neighbours move differently and they resemble more.",
        ),
        described.geometry(),
        described.switch(
            "mask_clouds",
            "Leave out clouds",
            "Opaque clouds, cirrus and shadows by the masks of both products. Without it clouds "
            "are left out where they do not resemble each other; masks often take ice for cloud.",
        ),
        LiteralInput(
            "corrections",
            "What is taken off the field",
            data_type="string",
            abstract=(
                f"{order.NONE}, or some of {', '.join(order.CORRECTIONS)}; all of them without it. "
                "plane: offset and tilt of most of the area. steps: offsets between detectors. "
                "jitter: oscillation along the track."
            ),
            min_occurs=0,
            max_occurs=len(order.CORRECTIONS),
        ),
        described.text(
            order.STABLE,
            "Ground that stands still",
            "Polygon, or several, WKT or GeoJSON, longitude and latitude: planes are fitted to it; "
            "without them its median is zero.",
        ),
        described.switch(
            "vector_median",
            "Median of the vectors",
            "Each is replaced by that of its eight neighbours and itself which is nearest to all.",
        ),
        described.choice(
            "velocity",
            "Unit of velocities",
            (order.NONE, *order.VELOCITIES),
            "A pair has none without it, a series those a year.",
        ),
        LiteralInput(
            "neighbours",
            "Pairs of a series are of each date with so many next ones",
            data_type="integer",
            abstract=f"1 to {order.MOST_SECONDARIES}; all pairs without it.",
            min_occurs=0,
        ),
    ]
    outputs: ClassVar = [
        described.archive(),
        *(
            ComplexOutput(
                identifier,
                title,
                supported_formats=[
                    Format(OUTPUT_TYPES[identifier], extension=_EXTENSIONS.get(identifier, ".tif"))
                ],
            )
            for identifier, title in _TITLES.items()
        ),
    ]
