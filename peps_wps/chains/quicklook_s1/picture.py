"""A GRD image made small: sigma nought of square pixels on the ground, about north up."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from algorithms.radar.grd import GrdAnnotation, VectorLut
from algorithms.radar.multilook import mean_power
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel1_grd import GrdProduct

Float32 = NDArray[np.float32]

_ELLIPSOID = Geod(ellps="WGS84")
_STRIP_LINES = 256


def reduced_power(product: GrdProduct, polarization: str, size: int, threads: int) -> Float32:
    """Return sigma nought of an image, thermal noise kept, reduced.

    Parameters
    ----------
    product, polarization
        Which image.
    size
        Most pixels a side.
    threads
        Strips of the image read at once.

    Returns
    -------
    Linear power, NaN outside the swath. Rows run from north to south and columns from west to
    east as far as the orbit allows: the image is turned, not resampled.

    Raises
    ------
    ChainError
        When the image holds no data.
    """
    image = product.images[polarization]
    annotation, source = image.annotation, image.lines
    line_m, sample_m = _spacing(annotation)
    longest = max(source.lines * line_m, source.samples * sample_m)
    lines = max(1, -(-int(longest / line_m) // size))
    samples = max(1, round(lines * line_m / sample_m))
    step = lines * max(1, _STRIP_LINES // lines)
    last = source.lines // lines * lines
    with ThreadPoolExecutor(threads, thread_name_prefix="strip") as pool:
        strips = pool.map(
            lambda first: mean_power(source.read(first, min(first + step, last)), lines, samples),
            range(0, last, step),
        )
        power = np.concatenate(list(strips))
    if np.isnan(power).all():
        raise ChainError(f"{product.title} holds no data of {polarization}")
    power /= _gain(annotation.calibration["sigma0"], power.shape, lines, samples)
    is_ascending = product.manifest.orbit_direction == "ascending"
    return power[::-1] if is_ascending else power[:, ::-1]


def _spacing(annotation: GrdAnnotation) -> tuple[float, float]:
    """Return the distances on the ground between lines and between samples, metres."""
    grid = annotation.grid
    middle = grid.line.shape[1] // 2
    first, last = (grid.longitude[[0, -1], middle], grid.latitude[[0, -1], middle])
    _, _, distance = _ELLIPSOID.inv(first[0], last[0], first[1], last[1], radians=True)
    lines = float(grid.line[-1, middle] - grid.line[0, middle])
    return distance / lines, annotation.range_spacing


def _gain(table: VectorLut, shape: tuple[int, int], lines: int, samples: int) -> Float32:
    """Return the square of a calibration table in the middle of each pixel, the nearest vector."""
    centre = lines * (np.arange(shape[0]) + 0.5)
    sample = samples * (np.arange(shape[1]) + 0.5)
    nearest = np.abs(table.line[None, :] - centre[:, None]).argmin(axis=1)
    rows = {
        index: np.interp(sample, table.sample[index], table.value[index])
        for index in np.unique(nearest)
    }
    gain = np.array([rows[index] for index in nearest], np.float32)
    return np.asarray(gain * gain)
