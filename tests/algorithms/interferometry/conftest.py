"""Bursts of the real pair of annotations, read once."""

import dataclasses

import pytest

from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import open_slc


@pytest.fixture(scope="session")
def real_products(reference_data):
    """Return the two products of 2025, 12 days apart, the line times as their grids have them."""
    folder = reference_data / "insar" / "s1_annotation_pair"
    return [open_slc(Safe.open(path)) for path in sorted(folder.glob("*.SAFE"))]


@pytest.fixture(scope="session")
def real_bursts(real_products):
    """Return the bursts of the two by swath and place: [product][swath][number]."""
    # The processor leaves the bistatic delay as it is in the middle of IW2.
    middle = real_products[0].swaths["IW2"].bursts[0]
    time = middle.slant_range_time + 0.5 * middle.samples / middle.range_sampling_rate
    return [
        {
            name: [dataclasses.replace(burst, bistatic_time=time) for burst in swath.bursts]
            for name, swath in product.swaths.items()
        }
        for product in real_products
    ]
