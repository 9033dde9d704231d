"""Pictures for people: PNG and JPEG files of 8 bits."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from peps_wps.writers.publish import published

UInt8 = NDArray[np.uint8]

# Suffix of each format that an order may name.
SUFFIXES = {"png": ".png", "jpeg": ".jpg"}
_DRIVERS = {".png": "PNG", ".jpg": "JPEG"}


def write_picture(path: Path, image: UInt8) -> None:
    """Write a picture.

    Parameters
    ----------
    path
        Ends in ``.png`` or ``.jpg``.
    image
        Shape (channel, row, column): red, green, blue, and opacity of a PNG; a JPEG shows
        what is not opaque as black.
    """
    driver = _DRIVERS[path.suffix]
    if driver == "JPEG" and len(image) == 4:
        image = np.where(image[3] > 0, image[:3], np.uint8(0))
    count, rows, columns = image.shape
    profile = {"height": rows, "width": columns, "count": count, "dtype": "uint8"}
    with MemoryFile() as memory:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with memory.open(driver=driver, **profile) as dataset:
                dataset.write(image)
        content = memory.read()
    with published(path) as stream:
        stream.write(content)
