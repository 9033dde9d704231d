"""Ten thousand requests of fifty users for two thousand products: a part of it in the suite."""

import os

import pytest

from tests.staging.load import Load, run


@pytest.mark.drill
@pytest.mark.one_database
def test_every_request_ends_each_product_is_recalled_once_and_users_wait_alike(open_world, rng):
    is_full = bool(os.environ.get("PEPS_DRILLS"))
    load = Load() if is_full else Load(requests=600, products=200, users=6, tapes=20)
    world = open_world(PEPS_TAPE_SPEED="1000000000")
    outcome = run(world, load, rng)
    assert outcome.states == {"ready": load.requests}
    assert outcome.recalls == {"done": load.products}
    assert outcome.unfairness <= 0.10
