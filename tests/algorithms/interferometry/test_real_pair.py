"""The coherence of real images."""

import json

import numpy as np
import pytest

from algorithms.interferometry.cells import Looks, multilook_pair


def read_zarr(folder):
    """Read an array of one uncompressed chunk."""
    header = json.loads((folder / ".zarray").read_text())
    assert header["compressor"] is None
    assert header["chunks"] == header["shape"]
    return np.frombuffer((folder / "0.0").read_bytes(), header["dtype"]).reshape(header["shape"])


def test_the_coherence_of_amsterdam(reference_data):
    folder = reference_data / "insar" / "s1_coreg_pair_amsterdam"
    pair = []
    for name, date in (("20230319", "19Mar2023"), ("20230331", "31Mar2023")):
        real, imaginary = (
            read_zarr(folder / f"{name}-coreg.znap" / f"{part}_VV_{date}") for part in "iq"
        )
        pair.append((real + 1j * imaginary).astype(np.complex64))

    cells = multilook_pair(*pair, Looks(4, 14))

    assert cells.coherence.shape == (21, 24)
    assert cells.coherence.mean() == pytest.approx(0.75, abs=0.01)
