"""Heights that are a plane of longitude and latitude: known everywhere without the reader."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from peps_wps.readers.dem import Dem, DemWindow

SECOND = 1 / 3600


def centres(transform: Affine, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], ...]:
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    return transform @ (columns, rows)


Write = Callable[..., Path]


def assert_is_plane(window: DemWindow, *, turn: float = 0.0, tolerance: float = 1e-3) -> None:
    longitude, latitude = centres(window.transform, window.height.shape)
    expected = 100 + 7 * (longitude - turn) + 3 * latitude
    np.testing.assert_allclose(window.height, expected, atol=tolerance)


def ellipsoidal(path: Path | str, **options: object) -> Dem:
    return Dem.open(path, vertical_datum="ellipsoid", **options)  # type: ignore[arg-type]
