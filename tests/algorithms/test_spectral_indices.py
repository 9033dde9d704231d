"""Indices against values worked out by hand."""

import numpy as np
import pytest

from algorithms.spectral_indices import INDICES, SpectralIndex

# A meadow: blue, green, red, red edges, near infrared, shortwave infrared.
MEADOW = {
    "B02": 0.05,
    "B03": 0.08,
    "B04": 0.06,
    "B05": 0.12,
    "B06": 0.28,
    "B07": 0.36,
    "B08": 0.40,
    "B11": 0.20,
    "B12": 0.10,
}
WORKED_OUT = {
    "NDVI": 0.34 / 0.46,
    "NDWI": -0.32 / 0.48,
    "NDSI": -0.12 / 0.28,
    "EVI": 2.5 * 0.34 / (0.40 + 0.36 - 0.375 + 1),
    "EVI2": 2.5 * 0.34 / (0.40 + 0.144 + 1),
    "SAVI": 1.5 * 0.34 / 0.96,
    "OSAVI": 0.34 / 0.62,
    "MSAVI": (1.8 - (3.24 - 2.72) ** 0.5) / 2,
    "GNDVI": 0.32 / 0.48,
    "ARVI": (0.40 - 0.07) / (0.40 + 0.07),
    "NDREI": 0.28 / 0.52,
    "CIRE": 2.0,
    "IRECI": 0.30 / (0.12 / 0.28),
    "S2REP": 0.705 + 0.035 * (0.21 - 0.12) / 0.16,
    "MNDWI": -0.12 / 0.28,
    "NDMI": 0.20 / 0.60,
    "NBR": 0.30 / 0.50,
    "NBR2": 0.10 / 0.30,
    "NDBI": -0.20 / 0.60,
    "BSI": (0.26 - 0.45) / (0.26 + 0.45),
    "NDCI": 0.06 / 0.18,
}


@pytest.mark.parametrize("name", INDICES)
def test_an_index_of_a_meadow(name):
    values = {band: np.array([value], np.float32) for band, value in MEADOW.items()}
    assert INDICES[name].values(values)[0] == pytest.approx(WORKED_OUT[name], rel=1e-5)


def test_bands_go_by_letter_or_name():
    index = SpectralIndex.of("X", "x", "N2 / B04 + S1")
    assert index.bands == ("B04", "B11", "B8A")


@pytest.mark.parametrize("formula", ["X + N", "1 + 2", "B13 / N", "n - r"])
def test_a_formula_without_bands_or_of_unknown_ones_is_refused(formula):
    with pytest.raises(ValueError, match="no band"):
        SpectralIndex.of("X", "x", formula)
