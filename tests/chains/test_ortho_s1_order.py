"""What a client may write in an order of S1_ORTHO, and what it is told when it is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.chains.ortho_s1.order import (
    CALIBRATIONS,
    FORMATS,
    RESAMPLINGS,
    Order,
)
from peps_wps.errors import InvalidInputError


def test_only_the_product_is_needed():
    assert Order.parse({"product": ["S1A_X"]}) == Order(products=("S1A_X",))


def test_empty_values_count_as_absent():
    inputs = {"product": ["S1A_X"], "tiles": [""], "calibration": [" "], "denoise": [""]}
    assert Order.parse(inputs) == Order(products=("S1A_X",))


def test_repeated_values_count_once():
    order = Order.parse({"product": ["A", "B", "A"], "tiles": ["31TCJ", "T31tcj", "31TDJ"]})
    assert order.products == ("A", "B")
    assert order.tiles == ("31TCJ", "31TDJ")


@pytest.mark.parametrize(
    ("given_values", "names"),
    [([], ()), (["all"], ()), (["vv"], ("VV",)), (["VV VH"], ("VV", "VH")), (["all", "ALL"], ())],
)
def test_polarizations_are_all_or_some(given_values, names):
    assert Order.parse({"product": ["A"], "polarizations": given_values}).polarizations == names


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("product", "", "product is missing"),
        ("tiles", "99XYZ", "tiles is 99XYZ, expected an MGRS tile such as 31TCJ"),
        ("tiles", "31TC", "tiles is 31TC,"),
        ("calibration", "gama", "calibration is gama, expected one of gamma0, sigma0"),
        ("polarizations", "VX", "polarizations is VX, expected all or some of VV, VH, HH, HV"),
        ("polarizations", "VV all", "polarizations is VV ALL, expected all or some of VV"),
        ("resolution", "15", "resolution is 15, expected one of 10, 20"),
        ("resampling", "spline", "resampling is spline, expected one of nearest"),
        ("denoise", "maybe", "denoise is maybe, expected true or false"),
        ("min_coverage", "ten", "min_coverage is ten, expected a number from 0 to 100"),
        ("min_coverage", "101", "min_coverage is 101,"),
        ("min_coverage", "nan", "min_coverage is nan,"),
        ("format", "int8", "format is int8, expected one of float32, float32_db, uint16"),
        ("srgr", "previous", "srgr is previous, expected one of linear, nearest"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(name, value, expected):
    with pytest.raises(InvalidInputError) as refusal:
        Order.parse({"product": ["A"], name: [value]})
    assert str(refusal.value).startswith(expected)
    assert refusal.value.locator == name


def test_a_single_value_given_twice_is_refused():
    with pytest.raises(InvalidInputError, match="calibration is given 2 times"):
        Order.parse({"product": ["A"], "calibration": ["gamma0", "sigma0"]})


@given(
    calibration=st.sampled_from(CALIBRATIONS),
    form=st.sampled_from(FORMATS),
    resampling=st.sampled_from(RESAMPLINGS),
    coverage=st.floats(0, 100),
    masks=st.booleans(),
    tiles=st.lists(st.sampled_from(["31TCJ", "36KWE", "01KAB"]), unique=True),
)
def test_an_order_survives_the_job_row(calibration, form, resampling, coverage, masks, tiles):
    order = Order.parse(
        {
            "product": ["A", "B"],
            "tiles": tiles,
            "calibration": [calibration],
            "format": [form],
            "resampling": [resampling],
            "min_coverage": [repr(coverage)],
            "masks": [str(masks)],
        }
    )
    assert Order.from_json(order.to_json()) == order
    assert order.masks is masks
    assert order.min_coverage == coverage
