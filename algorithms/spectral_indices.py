"""Spectral indices of Sentinel-2 by name: formulas over reflectances of a level 1C or 2A.

Letters of bands are those of the catalogue Awesome Spectral Indices (Montero et al. 2023,
Scientific Data 10:197), column Sentinel-2; names of bands may stand for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.expression import Expression, evaluate, names_in, parse

Float32 = NDArray[np.float32]

BAND_OF_LETTER = {
    "A": "B01",
    "B": "B02",
    "G": "B03",
    "R": "B04",
    "RE1": "B05",
    "RE2": "B06",
    "RE3": "B07",
    "N": "B08",
    "N2": "B8A",
    "WV": "B09",
    "S1": "B11",
    "S2": "B12",
}
_BANDS = {f"B{number:02}" for number in range(1, 13)} | {"B8A"}


@dataclass(frozen=True)
class SpectralIndex:
    """A formula over bands.

    Parameters
    ----------
    name
        "NDVI"; of a formula of one's own "FORMULA".
    title
        What it is, for people.
    formula
        As it was written.
    expression
        The same, read.
    bands
        That it needs: "B04".
    scale
        Of integers that hold it.
    """

    name: str
    title: str
    formula: str
    expression: Expression
    bands: tuple[str, ...]
    scale: float = 1e-4

    @classmethod
    def of(cls, name: str, title: str, formula: str, *, scale: float = 1e-4) -> "SpectralIndex":
        """Read a formula.

        Raises
        ------
        ValueError
            When it is none, or names what is no band, or no band at all.
        """
        expression = parse(formula)
        names = names_in(expression)
        unknown = sorted(names - _BANDS - set(BAND_OF_LETTER))
        if unknown:
            known = ", ".join([*BAND_OF_LETTER, "B01 to B12"])
            raise ValueError(f"{unknown[0]} is no band, expected some of {known}")
        if not names:
            raise ValueError("it names no band")
        bands = tuple(sorted({band_of(letter) for letter in names}))
        return cls(name, title, formula, expression, bands, scale)

    def values(self, reflectances: Mapping[str, Float32]) -> Float32:
        """Return the index from reflectances by name of the band; not finite where it has none."""
        names = names_in(self.expression)
        return evaluate(self.expression, {name: reflectances[band_of(name)] for name in names})


def band_of(name: str) -> str:
    """Return the band that a letter, or its own name, stands for."""
    return BAND_OF_LETTER.get(name, name)


_LIST = (
    ("NDVI", "Normalized difference vegetation index", "(N - R) / (N + R)"),
    ("NDWI", "Normalized difference water index (McFeeters 1996)", "(G - N) / (G + N)"),
    ("NDSI", "Normalized difference snow index (Hall 1995)", "(G - S1) / (G + S1)"),
    ("EVI", "Enhanced vegetation index", "2.5 * (N - R) / (N + 6 * R - 7.5 * B + 1)"),
    ("SAVI", "Soil adjusted vegetation index (L = 0.5)", "1.5 * (N - R) / (N + R + 0.5)"),
    ("EVI2", "Two-band enhanced vegetation index", "2.5 * (N - R) / (N + 2.4 * R + 1)"),
    ("MSAVI", "Modified soil adjusted vegetation index",
     "0.5 * (2 * N + 1 - ((2 * N + 1)**2 - 8 * (N - R))**0.5)"),
    ("OSAVI", "Optimized soil adjusted vegetation index", "(N - R) / (N + R + 0.16)"),
    ("GNDVI", "Green normalized difference vegetation index", "(N - G) / (N + G)"),
    ("ARVI", "Atmospherically resistant vegetation index (Kaufman 1992, gamma = 1)",
     "(N - (2 * R - B)) / (N + (2 * R - B))"),
    ("NDREI", "Normalized difference red edge index", "(N - RE1) / (N + RE1)"),
    ("CIRE", "Red edge chlorophyll index", "RE3 / RE1 - 1"),
    ("IRECI", "Inverted red edge chlorophyll index", "(RE3 - R) / (RE1 / RE2)"),
    ("S2REP", "Sentinel-2 red edge position, micrometres",
     "0.705 + 0.035 * ((RE3 + R) / 2 - RE1) / (RE2 - RE1)"),
    ("MNDWI", "Modified normalized difference water index (Xu 2006)", "(G - S1) / (G + S1)"),
    ("NDMI", "Normalized difference moisture index (Gao 1996)", "(N - S1) / (N + S1)"),
    ("NBR", "Normalized burn ratio", "(N - S2) / (N + S2)"),
    ("NBR2", "Normalized burn ratio 2, or tillage index", "(S1 - S2) / (S1 + S2)"),
    ("NDBI", "Normalized difference built-up index", "(S1 - N) / (S1 + N)"),
    ("BSI", "Bare soil index", "((S1 + R) - (N + B)) / ((S1 + R) + (N + B))"),
    ("NDCI", "Normalized difference chlorophyll index of water", "(RE1 - R) / (RE1 + R)"),
)  # fmt: skip

# Ratios, whose values go beyond 3.
_COARSE = {"CIRE": 1e-3, "IRECI": 1e-3}
INDICES = {
    name: SpectralIndex.of(name, title, formula, scale=_COARSE.get(name, 1e-4))
    for name, title, formula in _LIST
}
