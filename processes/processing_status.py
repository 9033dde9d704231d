"""PROCESSING_STATUS and STATUS: what the scripts of PEPS ask after a job with."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pywps import ComplexOutput, Format, LiteralInput

from peps_wps.ordering import DirectProcess, JobViews


class ProcessingStatus(DirectProcess):
    """Answers with the report of a job, as it stands."""

    identifier = "PROCESSING_STATUS"
    version = "1.0.0"
    title = "State of a job"
    abstract = (
        "The report of a job, in the form that the scripts of PEPS read: state, percent, message, "
        "addresses of logs and results. Every protocol of this service has its own way to ask; "
        "this one stays for the scripts."
    )
    keywords: ClassVar = ["job", "status"]
    inputs: ClassVar = [
        LiteralInput(
            "wps_id",
            "Identifier of the job",
            data_type="string",
            abstract="What stands between pywps- and .xml in the address of its status document.",
        )
    ]
    outputs: ClassVar = [
        ComplexOutput("status", "Report of the job", supported_formats=[Format("application/json")])
    ]

    def answer(self, inputs: Mapping[str, Sequence[str]], views: JobViews) -> dict[str, Any]:
        """Return the report of the job."""
        report = views.report("wps_id", inputs["wps_id"][0])
        return {"status": {"value": report, "type": "application/json"}}


class Status(ProcessingStatus):
    """The same, as the staging scripts (AMALTHEE) call it."""

    identifier = "STATUS"
    title = "State of a staging job"
