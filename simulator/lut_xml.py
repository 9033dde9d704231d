"""Calibration and noise files of an image, in the formats of old and new processors."""

import numpy as np
from numpy.typing import NDArray

from simulator.product_xml import Image, header_xml, incidence_angle, numbers, utc_text
from simulator.terrain import Terrain

Float64 = NDArray[np.float64]

PIXEL_STEP = 40
AZIMUTH_KNOT_STEP = 10
CROSS_NOISE = 1.12  # cross-polarised channel over the co-polarised one


def calibration_xml(image: Image, terrain: Terrain) -> bytes:
    """Calibration vectors about every second, running past the last line.

    A_sigma = A_beta / sqrt(sin(theta)) and A_gamma = A_beta / sqrt(tan(theta)), theta at
    the mean height of the relief: the relation that real files follow.
    """
    frame, mode = image.frame, image.acquisition.order.mode
    step = max(round(mode.lut_step / frame.line_interval), 1)
    lines = np.arange(0, frame.lines + step, step, dtype=np.float64)
    pixels = np.unique(np.append(np.arange(0, frame.samples, PIXEL_STEP), frame.samples - 1))
    flat = Terrain(terrain.longitude, terrain.latitude, terrain.base, np.empty((0, 4)))
    incidence = incidence_angle(frame, lines, frame.ground(lines, pixels, flat))
    beta = np.full_like(incidence, mode.beta_constant)
    tables = {
        "sigmaNought": beta / np.sqrt(np.sin(incidence)),
        "betaNought": beta,
        "gamma": beta / np.sqrt(np.tan(incidence)),
        "dn": beta,
    }
    vectors = []
    for row, line in enumerate(lines):
        values = "".join(
            f'      <{name} count="{pixels.size}">{numbers(table[row], ".6e")}</{name}>\n'
            for name, table in tables.items()
        )
        vectors.append(f"""    <calibrationVector>
      <azimuthTime>{utc_text(image.acquisition.utc(frame.line_time(line)))}</azimuthTime>
      <line>{line:.0f}</line>
      <pixel count="{pixels.size}">{numbers(pixels, "d")}</pixel>
{values}    </calibrationVector>
""")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<calibration>\n'
        f"{header_xml(image)}  <calibrationInformation>\n"
        "    <absoluteCalibrationConstant>1.000000e+00</absoluteCalibrationConstant>\n"
        f'  </calibrationInformation>\n  <calibrationVectorList count="{len(vectors)}">\n'
        f"{''.join(vectors)}  </calibrationVectorList>\n</calibration>\n"
    ).encode()


def noise_xml(image: Image) -> bytes:
    """Noise vectors in the format of the image's processor."""
    form = image.acquisition.order.processor.noise_format
    name, value = (
        ("noiseRangeVector", "noiseRangeLut") if form == "blocks" else ("noiseVector", "noiseLut")
    )
    frame, mode = image.frame, image.acquisition.order.mode
    step = max(round(mode.lut_step / frame.line_interval), 1)
    lines = np.unique(np.append(np.arange(0, frame.lines, step), frame.lines - 1))
    pixels, power = _range_noise(image)
    scale = 0.0 if form == "zero" else CROSS_NOISE if image.polarization in {"VH", "HV"} else 1.0
    vectors = []
    for line in lines:
        swell = scale * (1.0 + 0.04 * np.sin(2 * np.pi * line / 9_000.0))
        vectors.append(f"""    <{name}>
      <azimuthTime>{utc_text(image.acquisition.utc(frame.line_time(line)))}</azimuthTime>
      <line>{line}</line>
      <pixel count="{pixels.size}">{numbers(pixels, "d")}</pixel>
      <{value} count="{pixels.size}">{numbers(swell * power, ".6e")}</{value}>
    </{name}>
""")
    body = f'  <{name}List count="{len(vectors)}">\n{"".join(vectors)}  </{name}List>\n'
    if form == "blocks":
        body += _azimuth_noise_xml(image)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<noise>\n{header_xml(image)}{body}</noise>\n'
    ).encode()


def _range_noise(image: Image) -> tuple[NDArray[np.int64], Float64]:
    """Return samples and noise power (DN**2) along range: a valley a swath, a step between."""
    mode, first = image.acquisition.order.mode, image.acquisition.first_sample
    pixels, power = [], []
    for swath, low, high in image.swath_bounds():
        here = np.unique(np.append(np.arange(low, high, PIXEL_STEP), high))
        share = ((here + first) / mode.samples - swath.start) / (swath.stop - swath.start)
        near, lowest, far = np.array(swath.noise) * mode.beta_constant**2
        edge = np.where(share < 0.6, near, far)
        depth = np.where(share < 0.6, 1 - share / 0.6, (share - 0.6) / 0.4)
        pixels.append(here)
        power.append(lowest + (edge - lowest) * depth**2)
    return np.concatenate(pixels), np.concatenate(power)


def _azimuth_noise_xml(image: Image) -> str:
    """Noise along azimuth: scalloping of each swath's bursts, none in stripmap."""
    frame, mode = image.frame, image.acquisition.order.mode
    period = mode.scalloping_s / frame.line_interval
    bounds = image.swath_bounds() if period > 0 else []
    last = frame.lines - 1
    line = np.unique(np.append(np.arange(0, frame.lines, AZIMUTH_KNOT_STEP), last))
    blocks = []
    for number, (swath, low, high) in enumerate(bounds):
        phase = (line / period + 0.31 * number) % 1.0
        value = 1.0 + (0.14 - 0.03 * number) * (2 * phase - 1) ** 2
        blocks.append(f"""    <noiseAzimuthVector>
      <swath>{swath.name}</swath>
      <firstAzimuthLine>0</firstAzimuthLine>
      <firstRangeSample>{low}</firstRangeSample>
      <lastAzimuthLine>{last}</lastAzimuthLine>
      <lastRangeSample>{high}</lastRangeSample>
      <line count="{line.size}">{numbers(line, "d")}</line>
      <noiseAzimuthLut count="{line.size}">{numbers(value, ".6e")}</noiseAzimuthLut>
    </noiseAzimuthVector>
""")
    return (
        f'  <noiseAzimuthVectorList count="{len(blocks)}">\n{"".join(blocks)}'
        "  </noiseAzimuthVectorList>\n"
    )
