"""Real pairs: two products that do not superpose, and ice that no model registers."""

import numpy as np
import pytest
import rasterio

from algorithms.correlation.images import NO_DATA, VALID, Image
from algorithms.registration import RegistrationError, register
from algorithms.registration.engine import default_settings
from algorithms.registration.similarity import similarity


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def test_products_that_do_not_superpose_are_registered(reference_data):
    paths = sorted((reference_data / "s2/muscate_l2a").glob("*T38KPD*STACK.tif"))
    reference, target = (Image(read(path)) for path in paths)
    found = register(reference, target)
    # Measured by others, medians of a field that varies by 0.1 pixels.
    assert found.model.kind == "shift"
    assert found.shift.dx == pytest.approx(0.235, abs=0.03)
    assert found.shift.dy == pytest.approx(0.376, abs=0.03)
    alike = similarity(reference, target, found.model)
    assert alike.after > alike.before + 0.02


def test_a_glacier_is_not_taken_for_a_shifted_image(reference_data):
    folder = reference_data / "s2_registration/s2_perito_moreno_2020"
    mask = np.where(read(folder / "mask.jpg") > 127, VALID, NO_DATA).astype(np.uint8)
    days = [Image(read(folder / f"{day}.jpg"), mask) for day in ("20200101", "20200131")]
    with pytest.raises(RegistrationError, match="tie points agree on the model shift"):
        register(*days, settings=default_settings(mask.shape, step=40))
