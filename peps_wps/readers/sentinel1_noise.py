"""The thermal noise tables of one Sentinel-1 image, in DN**2 whatever the processor.

Fields: Sentinel-1 Product Specification, S1-RS-MDA-52-7441, section 6.3.3; thermal denoising, ESA
MPC-0392 issue 1.1; scaling of the tables of old processors as in "Masking No-value Pixels on GRD
Products", OI-MPC-OTH-0243-S1-Border-Masking-MPCS-916.
"""

import logging
from dataclasses import replace

import numpy as np

from algorithms.radar.grd import AzimuthNoiseBlock, NoiseLut, VectorLut
from peps_wps.errors import SafeError
from peps_wps.readers.manifest import IpfVersion
from peps_wps.readers.sentinel1_calibration import CalibrationTables, vector_lut
from peps_wps.readers.xml_document import (
    find_integer,
    find_numbers,
    find_text,
    parse_xml,
)
from peps_wps.xml_parsing import Element

logger = logging.getLogger(__name__)

# Before IPF 2.50 a table lacks the factor k_noise, and dn or dn**2 of the calibration with it.
_NOISE_FACTOR = {"IW": 75_088.7, "EW": 56_065.87}
_SCALED_SINCE = IpfVersion(2, 50)
_SQUARED_SINCE = IpfVersion(2, 34)


def parse_noise(
    data: bytes,
    name: str,
    *,
    mode: str,
    ipf_version: IpfVersion,
    calibration: CalibrationTables,
) -> NoiseLut | None:
    """Return the noise of an image, or None when its scale is not known.

    Parameters
    ----------
    mode, ipf_version
        Of the product: they decide how the tables of processors before 2.50 are scaled.
    calibration
        Its table "dn" scales them.
    """
    root = parse_xml(data, name)
    vectors = root.findall("noiseRangeVectorList/noiseRangeVector")
    if vectors:
        table = vector_lut(vectors, "noiseRangeLut", name)
    else:
        table = vector_lut(root.findall("noiseVectorList/noiseVector"), "noiseLut", name)
    is_zero = all(not value.any() for value in table.value)
    if ipf_version < _SCALED_SINCE and not is_zero:
        if mode not in _NOISE_FACTOR or "dn" not in calibration:
            logger.warning("%s: scale of the noise unknown for IPF %s %s", name, ipf_version, mode)
            return None
        exponent = 2 if ipf_version >= _SQUARED_SINCE else 1
        table = _scaled(table, _NOISE_FACTOR[mode], calibration["dn"], exponent)
    blocks = root.findall("noiseAzimuthVectorList/noiseAzimuthVector")
    return NoiseLut(
        range=table,
        azimuth=tuple(_azimuth_block(block, table, name) for block in blocks),
        is_zero=is_zero,
    )


def _scaled(table: VectorLut, factor: float, dn: VectorLut, exponent: int) -> VectorLut:
    """Return the table times factor and the dn calibration of the nearest vector, to a power."""
    nearest = [int(np.abs(dn.line - line).argmin()) for line in table.line]
    return replace(
        table,
        value=tuple(
            value * factor * np.interp(sample, dn.sample[index], dn.value[index]) ** exponent
            for sample, value, index in zip(table.sample, table.value, nearest, strict=True)
        ),
    )


def _azimuth_block(block: Element, table: VectorLut, name: str) -> AzimuthNoiseBlock:
    """Return one block; stripmap gives values for the whole image and no bounds."""
    line = find_numbers(block, "line", name)
    value = find_numbers(block, "noiseAzimuthLut", name)
    if line.size != value.size or line.size == 0 or (np.diff(line) <= 0).any():
        raise SafeError(f"{name} has {value.size} azimuth noise values on {line.size} lines")
    if block.find("firstAzimuthLine") is None:
        first_line, last_line = int(line[0]), int(line[-1])
        first_sample, last_sample = 0, int(max(sample[-1] for sample in table.sample))
    else:
        first_line = find_integer(block, "firstAzimuthLine", name)
        last_line = find_integer(block, "lastAzimuthLine", name)
        first_sample = find_integer(block, "firstRangeSample", name)
        last_sample = find_integer(block, "lastRangeSample", name)
    swath = "" if block.find("swath") is None else find_text(block, "swath", name)
    return AzimuthNoiseBlock(
        swath=swath,
        first_line=first_line,
        last_line=last_line,
        first_sample=first_sample,
        last_sample=last_sample,
        line=line,
        value=value,
    )
