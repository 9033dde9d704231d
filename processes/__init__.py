"""One process a module: identifier, inputs, outputs; nothing computed here."""

from processes.amalthee import Amalthee
from processes.echo import Echo
from processes.processing_status import ProcessingStatus, Status
from processes.s1_ortho import S1Ortho
from processes.s2_color_composition import S2ColorComposition
from processes.s2_extract_bands import S2ExtractBands
from processes.s2_ndvi import S2Ndvi

PROCESSES = (
    S1Ortho,
    S2Ndvi,
    S2ColorComposition,
    S2ExtractBands,
    Amalthee,
    Echo,
    ProcessingStatus,
    Status,
)
