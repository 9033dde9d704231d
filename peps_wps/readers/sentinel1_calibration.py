"""The calibration tables of one Sentinel-1 image.

Fields: Sentinel-1 Product Specification, S1-RS-MDA-52-7441, section 6.3.2.
"""

import numpy as np

from algorithms.radar.grd import VectorLut
from peps_wps.errors import SafeError
from peps_wps.readers.xml_document import find_integer, find_numbers, parse_xml
from peps_wps.xml_parsing import Element

# Our name of each table, and its element.
TABLES = {"sigma0": "sigmaNought", "beta0": "betaNought", "gamma0": "gamma", "dn": "dn"}


class CalibrationTables(dict[str, VectorLut]):
    """The tables by name; asking for one that the product has not says so in one sentence."""

    def __init__(self, tables: dict[str, VectorLut], source: str) -> None:
        super().__init__(tables)
        self.source = source

    def __missing__(self, table: str) -> VectorLut:
        raise SafeError(f"{self.source}: no calibration table {table} found, one expected")

    def __reduce__(self) -> tuple[type, tuple[dict[str, VectorLut], str]]:
        return type(self), (dict(self), self.source)


def parse_calibration(data: bytes, name: str) -> CalibrationTables:
    """Return the amplitude tables `A` of an image."""
    root = parse_xml(data, name)
    vectors = root.findall("calibrationVectorList/calibrationVector")
    return CalibrationTables(
        {table: vector_lut(vectors, element, name) for table, element in TABLES.items()}, name
    )


def vector_lut(vectors: list[Element], element: str, name: str) -> VectorLut:
    """Return the table whose values each vector gives in `element`, at the samples in ``pixel``."""
    if not vectors:
        raise SafeError(f"{name} has no vectors of {element}")
    line = np.array([find_integer(vector, "line", name) for vector in vectors], np.float64)
    samples = [find_numbers(vector, "pixel", name) for vector in vectors]
    values = [find_numbers(vector, element, name) for vector in vectors]
    for sample, value in zip(samples, values, strict=True):
        if sample.size != value.size or sample.size == 0:
            raise SafeError(f"{name} has {value.size} values of {element} at {sample.size} samples")
        if (np.diff(sample) <= 0).any():
            raise SafeError(f"{name} has samples of {element} that do not increase")
    # The specification promises no order, and a line may repeat where two slices were joined.
    _, order = np.unique(line, return_index=True)
    return VectorLut(
        line=line[order],
        sample=tuple(samples[index] for index in order),
        value=tuple(values[index] for index in order),
    )
