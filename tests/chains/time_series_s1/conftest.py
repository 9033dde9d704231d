"""A stack that the tests of S1_TIME_SERIES share."""

import pytest

from tests.chains.time_series_s1.simulated_stack import Run, SimulatedStack, simulate_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> SimulatedStack:
    """Four dates of two bursts."""
    return simulate_stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture
def full(stack: SimulatedStack) -> Run:
    """All four dates, as an order that says nothing more has them."""
    return stack.once("full")
