"""Fixtures of the whole suite."""

import os
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from peps_wps import kernel_cache

# Before any module with kernels is imported.
kernel_cache.use_own_folder()

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With PEPS_STRICT=1 a skipped test fails: the place has everything the suite needs."""
    report = yield
    if os.environ.get("PEPS_STRICT") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report
