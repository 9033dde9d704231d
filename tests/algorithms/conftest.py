"""Real annotations, read once."""

import functools
from datetime import UTC, datetime

import pytest

from tests.algorithms.annotations import read_annotation


@pytest.fixture(scope="session")
def annotation_of(reference_data):
    """Read the annotation of a real product by a part of its name: (annotation, IPF version)."""

    @functools.lru_cache
    def read(part, polarization=None, epoch=None):
        path = next((reference_data / "s1" / "safe").glob(f"*{part}*.zip"))
        return read_annotation(path, polarization, epoch)

    return read


@pytest.fixture(scope="session")
def massif_central(annotation_of):
    return annotation_of("20210809")[0]


@pytest.fixture(scope="session")
def two_frames(annotation_of):
    epoch = datetime(2015, 2, 22, 17, 7, 25, tzinfo=UTC)
    return [annotation_of(part, epoch=epoch)[0] for part in ("_CEAB", "_3768")]
