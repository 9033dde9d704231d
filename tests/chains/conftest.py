"""Passes that several modules of these tests share; a tile of them is computed once."""

import pytest

from tests.chains.simulated_pass import DRILLS, SimulatedPass, simulate_pass

# Full-size products: ten minutes each.
collect_ignore = [] if DRILLS else ["test_ortho_s1_real_metadata.py"]


@pytest.fixture(scope="session")
def hills(tmp_path_factory) -> SimulatedPass:
    """Both polarisations over hills at the far edge of the swath, where models differ most."""
    return simulate_pass(tmp_path_factory.mktemp("hills"), range_position=1.0)


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> SimulatedPass:
    """A pass as small as it can be, for what is not about its pixels."""
    folder = tmp_path_factory.mktemp("small")
    return simulate_pass(folder, lines=500, samples=600, polarizations=("VV",))


@pytest.fixture
def report(capsys):
    """Say a figure of a drill to whoever runs it."""

    def say(text: str) -> None:
        if DRILLS:
            with capsys.disabled():
                print(text)  # noqa: T201

    return say
