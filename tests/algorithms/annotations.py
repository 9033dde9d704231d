"""Reads the annotation of a real product for the tests, without the readers of the service."""

import xml.etree.ElementTree as ET
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from algorithms.radar.grd import (
    AzimuthNoiseBlock,
    GeolocationGrid,
    GrdAnnotation,
    GroundRangeRecords,
    NoiseLut,
    StateVectors,
    VectorLut,
)

TABLES = {"sigma0": "sigmaNought", "beta0": "betaNought", "gamma0": "gamma", "dn": "dn"}


def numbers(text):
    return np.array(text.split(), dtype=float)


def seconds(text, epoch):
    instant = datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    return (instant - epoch).total_seconds()


def column(nodes, name, convert=float):
    return np.array([convert(node.findtext(name)) for node in nodes])


def records(root, epoch):
    nodes = root.findall("coordinateConversion/coordinateConversionList/coordinateConversion")
    return GroundRangeRecords(
        azimuth_time=column(nodes, "azimuthTime", lambda text: seconds(text, epoch)),
        ground_range_origin=column(nodes, "gr0"),
        slant_range_origin=column(nodes, "sr0"),
        slant_to_ground=np.array([numbers(n.findtext("srgrCoefficients")) for n in nodes]),
        ground_to_slant=np.array([numbers(n.findtext("grsrCoefficients")) for n in nodes]),
    )


def vectors(root, epoch):
    nodes = root.findall("generalAnnotation/orbitList/orbit")
    return StateVectors(
        time=column(nodes, "time", lambda text: seconds(text, epoch)),
        position=np.stack([column(nodes, f"position/{axis}") for axis in "xyz"], axis=1),
        velocity=np.stack([column(nodes, f"velocity/{axis}") for axis in "xyz"], axis=1),
    )


def geolocation_grid(root, epoch):
    nodes = root.findall("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    rows = len({node.findtext("line") for node in nodes})

    def field(name, convert=float):
        return column(nodes, name, convert).reshape(rows, -1)

    return GeolocationGrid(
        line=field("line"),
        sample=field("pixel"),
        azimuth_time=field("azimuthTime", lambda text: seconds(text, epoch)),
        slant_range_time=field("slantRangeTime"),
        latitude=np.radians(field("latitude")),
        longitude=np.radians(field("longitude")),
        height=field("height"),
        incidence_angle=np.radians(field("incidenceAngle")),
    )


def vector_lut(nodes, value):
    return VectorLut(
        line=column(nodes, "line"),
        sample=tuple(numbers(node.findtext("pixel")) for node in nodes),
        value=tuple(numbers(node.findtext(value)) for node in nodes),
    )


def noise_lut(root):
    nodes = root.findall("noiseRangeVectorList/noiseRangeVector")
    lut = vector_lut(nodes, "noiseRangeLut") if nodes else None
    if lut is None:
        lut = vector_lut(root.findall("noiseVectorList/noiseVector"), "noiseLut")
    blocks = []
    for node in root.findall("noiseAzimuthVectorList/noiseAzimuthVector"):
        bounds = [
            int(node.findtext(name))
            for name in (
                "firstAzimuthLine",
                "lastAzimuthLine",
                "firstRangeSample",
                "lastRangeSample",
            )
        ]
        line, value = numbers(node.findtext("line")), numbers(node.findtext("noiseAzimuthLut"))
        blocks.append(AzimuthNoiseBlock(node.findtext("swath"), *bounds, line, value))
    is_zero = not any(np.any(value) for value in lut.value)
    return NoiseLut(range=lut, azimuth=tuple(blocks), is_zero=is_zero)


def member(archive, names, polarization, prefix):
    for name in names:
        file = name.rsplit("/", 1)[-1]
        if file.startswith(prefix) and f"-{polarization}" in file:
            return ET.fromstring(archive.read(name))
    return None


def read_annotation(path: Path, polarization=None, epoch=None) -> tuple[GrdAnnotation, float]:
    """Return the annotation of a SAFE zip and its processor version."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xml")]
        plain = [n for n in names if n.split("/")[-2] == "annotation"]
        if polarization is None:
            polarization = "vv" if any("-vv" in name for name in plain) else "hh"
        root = ET.fromstring(archive.read(next(n for n in plain if f"-{polarization}" in n)))
        calibration = member(archive, names, polarization, "calibration-")
        noise = member(archive, names, polarization, "noise-")
        manifest = next(n for n in archive.namelist() if n.endswith("manifest.safe"))
        text = archive.read(manifest).decode()
    start = root.findtext("adsHeader/startTime")
    epoch = epoch or datetime.fromisoformat(start[:19]).replace(tzinfo=UTC)
    image = root.find("imageAnnotation/imageInformation")
    luts = {}
    if calibration is not None:
        nodes = calibration.findall("calibrationVectorList/calibrationVector")
        luts = {name: vector_lut(nodes, tag) for name, tag in TABLES.items()}
    annotation = GrdAnnotation(
        first_line_time=seconds(image.findtext("productFirstLineUtcTime"), epoch),
        line_interval=float(image.findtext("azimuthTimeInterval")),
        range_spacing=float(image.findtext("rangePixelSpacing")),
        lines=int(image.findtext("numberOfLines")),
        samples=int(image.findtext("numberOfSamples")),
        state_vectors=vectors(root, epoch),
        ground_range=records(root, epoch),
        grid=geolocation_grid(root, epoch),
        calibration=luts,
        noise=noise_lut(noise) if noise is not None else None,
    )
    version = text.split("Sentinel-1 IPF")[1].split('version="')[1][:6]
    return annotation, float(version.strip('"'))
