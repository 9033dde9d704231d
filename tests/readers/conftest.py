import numpy as np
import pytest

from tests.readers.safe_builder import SafeRecipe


@pytest.fixture
def recipe(rng: np.random.Generator) -> SafeRecipe:
    """A product of two polarisations, 700 lines of 4001 samples: 5.6 MB, two restarts of a zip."""
    return SafeRecipe(
        dn={
            "VV": rng.integers(0, 2**16, (700, 4001), np.uint16),
            "VH": rng.integers(0, 2**10, (700, 4001), np.uint16),
        }
    )
