"""echo: gives back what it is given, for those who write a client or test this service."""

from typing import ClassVar

from pywps import ComplexInput, ComplexOutput, Format, LiteralInput, LiteralOutput
from pywps.inout.literaltypes import AllowedValue

from peps_wps.ordering import ChainProcess
from peps_wps.ordering.boxes import BoxInput, BoxOutput

_LONGEST_PAUSE_S = 300.0
_DOCUMENTS = [Format("application/xml"), Format("application/json"), Format("text/plain")]


class Echo(ChainProcess):
    """Description of echo; the chain `peps_wps.chains.echo` does the work."""

    identifier = "echo"
    version = "1.0.0"
    title = "Echo"
    abstract = (
        "Gives back a literal, a document and a bounding box, after a pause: to try a client on, "
        "in every mode and every protocol of this service."
    )
    keywords: ClassVar = ["test", "conformance"]
    sync_allowed = True
    inputs: ClassVar = [
        LiteralInput("literalInput", "Words", data_type="string", min_occurs=0),
        ComplexInput("complexInput", "Document", supported_formats=_DOCUMENTS, min_occurs=0),
        BoxInput(
            "boundingboxInput",
            "Bounding box",
            abstract="Lower corner, upper corner, then the coordinate reference system: "
            "1,43,2,44,http://www.opengis.net/def/crs/OGC/1.3/CRS84, which is also the default.",
            min_occurs=0,
        ),
        LiteralInput(
            "pause",
            "Pause in seconds",
            data_type="float",
            allowed_values=[AllowedValue(minval=0, maxval=_LONGEST_PAUSE_S)],
            default=0,
            min_occurs=0,
        ),
    ]
    outputs: ClassVar = [
        LiteralOutput("literalOutput", "Words", data_type="string"),
        ComplexOutput("complexOutput", "Document", supported_formats=_DOCUMENTS),
        BoxOutput("boundingboxOutput", "Bounding box"),
    ]
