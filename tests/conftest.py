"""Fixtures of the whole suite."""

import os
from pathlib import Path

import numpy as np
import pytest

# Tests on real Sentinel data: a folder with s1/, s2grid/ and beside it ogc-schemas/.
REFERENCE_DATA = Path(
    os.environ.get("PEPS_REFERENCE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    if not (REFERENCE_DATA / "s1").is_dir():
        pytest.skip(f"no reference data at {REFERENCE_DATA}: set PEPS_REFERENCE_DATA")
    return REFERENCE_DATA


@pytest.fixture(scope="session")
def ogc_schemas(reference_data: Path) -> Path:
    folder = reference_data.parent / "ogc-schemas"
    if not folder.is_dir():
        pytest.skip(f"no OGC schemas at {folder}")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20210809)
