"""The bands of the instrument."""

from dataclasses import dataclass

from peps_wps.errors import SafeError
from peps_wps.readers.wording import printable

RESOLUTIONS = (10, 20, 60)


@dataclass(frozen=True, slots=True)
class Band:
    """A spectral band of the MultiSpectral Instrument.

    Parameters
    ----------
    name
        "B01" to "B12", "B8A".
    number
        ``bandId`` of the metadata, 0 to 12.
    resolution
        Pixel of the level 1C image, metres.
    """

    name: str
    number: int
    resolution: int


_RESOLUTION = (60, 10, 10, 10, 20, 20, 20, 10, 20, 60, 60, 20, 20)
_NAMES = (*(f"B{number:02}" for number in range(1, 9)), "B8A", "B09", "B10", "B11", "B12")
BANDS = {name: Band(name, number, _RESOLUTION[number]) for number, name in enumerate(_NAMES)}


def band_named(text: str) -> Band:
    """Return a band by its name as people write it: ``B4``, ``b04``, ``8a``.

    Raises
    ------
    SafeError
        When there is no such band.
    """
    word = text.strip().upper().removeprefix("B")
    band = BANDS.get("B8A" if word in ("8A", "08A") else f"B{word.lstrip('0').zfill(2)}")
    if band is None:
        raise SafeError(f"{printable(text)} is no band of Sentinel-2: {', '.join(BANDS)}")
    return band
