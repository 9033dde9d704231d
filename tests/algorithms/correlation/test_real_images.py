"""Real pairs: a glacier's flow, and two products that are known not to superpose."""

import numpy as np
import pytest
import rasterio

from algorithms.correlation import CorrelationSettings, Flag, correlate
from algorithms.correlation.images import NO_DATA, VALID, Image

GLACIER = "s2_registration/s2_perito_moreno_2020"
WITHOUT_DATA = Flag.BORDER | Flag.NO_DATA


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read(1)


@pytest.mark.parametrize("days", [("20200101", "20200131"), ("20200207", "20200313")])
def test_the_flow_of_a_glacier_is_smooth(reference_data, days):
    folder = reference_data / GLACIER
    mask = np.where(read(folder / "mask.jpg") > 127, VALID, NO_DATA).astype(np.uint8)
    pair = (Image(read(folder / f"{day}.jpg"), mask) for day in days)
    settings = CorrelationSettings(window=41, step=16, max_displacement=16.0)
    field = correlate(*pair, settings)
    with_data = (field.flags & WITHOUT_DATA) == 0
    assert field.is_answered[with_data].mean() >= 0.85
    length = np.hypot(field.dy, field.dx)[field.is_answered]
    # Measured by others on these pairs: median 5.5, 99 % within 11 and 12.7 pixels.
    assert 5.0 < np.median(length) < 8.5
    assert 10.0 < np.percentile(length, 99) < 13.5
    for part in (field.dy, field.dx):
        change = np.abs(np.diff(part, axis=1))
        assert np.nanmedian(change) < 0.25  # pixels over 160 m
        assert np.nanpercentile(change, 99) < 1.5


def test_products_that_do_not_superpose_are_found_out(reference_data):
    folder = reference_data / "s2/muscate_l2a"
    first, second = sorted(folder.glob("*T38KPD*STACK.tif"))
    settings = CorrelationSettings(window=31, step=10, max_displacement=4.0)
    field = correlate(Image(read(first)), Image(read(second)), settings)
    answered = field.is_answered
    assert answered[3:-3, 3:-3].mean() > 0.9
    # Measured by others; the median of a field that varies depends on which nodes are answered.
    assert np.median(field.dx[answered]) == pytest.approx(0.235, abs=0.03)
    assert np.median(field.dy[answered]) == pytest.approx(0.376, abs=0.03)
