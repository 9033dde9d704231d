"""A pair that several modules share; what most of them look at is computed once."""

import pytest

from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from tests.chains.interferometry.simulated_pair import Made, SimulatedPair, simulate_pair


@pytest.fixture(scope="session")
def pair(tmp_path_factory) -> SimulatedPair:
    """Two bursts over hills, of which a bowl rises in between."""
    return simulate_pair(tmp_path_factory.mktemp("pair"), orbit_files="RESORB")


@pytest.fixture(scope="session")
def made(pair, tmp_path_factory) -> Made:
    """The interferogram of the pair, with everything."""
    folder = tmp_path_factory.mktemp("interferogram")
    return pair.make(InterferogramS1(), folder, {**pair.titles(), "complex": ["true"]})


@pytest.fixture(scope="session")
def both(tmp_path_factory) -> SimulatedPair:
    """Three dates of one burst, in two polarisations."""
    return simulate_pair(
        tmp_path_factory.mktemp("both"),
        later=2,
        bursts=1,
        lines=200,
        samples=500,
        polarizations=("VV", "VH"),
    )
