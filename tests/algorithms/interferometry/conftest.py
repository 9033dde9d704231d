"""Bursts of the real pair of annotations, read once."""

import pytest

from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import open_slc


@pytest.fixture(scope="session")
def real_products(reference_data):
    """Return the two products of 2025, 12 days apart."""
    folder = reference_data / "insar" / "s1_annotation_pair"
    return [open_slc(Safe.open(path)) for path in sorted(folder.glob("*.SAFE"))]


@pytest.fixture(scope="session")
def real_bursts(real_products):
    """Return the bursts of the two by swath and place: [product][swath][number]."""
    return [
        {name: swath.bursts for name, swath in product.swaths.items()} for product in real_products
    ]
