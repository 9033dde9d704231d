"""Checks of an order against the description of its process."""

import pytest

from peps_wps.ordering.errors import TooManyValuesError
from peps_wps.ordering.inputs import chain_inputs
from processes.echo import Echo


def test_an_empty_value_is_an_absent_one():
    given = {"literalInput": [""], "complexInput": [" "], "pause": [], "boundingboxInput": ["\n"]}

    assert chain_inputs(Echo(), given, largest=100) == {}


def test_values_are_counted_before_any_is_read():
    # Each of these would be refused by itself, after some work: a body has room for half a million.
    with pytest.raises(TooManyValuesError) as refused:
        chain_inputs(Echo(), {"pause": ["no number"] * 2}, largest=100)

    assert refused.value.locator == "pause"
