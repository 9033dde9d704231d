"""What a client may ask of a map, and what it is shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.errors import InvalidInputError
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Raster, Source
from peps_wps.tiles.style import PARAMETERS, Style, tones
from tests.tiles.rasters import write_cog


def _style(**parameters: str) -> Style:
    return Style.of({name: [value] for name, value in parameters.items()})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bands": "0"}, "bands is 0, expected one number, or three as in 3,2,1"),
        ({"bands": "1,2"}, "bands is 1,2, expected one number"),
        ({"bands": "1,2,3,4"}, "bands is 1,2,3,4"),
        ({"bands": "-1"}, "bands is -1"),
        ({"bands": "9" * 5000}, "bands is 999"),
        ({"bands": "²"}, "bands is ²"),
        ({"bands": "1\n\u202e"}, "bands is 1__"),
        ({"stretch": "1"}, "stretch is 1, expected low,high"),
        ({"stretch": "2,1"}, "stretch is 2,1, expected low,high"),
        ({"stretch": "1,1"}, "stretch is 1,1"),
        ({"stretch": "0,nan"}, "stretch is 0,nan, expected numbers between commas"),
        ({"stretch": "0,inf"}, "stretch is 0,inf, expected numbers between commas"),
        ({"stretch": "0,1e300"}, "stretch is 0,1e300"),
        ({"stretch": "a,b"}, "stretch is a,b, expected numbers between commas"),
        ({"stretch": "0,1,0,1"}, "stretch is 0,1,0,1"),
        ({"percentiles": "2"}, "percentiles is 2, expected two from 0 to 100"),
        ({"percentiles": "98,2"}, "percentiles is 98,2"),
        ({"percentiles": "-1,101"}, "percentiles is -1,101"),
        ({"percentiles": "2,98", "stretch": "0,1"}, "expected no stretch then"),
        ({"gamma": "0"}, "gamma is 0, expected a number from 0.1 to 10"),
        ({"gamma": "nan"}, "gamma is nan"),
        ({"db": "perhaps"}, "db is perhaps, expected true or false"),
        ({"colour_map": "jet"}, "colour_map is jet, expected one of grey, vegetation, water"),
        ({"resampling": "lanczos"}, "resampling is lanczos, expected one of bilinear, nearest"),
        ({"colormap": "heat"}, "colormap is none of bands, stretch"),
        ({"<script>": "1"}, "_script_ is none of"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(parameters, message):
    with pytest.raises(InvalidInputError) as caught:
        _style(**parameters)
    assert message in str(caught.value)


def test_a_parameter_given_twice_is_refused():
    with pytest.raises(InvalidInputError, match="gamma is given 2 times"):
        Style.of({"gamma": ["1", "2"]})


@given(st.dictionaries(st.sampled_from(PARAMETERS), st.lists(st.text(max_size=20), max_size=2)))
def test_any_text_gives_a_style_or_a_refusal(parameters):
    try:
        style = Style.of(parameters)
    except InvalidInputError:
        return
    assert 0.1 <= style.gamma <= 10


@pytest.fixture(scope="module")
def rasters(tmp_path_factory) -> dict[str, Raster]:
    folder, pool = tmp_path_factory.mktemp("rasters"), RasterPool()
    ones = np.ones((32, 32))
    written = {
        "power": write_cog(
            folder / "power.tif", ones.astype(np.float32), tags={"QUANTITY": "linear power"}
        ),
        "shift": write_cog(folder / "shift.tif", ones.astype(np.float32)),
        "classes": write_cog(folder / "classes.tif", ones.astype(np.uint8), nodata=None),
        "picture": write_cog(folder / "picture.tif", np.ones((32, 32, 3), np.uint8)),
    }
    return {name: pool.raster(Source(path)) for name, path in written.items()}


def test_what_is_left_to_the_raster_suits_it(rasters):
    styles = {name: Style().suited(raster) for name, raster in rasters.items()}

    assert {name: style.bands for name, style in styles.items()} == {
        "power": (1,), "shift": (1,), "classes": (1,), "picture": (1, 2, 3),
    }  # fmt: skip
    assert {name: style.decibels for name, style in styles.items() if style.decibels} == {
        "power": True
    }
    assert styles["classes"].resampling == "nearest"
    assert styles["classes"].percentiles == (0.0, 100.0)
    assert styles["power"].resampling == styles["picture"].resampling == "bilinear"
    assert styles["picture"].stretch == (0.0, 255.0)
    assert styles["shift"].percentiles == (2.0, 98.0)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("power", {"bands": "2"}, "bands is 2, expected 1 to 1"),
        ("picture", {"bands": "1,2,4"}, "bands is 4, expected 1 to 3"),
        ("power", {"stretch": "0,1,0,1,0,1"}, "stretch is 6 numbers, expected 2"),
        ("picture", {"colour_map": "heat"}, "colour_map is heat, expected only with one band"),
    ],
)
def test_what_the_raster_has_not_is_refused(rasters, name, parameters, message):
    with pytest.raises(InvalidInputError) as caught:
        _style(**parameters).suited(rasters[name])
    assert message in str(caught.value)


def test_decibels_are_of_power_and_of_amplitude_alike():
    amplitude = np.array([0.1, 1.0, 10.0, np.nan], np.float32)
    style = Style(decibels=True)

    shown = style.shown(amplitude, "amplitude")

    np.testing.assert_allclose(shown, [-20, 0, 20, np.nan], atol=1e-5)
    np.testing.assert_allclose(style.shown(amplitude**2, "linear power"), shown, atol=1e-5)
    np.testing.assert_array_equal(style.shown(shown, "decibels"), shown)


def test_no_signal_is_dark_and_not_missing():
    shown = Style(decibels=True).shown(np.array([0.0, -1.0], np.float32), "linear power")
    assert (tones(shown, (-20.0, 0.0), 1.0) == 0).all()


@given(st.floats(-50, 50), st.floats(0.1, 50), st.floats(0.1, 10))
def test_tones_rise_from_the_darkest_to_the_brightest(low, span, gamma):
    high = low + span
    found = tones(np.linspace(low, high, 17, dtype=np.float32), (low, high), gamma)

    assert found[0] == pytest.approx(0, abs=1e-4 ** min(1, 1 / gamma) + 1e-3)
    assert found[-1] == pytest.approx(1, abs=1e-3)
    assert (np.diff(found) >= 0).all()


def test_gamma_brightens_the_middle():
    half = np.array([0.5], np.float32)
    assert tones(half, (0.0, 1.0), 2.0)[0] == pytest.approx(0.5**0.5)
