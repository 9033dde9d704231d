"""The annotation of one Sentinel-1 image: timing, orbit, ground range, geolocation grid.

Fields: Sentinel-1 Product Specification, S1-RS-MDA-52-7441, section 6.3.1.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from algorithms.radar.grd import GeolocationGrid, GroundRangeRecords, StateVectors
from peps_wps.errors import SafeError
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import (
    find,
    find_integer,
    find_number,
    find_numbers,
    find_text,
    find_time,
    parse_xml,
)
from peps_wps.xml_parsing import Element

Float64 = NDArray[np.float64]
_LARGEST = 1_000_000  # lines or samples; real images have up to 40,000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ImageAnnotation:
    """What the annotation file of one image says; times in seconds since the reader's epoch."""

    polarization: str
    first_line_time: float
    line_interval: float
    range_spacing: float
    lines: int
    samples: int
    state_vectors: StateVectors
    ground_range: GroundRangeRecords
    grid: GeolocationGrid


def seconds_since(epoch: datetime, instant: datetime) -> float:
    """Return the seconds from `epoch` to `instant`, exact to the microsecond of the annotation."""
    return ((instant - epoch) // _MICROSECOND) / 1e6


def parse_annotation(data: bytes, name: str, epoch: datetime) -> ImageAnnotation:
    """Return the annotation of a ground range image; raise SafeError for any other."""
    root = parse_xml(data, name)
    projection = find_text(root, "generalAnnotation/productInformation/projection", name)
    if projection != "Ground Range":
        raise SafeError(f"{name} is in {printable(projection)}, Ground Range expected")
    image = find(root, "imageAnnotation/imageInformation", name)
    lines = find_integer(image, "numberOfLines", name)
    samples = find_integer(image, "numberOfSamples", name)
    if not (1 <= lines <= _LARGEST and 1 <= samples <= _LARGEST):
        raise SafeError(
            f"{name} has {lines} lines of {samples} samples, 1 to {_LARGEST} of each expected"
        )
    return ImageAnnotation(
        polarization=find_text(root, "adsHeader/polarisation", name).upper(),
        first_line_time=seconds_since(epoch, find_time(image, "productFirstLineUtcTime", name)),
        line_interval=find_positive(image, "azimuthTimeInterval", name),
        range_spacing=find_positive(image, "rangePixelSpacing", name),
        lines=lines,
        samples=samples,
        state_vectors=state_vectors_of(root, name, epoch),
        ground_range=_ground_range(root, name, epoch),
        grid=geolocation_grid_of(root, name, epoch),
    )


def find_positive(parent: Element, path: str, name: str) -> float:
    """Return the number at `path`, which must be more than 0."""
    value = find_number(parent, path, name)
    if value <= 0:
        raise SafeError(f"{name} has {path} {value}, more than 0 expected")
    return value


def state_vectors_of(root: Element, name: str, epoch: datetime) -> StateVectors:
    """Return the orbit of any annotation; raise SafeError where it is not Earth fixed."""
    orbits = root.findall("generalAnnotation/orbitList/orbit")
    if len(orbits) < 4:
        raise SafeError(f"{name} has {len(orbits)} orbit vectors, at least 4 expected")
    for orbit in orbits:
        frame = find_text(orbit, "frame", name)
        if frame != "Earth Fixed":
            raise SafeError(
                f"{name} has orbit vectors in the frame {printable(frame)}, Earth Fixed expected"
            )
    return StateVectors(
        time=_increasing(_times(orbits, "time", name, epoch), "orbit vectors", name),
        position=_vectors(orbits, "position", name),
        velocity=_vectors(orbits, "velocity", name),
    )


def _vectors(orbits: list[Element], kind: str, name: str) -> Float64:
    return np.array([[find_number(o, f"{kind}/{axis}", name) for axis in "xyz"] for o in orbits])


def _ground_range(root: Element, name: str, epoch: datetime) -> GroundRangeRecords:
    records = root.findall("coordinateConversion/coordinateConversionList/coordinateConversion")
    if not records:
        raise SafeError(f"{name} has no coordinate conversion from slant to ground range")
    return GroundRangeRecords(
        azimuth_time=_increasing(
            _times(records, "azimuthTime", name, epoch), "coordinate conversions", name
        ),
        ground_range_origin=np.array([find_number(r, "gr0", name) for r in records]),
        slant_range_origin=np.array([find_number(r, "sr0", name) for r in records]),
        slant_to_ground=_coefficients(records, "srgrCoefficients", name),
        ground_to_slant=_coefficients(records, "grsrCoefficients", name),
    )


def _coefficients(records: list[Element], path: str, name: str) -> Float64:
    """Return polynomials of one degree; a shorter one is completed with zeros."""
    polynomials = [find_numbers(record, path, name) for record in records]
    if min(polynomial.size for polynomial in polynomials) < 2:
        raise SafeError(f"{name} has {path} of degree 0, at least 1 expected")
    out = np.zeros((len(records), max(polynomial.size for polynomial in polynomials)))
    for row, polynomial in zip(out, polynomials, strict=True):
        row[: polynomial.size] = polynomial
    return out


def geolocation_grid_of(root: Element, name: str, epoch: datetime) -> GeolocationGrid:
    """Return the geolocation grid of any annotation."""
    path = "geolocationGrid/geolocationGridPointList/geolocationGridPoint"
    points = root.findall(path)
    line = _column(points, "line", name)
    rows = np.unique(line).size
    if rows < 2 or len(points) % rows or len(points) < 2 * rows:
        raise SafeError(
            f"{name} has {len(points)} geolocation points on {rows} lines, a grid expected"
        )
    sample = _column(points, "pixel", name)
    order = np.lexsort((sample, line))

    def grid(values: Float64) -> Float64:
        return values[order].reshape(rows, -1)

    return GeolocationGrid(
        line=grid(line),
        sample=grid(sample),
        azimuth_time=grid(_times(points, "azimuthTime", name, epoch)),
        slant_range_time=grid(_column(points, "slantRangeTime", name)),
        latitude=grid(np.radians(_column(points, "latitude", name))),
        longitude=grid(np.radians(_column(points, "longitude", name))),
        height=grid(_column(points, "height", name)),
        incidence_angle=grid(np.radians(_column(points, "incidenceAngle", name))),
    )


def _column(elements: list[Element], path: str, name: str) -> Float64:
    return np.array([find_number(element, path, name) for element in elements])


def _times(elements: list[Element], path: str, name: str, epoch: datetime) -> Float64:
    return np.array([seconds_since(epoch, find_time(element, path, name)) for element in elements])


def _increasing(times: Float64, what: str, name: str) -> Float64:
    if (np.diff(times) <= 0).any():
        raise SafeError(f"{name} has {what} that are not in the order of time")
    return times
