"""Series of displacement out of a network of pairs: interferograms, or correlated images.

Pairs are observations of differences between dates. They are inverted pixel by pixel with weights;
parts of the network that gaps have cut off are tied by a model of time. What the air and the orbits
add is taken off before (`atmosphere`).
"""

from algorithms.time_series.displacement import DisplacementSeries, Radar, invert
from algorithms.time_series.inversion import Inverter, Series, Settings, inverter
from algorithms.time_series.model import TemporalModel
from algorithms.time_series.network import Network, network

__all__ = [
    "DisplacementSeries",
    "Inverter",
    "Network",
    "Radar",
    "Series",
    "Settings",
    "TemporalModel",
    "invert",
    "inverter",
    "network",
]
