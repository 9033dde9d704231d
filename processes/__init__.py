"""One process a module: identifier, inputs, outputs; nothing computed here."""

from processes.amalthee import Amalthee
from processes.echo import Echo
from processes.orbit_data import OrbitData
from processes.processing_status import ProcessingStatus, Status
from processes.s1_coherence import S1Coherence
from processes.s1_interferogram import S1Interferogram
from processes.s1_ortho import S1Ortho
from processes.s1_quicklook import S1Quicklook
from processes.s1_tiling import S1Tiling
from processes.s1_time_series import S1TimeSeries
from processes.s2_color_composition import S2ColorComposition
from processes.s2_correlation import S2Correlation
from processes.s2_extract_bands import S2ExtractBands
from processes.s2_ndvi import S2Ndvi
from processes.s2_quicklook import S2Quicklook
from processes.s2_registration import S2Registration

PROCESSES = (
    S1Ortho,
    S1Quicklook,
    S1Tiling,
    S1Interferogram,
    S1Coherence,
    S1TimeSeries,
    S2Correlation,
    S2Registration,
    S2Ndvi,
    S2ColorComposition,
    S2ExtractBands,
    S2Quicklook,
    OrbitData,
    Amalthee,
    Echo,
    ProcessingStatus,
    Status,
)
