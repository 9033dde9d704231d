"""Inputs that interferometric processes share, read value by value."""

import re
from typing import NamedTuple, get_args

from algorithms.interferometry.cells import Looks
from algorithms.interferometry.ground_coherence import COHERENCE_LOOKS
from algorithms.unwrapping import Method
from peps_wps.chains.fields import Fields, refused
from peps_wps.readers.burst_id import ORBITS

POLARIZATIONS = ("VV", "VH", "HH", "HV")
FILTERS = ("goldstein", "none")
UNWRAPPERS = (*get_args(Method), "none")
LOOKS = "20x4"
MOST_LOOKS = 100  # each way
DEFAULT_COHERENCE_LOOKS, MOST_COHERENCE_LOOKS = COHERENCE_LOOKS, 500.0
MOST_BURSTS = 100
MOST_SLICES = 10  # of a pass
_LOOKS = re.compile(r"(?P<across>\d{1,3})\s*[xX*]\s*(?P<along>\d{1,3})")
_BURST = re.compile(r"[Tt]?(?P<track>\d{1,3})[-_](?P<number>\d{1,6})[-_](?P<swath>[IiEe][Ww][1-5])")


class BurstName(NamedTuple):
    """A burst by relative orbit, number and swath: ``144_308029_IW1``, as ESA's map has it."""

    track: int
    number: int
    swath: str

    def __str__(self) -> str:
        return f"{self.track:03d}_{self.number:06d}_{self.swath}"

    @classmethod
    def of(cls, text: str) -> "BurstName":
        """Read a name; ValueError when it is none."""
        found = _BURST.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no burst, expected one like 144_308029_IW1")
        name = cls(int(found["track"]), int(found["number"]), found["swath"].upper())
        if not (1 <= name.track <= ORBITS and name.swath <= "IW3"):
            raise ValueError(f"{text!r} is no burst, expected one like 144_308029_IW1")
        return name


def looks_of(fields: Fields, default: str = LOOKS) -> Looks:
    """Return the looks of an order: samples by lines, as in ``20x4``."""
    text = fields.one("looks") or default
    found = _LOOKS.fullmatch(text)
    looks = Looks(int(found["along"]), int(found["across"])) if found else Looks(0, 0)
    if not (min(looks) >= 1 and max(looks) <= MOST_LOOKS and max(looks) > 1):
        raise refused("looks", text, "samples by lines, as 20x4, 10x2 or 5x1")
    return looks


def looks_text(looks: Looks) -> str:
    """Return looks as an order has them."""
    return f"{looks.range}x{looks.azimuth}"


def coherence_looks_of(fields: Fields) -> float:
    """Return the independent looks that a coherence is to stand on."""
    return fields.number(
        "coherence_looks", default=DEFAULT_COHERENCE_LOOKS, low=1.0, high=MOST_COHERENCE_LOOKS
    )


def bursts_of(fields: Fields) -> tuple[str, ...]:
    """Return the bursts of an order, each once, none for all."""
    given = [word for value in fields.listed("bursts") for word in re.split(r"[\s,;]+", value)]
    names = []
    for word in given:
        try:
            names.append(str(BurstName.of(word)))
        except ValueError as error:
            raise refused("bursts", word, "a burst such as 144_308029_IW1") from error
    if len(set(names)) > MOST_BURSTS:
        raise refused("bursts", f"{len(names)} bursts", f"{MOST_BURSTS} at most")
    return tuple(dict.fromkeys(names))


def filter_of(fields: Fields) -> bool:
    """Tell whether the phase is filtered."""
    return fields.choice("filter", FILTERS) == "goldstein"


def exponent_of(fields: Fields) -> float | None:
    """Return the exponent of the filter, None where it follows the coherence."""
    text = fields.one("filter_exponent")
    if text is None or text.lower() == "adaptive":
        return None
    return fields.number("filter_exponent", default=0.5, low=0.0, high=1.0)


def unwrapper_of(fields: Fields) -> Method | None:
    """Return the unwrapper of an order, None for none."""
    word = fields.choice("unwrap", UNWRAPPERS)
    return next((method for method in get_args(Method) if method == word), None)


def polarization_of(fields: Fields) -> str | None:
    """Return the polarisation of an order, None where it is left open."""
    if not fields.has("polarization"):
        return None
    return fields.choice("polarization", POLARIZATIONS)
