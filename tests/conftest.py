"""Fixtures of the whole suite."""

import os
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from peps_wps import kernel_cache
from tests import database

# Before any module with kernels is imported.
kernel_cache.use_own_folder()
# How fast examples are made and tested says how busy the machine is, nothing about the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Tests on real Sentinel data: a folder with s1/, s2grid/ and beside it ogc-schemas/.
REFERENCE_DATA = Path(
    os.environ.get("PEPS_REFERENCE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)


# Parameters longer than this are named by what they begin with.
LONGEST_NAME = 60
# Their tests start services, and wait for them.
LONG_FOLDERS = ("cli", "end_to_end", "jobs", "mirror", "staging")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, where they share its fixtures.

    Files that share more than that have a group of their own. What takes long comes first; the
    order is without meaning otherwise, so that what computes runs beside what waits.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    groups: dict[pytest.Item, str] = {}
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        groups[item] = mark.args[0] if mark else item.nodeid.partition("::")[0]
        if mark is None:
            item.add_marker(pytest.mark.xdist_group(groups[item]))
    slow = {groups[item] for item in items if _takes_long(item)}
    items.sort(key=lambda item: (groups[item] not in slow, zlib.crc32(groups[item].encode())))


def _takes_long(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("slow")) or any(
        folder in item.path.parts for folder in LONG_FOLDERS
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long parameters by their beginning and a sum: a report of them is no page."""
    if not isinstance(val, str | bytes) or len(val) <= LONGEST_NAME:
        return None
    content = val.encode("utf-8", "surrogateescape") if isinstance(val, str) else val
    begin = "".join(one if one.isalnum() else "-" for one in content[:20].decode("latin-1"))
    return f"{argname}-{begin}-{zlib.crc32(content):08x}"


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses a database on both kinds where that is promised, else on SQLite."""
    if "database_kind" in metafunc.fixturenames:
        is_marked = metafunc.definition.get_closest_marker("postgresql") is not None
        on_both = is_marked or database.is_on_both(metafunc.definition)
        kinds = database.KINDS if on_both else database.KINDS[:1]
        metafunc.parametrize("database_kind", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    return str(request.param)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[database.Databases]:
    """What makes databases: for fixtures that live longer than a test."""
    made = database.Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture
def database_url(
    databases: database.Databases, database_kind: str, tmp_path: Path
) -> Iterator[str]:
    """Address of a database of this test alone, with all tables."""
    with databases.fresh(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
def empty_database_url(
    databases: database.Databases, database_kind: str, tmp_path: Path
) -> Iterator[str]:
    """Address of an empty database of this test alone."""
    with databases.fresh(database_kind, tmp_path, is_migrated=False) as url:
        yield url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With PEPS_STRICT=1 a skipped test fails: the place has everything the suite needs."""
    report = yield
    if os.environ.get("PEPS_STRICT") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report
