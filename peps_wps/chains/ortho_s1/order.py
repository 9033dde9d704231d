"""What a client may ask of S1_ORTHO, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from algorithms import mgrs
from peps_wps.chains.fields import Fields
from peps_wps.chains.orders import ChainOrder
from peps_wps.errors import InvalidInputError

CALIBRATIONS = ("gamma0", "sigma0", "beta0", "gamma0_rtc", "dn")
POLARIZATIONS = ("all", "VV", "VH", "HH", "HV")
RESOLUTIONS = ("10", "20")
RESAMPLINGS = ("nearest", "bilinear", "bicubic", "lanczos")
INTERPOLATED = ("power", "amplitude")
FORMATS = ("float32", "float32_db", "uint16")
SRGR_RULES = ("linear", "nearest")


@dataclass(frozen=True)
class Order(ChainOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    products
        Identifiers or titles, as the client gave them.
    tiles
        MGRS names without leading T; empty for every tile covered enough.
    polarizations
        Empty for all that the products have.
    min_coverage
        Percent of a tile that the products must cover.
    bistatic, srgr
        Model switches, see docs/explanation/geometry.md.
    lossless
        Keep all mantissa bits of float32 instead of 10.
    """

    products: tuple[str, ...]
    tiles: tuple[str, ...] = ()
    calibration: str = "gamma0"
    polarizations: tuple[str, ...] = ()
    resolution: int = 10
    resampling: str = "bilinear"
    interpolated: str = "power"
    denoise: bool = True
    min_coverage: float = 10.0
    format: str = "float32"
    masks: bool = False
    bistatic: bool = True
    srgr: str = "linear"
    lossless: bool = False

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        return cls(
            products=fields.products("product"),
            tiles=tuple(dict.fromkeys(tile_named(name) for name in fields.listed("tiles"))),
            calibration=fields.choice("calibration", CALIBRATIONS),
            polarizations=polarizations_of(fields.listed("polarizations")),
            resolution=int(fields.choice("resolution", RESOLUTIONS)),
            resampling=fields.choice("resampling", RESAMPLINGS, default="bilinear"),
            interpolated=fields.choice("interpolated", INTERPOLATED),
            denoise=fields.boolean("denoise", default=True),
            min_coverage=fields.number("min_coverage", default=10.0, low=0.0, high=100.0),
            format=fields.choice("format", FORMATS),
            masks=fields.boolean("masks"),
            bistatic=fields.boolean("bistatic", default=True),
            srgr=fields.choice("srgr", SRGR_RULES),
            lossless=fields.boolean("lossless"),
        )


def polarizations_of(given: Sequence[str]) -> tuple[str, ...]:
    """Return the polarisations that are named, none for all; raise InvalidInputError."""
    names = tuple(dict.fromkeys(word.upper() for value in given for word in value.split()))
    for name in names:
        if name not in ("ALL", *POLARIZATIONS[1:]):
            raise InvalidInputError(
                "polarizations",
                f"polarizations is {name}, expected all or some of VV, VH, HH, HV",
            )
    if "ALL" in names and len(names) > 1:
        message = f"polarizations is {' '.join(names)}, expected all or some of VV, VH, HH, HV"
        raise InvalidInputError("polarizations", message)
    return () if "ALL" in names else names


def tile_named(name: str) -> str:
    """Return the name of an MGRS tile without leading T; raise InvalidInputError."""
    bare = name.upper()
    if len(bare) == 6 and bare.startswith("T"):
        bare = bare[1:]
    try:
        return mgrs.tile(bare).name
    except ValueError as error:
        message = f"tiles is {name}, expected an MGRS tile such as 31TCJ"
        raise InvalidInputError("tiles", message) from error
