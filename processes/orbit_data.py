"""ORBIT_DATA: state vectors, footprints and times of products."""

from typing import ClassVar

from pywps import ComplexOutput, Format

from peps_wps.chains.orbit_data import chain
from peps_wps.ordering.process import ChainProcess
from processes import descriptions as described


class OrbitData(ChainProcess):
    """Description of ORBIT_DATA; the chain `peps_wps.chains.orbit_data` does the work."""

    identifier = "ORBIT_DATA"
    title = "State vectors, footprints and times of Sentinel-1 and -2 products"
    abstract = (
        "Lists where the satellite was and what it saw: state vectors in the Earth-fixed frame "
        "(Sentinel-1: of the precise orbit where the archive has it, else of the annotation; "
        "Sentinel-2: of the datastrip), ground tracks, footprints and times, for tables, maps "
        "and globes."
    )
    keywords: ClassVar = ["orbit", "state vectors", "footprint", "CZML", "GeoJSON", "CSV"]

    inputs: ClassVar = [described.products("Sentinel-1 and Sentinel-2, of any level")]
    outputs: ClassVar = [
        ComplexOutput(
            "vectors",
            "State vectors",
            supported_formats=[Format("text/csv", extension=".csv")],
        ),
        ComplexOutput(
            "footprints",
            "Footprints and ground tracks",
            supported_formats=[Format(chain.GEOJSON, extension=".geojson")],
        ),
        ComplexOutput(
            "czml",
            "CZML for globes",
            supported_formats=[Format("application/json", extension=".czml")],
        ),
    ]
