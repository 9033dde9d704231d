"""How digital numbers become reflectances."""

from dataclasses import dataclass

from peps_wps.errors import SafeError
from peps_wps.readers.sentinel2.bands import BANDS
from peps_wps.readers.xml_document import find_number
from peps_wps.xml_parsing import Element

NO_DATA, SATURATED = 0, 65535
_QUANTIFICATION = (
    "BOA_QUANTIFICATION_VALUE",
    "L2A_BOA_QUANTIFICATION_VALUE",
    "L1C_L2A_Quantification_Values_List/{*}L2A_BOA_QUANTIFICATION_VALUE",
    "QUANTIFICATION_VALUE",
)
_OFFSETS = ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")


@dataclass(frozen=True, slots=True)
class Radiometry:
    """Reflectance is (number + offset) / quantification; number 0 is no data, 65535 saturated.

    Parameters
    ----------
    quantification
        Digital numbers of a reflectance of 1.
    offsets
        By name of the band; 0 before processing baseline 04.00, -1000 from there on.
    """

    quantification: float
    offsets: dict[str, float]


def read_radiometry(root: Element, name: str) -> Radiometry:
    """Return the radiometry that the product metadata state.

    Parameters
    ----------
    root
        The product metadata.
    name
        What messages call them.

    Raises
    ------
    SafeError
        When the quantification is missing or no positive number, or an offset is not a number.
    """
    quantification = _first(root, _QUANTIFICATION, name)
    if quantification is None or quantification <= 0:
        raise SafeError(f"{name} has no positive quantification of reflectances")
    numbers = {band.number: band.name for band in BANDS.values()}
    offsets = dict.fromkeys(BANDS, 0.0)
    for tag in _OFFSETS:
        for element in root.iterfind(f".//{{*}}{tag}"):
            band = numbers.get(_integer(element.get("band_id", "")))
            if band is None:
                raise SafeError(f"{name} has an offset of an unknown band")
            offsets[band] = _offset(element, name)
    return Radiometry(quantification, offsets)


def _first(root: Element, tags: tuple[str, ...], name: str) -> float | None:
    """Return the number of the first of some elements that is there."""
    for tag in tags:
        if root.find(f".//{{*}}{tag}") is not None:
            return find_number(root, f".//{{*}}{tag}", name)
    return None


def _integer(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 4 else -1


def _offset(element: Element, name: str) -> float:
    try:
        offset = float(element.text or "")
    except ValueError:
        offset = float("nan")
    if not abs(offset) < SATURATED:
        raise SafeError(f"{name} has an offset that is no number of 16 bits")
    return offset
