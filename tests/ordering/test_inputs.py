"""Checks of an order against the description of its process."""

import re
from typing import ClassVar

import pytest
from pywps import LiteralInput

from peps_wps.errors import InvalidInputError
from peps_wps.ordering.errors import TooManyValuesError
from peps_wps.ordering.inputs import chain_inputs
from peps_wps.ordering.process import ChainProcess
from processes.echo import Echo


class Numbers(ChainProcess):
    """Takes a number of every type."""

    identifier = title = "NUMBERS"
    inputs: ClassVar = [
        LiteralInput(kind, kind, data_type=kind, min_occurs=0)
        for kind in ("float", "integer", "nonNegativeInteger", "positiveInteger")
    ]


@pytest.mark.parametrize("digits", [1, 18])
@pytest.mark.parametrize("kind", [one.identifier for one in Numbers.inputs])
def test_a_number_of_each_type_is_taken(kind, digits):
    assert chain_inputs(Numbers(), {kind: ["9" * digits]}, largest=100) == {kind: ["9" * digits]}


@pytest.mark.parametrize("text", ["9" * 5000, "1e999", "\u0661", "x"])
@pytest.mark.parametrize("kind", [one.identifier for one in Numbers.inputs])
def test_a_number_that_nothing_holds_is_refused(kind, text):
    with pytest.raises(InvalidInputError) as refused:
        chain_inputs(Numbers(), {kind: [text]}, largest=10_000)

    assert refused.value.locator == kind
    assert re.search(r"expected (a|a whole) number", str(refused.value))


def test_an_empty_value_is_an_absent_one():
    given = {"literalInput": [""], "complexInput": [" "], "pause": [], "boundingboxInput": ["\n"]}

    assert chain_inputs(Echo(), given, largest=100) == {}


def test_values_are_counted_before_any_is_read():
    # Each of these would be refused by itself, after some work: a body has room for half a million.
    with pytest.raises(TooManyValuesError) as refused:
        chain_inputs(Echo(), {"pause": ["no number"] * 2}, largest=100)

    assert refused.value.locator == "pause"
