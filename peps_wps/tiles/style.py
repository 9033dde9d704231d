"""How values become tones and colours: what a client may ask of a map, checked value by value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from algorithms.regridding import Method
from peps_wps.chains.fields import Fields, refused
from peps_wps.errors import InvalidInputError
from peps_wps.readers.wording import printable
from peps_wps.tiles.raster import Raster
from peps_wps.writers.colour_maps import COLOUR_MAPS

Float32 = NDArray[np.float32]

PARAMETERS = (
    *("bands", "stretch", "percentiles", "gamma", "db"),
    *("colour_map", "resampling"),
)
RESAMPLINGS: tuple[Method, ...] = ("bilinear", "nearest")
_LARGEST_BAND = 1000
_LARGEST_VALUE = 1e30
_PERCENTILES = (2.0, 98.0)
_POWER, _AMPLITUDE = 10.0, 20.0  # times the logarithm are decibels
_OF_DECIBELS = {"linear power": _POWER, "amplitude": _AMPLITUDE}
_SMALLEST = np.float32(1e-30)  # below a signal of any kind: as dark as can be


@dataclass(frozen=True)
class Style:
    """How values are shown.

    Parameters
    ----------
    bands
        One, or three as red, green and blue, from 1; empty: what suits the raster.
    stretch
        Values shown darkest and brightest, for all bands or a pair for each; empty: percentiles.
    percentiles
        Of the whole raster, where there is no `stretch`.
    gamma
        Above 1 brightens the middle.
    decibels
        Whether the logarithm is shown; None: where the raster is power or amplitude.
    colour_map
        Of one band.
    resampling
        None: nearest for classes, else bilinear.
    """

    bands: tuple[int, ...] = ()
    stretch: tuple[float, ...] = ()
    percentiles: tuple[float, float] | None = None
    gamma: float = 1.0
    decibels: bool | None = None
    colour_map: str = "grey"
    resampling: Method | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Sequence[str]]) -> "Style":
        """Read the parameters of a request.

        Raises
        ------
        InvalidInputError
            With the parameter's name, the value found and what is expected.
        """
        known = ", ".join(PARAMETERS)
        for name in parameters:
            if name not in PARAMETERS:
                raise InvalidInputError(name, f"{printable(name)} is none of {known}")
        fields = Fields(parameters)
        bands = _bands(fields)
        resampling: Method | None = None
        if fields.has("resampling"):
            wanted = fields.choice("resampling", RESAMPLINGS)
            resampling = next(one for one in RESAMPLINGS if one == wanted)
        return cls(
            bands=bands,
            stretch=_stretch(fields),
            percentiles=_percentiles(fields),
            gamma=fields.number("gamma", default=1.0, low=0.1, high=10.0),
            decibels=fields.boolean("db") if fields.has("db") else None,
            colour_map=fields.choice("colour_map", COLOUR_MAPS),
            resampling=resampling,
        )

    def suited(self, raster: Raster) -> "Style":
        """Return the style with everything said that it leaves to the raster.

        Raises
        ------
        InvalidInputError
            When the raster has no such band, or no pair of the stretch for each.
        """
        bands = self.bands or ((1, 2, 3) if raster.is_picture else (1,))
        for band in bands:
            if band > raster.bands:
                raise refused("bands", str(band), f"1 to {raster.bands}")
        if len(self.stretch) > 2 and len(self.stretch) != 2 * len(bands):
            raise refused("stretch", f"{len(self.stretch)} numbers", f"2 or {2 * len(bands)}")
        if len(bands) > 1 and self.colour_map != "grey":
            raise refused("colour_map", self.colour_map, "only with one band")
        stretch = self.stretch
        if not stretch and self.percentiles is None and raster.is_picture:
            stretch = (0.0, 255.0)
        is_signal = raster.quantity in _OF_DECIBELS
        return replace(
            self,
            bands=bands,
            stretch=stretch,
            percentiles=self.percentiles or (0.0, 100.0)
            if raster.holds_classes
            else (self.percentiles or _PERCENTILES),
            decibels=is_signal if self.decibels is None else self.decibels,
            resampling=self.resampling or ("nearest" if raster.holds_classes else "bilinear"),
        )

    def shown(self, values: Float32, quantity: str) -> Float32:
        """Return the numbers that are stretched: values, or their decibels.

        Parameters
        ----------
        values
            Of any shape, NaN for no data.
        quantity
            What they are, as the raster's tags say.
        """
        if not self.decibels or quantity == "decibels":
            return values
        factor = np.float32(_OF_DECIBELS.get(quantity, _POWER))
        decibels: Float32 = factor * np.log10(np.maximum(values, _SMALLEST))
        return decibels


def tones(shown: Float32, limits: tuple[float, float], gamma: float) -> Float32:
    """Return tones from 0 to 1; NaN stays NaN.

    Parameters
    ----------
    shown
        Numbers as `Style.shown` gives them.
    limits
        What is shown darkest and brightest.
    gamma
        Above 1 brightens the middle.
    """
    low, high = limits
    share: Float32 = np.clip((shown - np.float32(low)) / np.float32(high - low), 0, 1)
    return share if gamma == 1 else np.power(share, np.float32(1 / gamma))


def _bands(fields: Fields) -> tuple[int, ...]:
    """Read one band or three."""
    text = fields.one("bands")
    if text is None:
        return ()
    words = text.split(",")
    known = all(word.isascii() and word.isdigit() and len(word) <= 4 for word in words)
    bands = tuple(int(word) for word in words) if known else ()
    if len(bands) not in (1, 3) or not all(1 <= band <= _LARGEST_BAND for band in bands):
        raise refused("bands", text, "one number, or three as in 3,2,1")
    return bands


def _stretch(fields: Fields) -> tuple[float, ...]:
    """Read the values shown darkest and brightest."""
    text = fields.one("stretch")
    if text is None:
        return ()
    numbers = _numbers("stretch", text)
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    is_right = len(numbers) in (2, 6) and all(low < high for low, high in pairs)
    if not is_right or max(map(abs, numbers)) > _LARGEST_VALUE:
        raise refused("stretch", text, "low,high, for all bands or for each of three")
    return numbers


def _percentiles(fields: Fields) -> tuple[float, float] | None:
    """Read the percents of pixels that are darkest and not brightest."""
    text = fields.one("percentiles")
    if text is None:
        return None
    if fields.has("stretch"):
        raise InvalidInputError("percentiles", "percentiles are given, expected no stretch then")
    numbers = _numbers("percentiles", text)
    if len(numbers) != 2 or not 0 <= numbers[0] < numbers[1] <= 100:
        raise refused("percentiles", text, "two from 0 to 100, as in 2,98")
    return numbers[0], numbers[1]


def _numbers(name: str, text: str) -> tuple[float, ...]:
    """Read finite numbers between commas."""
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = (math.nan,)
    if not all(map(math.isfinite, numbers)):
        raise refused(name, text, "numbers between commas")
    return numbers
