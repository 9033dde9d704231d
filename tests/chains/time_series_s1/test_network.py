"""The network of a stack: shifts of dates, and pairs that fail."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from algorithms.interferometry.spectral_diversity import AzimuthShift
from peps_wps.chains.time_series_s1.holdings import PairRecord
from peps_wps.chains.time_series_s1.misregistration import date_shifts
from peps_wps.errors import ChainError
from tests.chains.time_series_s1.simulated_stack import Run, SimulatedStack

pytestmark = pytest.mark.xdist_group("time_series")


def record(lines: float | None, error: float = 1e-3) -> PairRecord:
    shift = None if lines is None else AzimuthShift(lines, error, 1.0, 100)
    return PairRecord(None, (), shift, 0.0)  # type: ignore[arg-type]


def test_shifts_of_dates_explain_those_of_pairs_by_their_errors() -> None:
    records = {
        (0, 1): record(0.010),
        (1, 2): record(-0.004),
        (0, 2): record(0.5, error=10.0),  # says nothing
    }
    np.testing.assert_allclose(date_shifts(records, 3), [0.0, 0.010, 0.006], atol=1e-6)


def test_parts_that_nothing_connects_are_told_against_their_own_first_date() -> None:
    records = {(0, 1): record(0.010), (2, 3): record(0.003), (1, 2): record(None)}
    np.testing.assert_allclose(date_shifts(records, 5), [0.0, 0.010, 0.0, 0.003, 0.0], atol=1e-9)


def test_nothing_coherent_shifts_nothing() -> None:
    assert date_shifts({(0, 1): record(None)}, 2) == [0.0, 0.0]


def damaged(stack: SimulatedStack, folder: Path, number: int) -> SimulatedStack:
    """The stack with a product whose image is cut short."""
    product = stack.products[number]
    copy = folder / stack.paths[product.uid].name
    shutil.copytree(stack.paths[product.uid], copy)
    (image,) = (copy / "measurement").iterdir()
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    return replace(stack, paths={**stack.paths, product.uid: copy})


@pytest.fixture(scope="module")
def without_second(stack: SimulatedStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A series one of whose dates is damaged."""
    broken = damaged(stack, tmp_path_factory.mktemp("damaged"), 1)
    return broken.service("damaged").order()


def test_a_damaged_product_is_left_out_and_the_series_goes_on(without_second: Run) -> None:
    days = [date["date"] for date in without_second.report["dates"]]
    assert days == ["2023-03-19", "2023-04-12", "2023-04-24"]
    dropped = without_second.report["pairs_left_out"]
    assert sorted(dropped) == [
        "2023-03-19 2023-03-31",
        "2023-03-31 2023-04-12",
        "2023-03-31 2023-04-24",
    ]
    assert all("20230331" in reason for reason in dropped.values())
    assert without_second.report["answered_percent"] > 30


def test_too_few_dates_that_are_left_end_with_the_reason(
    stack: SimulatedStack, tmp_path: Path
) -> None:
    broken = damaged(stack, tmp_path, 0).service("three")
    with pytest.raises(ChainError, match=r"2 dates are left in 1 pairs.*left out among others"):
        broken.order(products=" ".join(stack.titles.split()[:3]))


def test_pairs_of_long_perpendicular_baselines_are_left_out(stack: SimulatedStack) -> None:
    stack.once("full")
    run = stack.service("shared").order(max_baseline_m="100")
    assert list(run.report["pairs_left_out"]) == ["2023-03-31 2023-04-12"]
    assert (
        "perpendicular baseline of 125 m" in run.report["pairs_left_out"]["2023-03-31 2023-04-12"]
    )
    assert len(run.report["pairs"]) == 5
