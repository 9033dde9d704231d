"""The chains of this service by process identifier; ``[processing] chains`` names this module."""

from typing import Any

from peps_wps.chains.amalthee.planner import Amalthee
from peps_wps.chains.coherence_s1.chain import CoherenceS1
from peps_wps.chains.colour_s2.chain import ColourS2
from peps_wps.chains.contract import Planner
from peps_wps.chains.correlation_s2.chain import CorrelationS2
from peps_wps.chains.echo import Echo
from peps_wps.chains.extract_s2.chain import ExtractS2
from peps_wps.chains.index_s2.chain import IndexS2
from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from peps_wps.chains.orbit_data.chain import OrbitDataChain
from peps_wps.chains.ortho_s1.chain import OrthoS1
from peps_wps.chains.quicklook_s1.chain import QuicklookS1
from peps_wps.chains.quicklook_s2.chain import QuicklookS2
from peps_wps.chains.registration_s2.chain import RegistrationS2
from peps_wps.chains.tiling_s1.chain import TilingS1
from peps_wps.chains.time_series_s1.chain import TimeSeriesS1

CHAINS: dict[str, Planner[Any]] = {
    "AMALTHEE": Amalthee(),
    "echo": Echo(),
    "ORBIT_DATA": OrbitDataChain(),
    "S1_COHERENCE": CoherenceS1(),
    "S1_INTERFEROGRAM": InterferogramS1(),
    "S1_ORTHO": OrthoS1(),
    "S1_QUICKLOOK": QuicklookS1(),
    "S1_TILING": TilingS1(),
    "S1_TIME_SERIES": TimeSeriesS1(),
    "S2_COLOR_COMPOSITION": ColourS2(),
    "S2_EXTRACT_BANDS": ExtractS2(),
    "S2_CORRELATION": CorrelationS2(),
    "S2_NDVI": IndexS2(),
    "S2_QUICKLOOK": QuicklookS2(),
    "S2_REGISTRATION": RegistrationS2(),
}
