"""What the simulator needs of an annotation, calibration and noise file, real or its own.

Both kinds of product go through here before a pixel is made, so a scene from scratch is simulated
from the rounded numbers that its files state, exactly as a scene from real metadata.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from simulator.orbit import Trajectory

Float64 = NDArray[np.float64]
Element = etree._Element  # lxml has no public name for its elements


@dataclass(frozen=True)
class GroundRange:
    """Records that turn ground range into slant range, one about every second.

    `time` in seconds since the epoch, shape (n,); `origin` (gr0) in metres, shape (n,);
    `coefficients` of slant range in ascending powers of ground range, shape (n, degree + 1).
    """

    time: Float64
    origin: Float64
    coefficients: Float64


@dataclass(frozen=True)
class Grid:
    """The geolocation grid, all of shape (points,): indices, seconds, radians and metres."""

    line: Float64
    sample: Float64
    azimuth_time: Float64
    slant_range_time: Float64
    longitude: Float64
    latitude: Float64
    height: Float64


@dataclass(frozen=True)
class Annotation:
    """One image of a GRD product: its frame in time and range, orbit and geolocation grid."""

    epoch: datetime
    platform: str
    mode: str
    polarization: str
    first_line_time: float
    line_interval: float
    range_spacing: float
    lines: int
    samples: int
    trajectory: Trajectory
    ground_range: GroundRange
    grid: Grid


@dataclass(frozen=True)
class Table:
    """Values along range at some lines: `line` (n,), and `sample`, `value` of each line."""

    line: Float64
    sample: tuple[Float64, ...]
    value: tuple[Float64, ...]

    def vectors(self, samples: int) -> NDArray[np.float32]:
        """Each vector interpolated at every sample, shape (n, samples)."""
        every = np.arange(samples, dtype=np.float64)
        return np.stack(
            [
                np.interp(every, where, value).astype(np.float32)
                for where, value in zip(self.sample, self.value, strict=True)
            ]
        )


@dataclass(frozen=True)
class NoiseBlock:
    """Noise along azimuth in one block of a swath; bounds are inclusive."""

    first_line: int
    last_line: int
    first_sample: int
    last_sample: int
    line: Float64
    value: Float64


@dataclass(frozen=True)
class Radiometry:
    """Calibration tables by name (sigmaNought, betaNought, gamma) and noise power in DN**2."""

    calibration: dict[str, Table]
    noise: Table
    noise_blocks: tuple[NoiseBlock, ...]


def parse_annotation(content: bytes, epoch: datetime | None = None) -> Annotation:
    """Read an annotation file; times count from `epoch`, by default its first line's midnight."""
    root = _root(content)
    image = _find(root, "imageAnnotation/imageInformation")
    first_line = _utc(_text(image, "productFirstLineUtcTime"))
    epoch = epoch or first_line.replace(hour=0, minute=0, second=0, microsecond=0)
    return Annotation(
        epoch=epoch,
        platform=_text(root, "adsHeader/missionId"),
        mode=_text(root, "adsHeader/mode"),
        polarization=_text(root, "adsHeader/polarisation"),
        first_line_time=(first_line - epoch).total_seconds(),
        line_interval=float(_text(image, "azimuthTimeInterval")),
        range_spacing=float(_text(image, "rangePixelSpacing")),
        lines=int(_text(image, "numberOfLines")),
        samples=int(_text(image, "numberOfSamples")),
        trajectory=_trajectory(root, epoch),
        ground_range=_ground_range(root, epoch),
        grid=_grid(root, epoch),
    )


def parse_radiometry(calibration: bytes, noise: bytes) -> Radiometry:
    """Read a calibration file and a noise file of either format."""
    root = _root(calibration)
    vectors = root.findall("calibrationVectorList/calibrationVector")
    tables = {name: _table(vectors, name) for name in ("sigmaNought", "betaNought", "gamma")}
    root = _root(noise)
    along_range = root.findall("noiseRangeVectorList/noiseRangeVector")
    if along_range:
        table = _table(along_range, "noiseRangeLut")
    else:  # before IPF 2.90
        table = _table(root.findall("noiseVectorList/noiseVector"), "noiseLut")
    blocks = root.findall("noiseAzimuthVectorList/noiseAzimuthVector")
    return Radiometry(tables, table, tuple(_noise_block(block) for block in blocks))


def _root(content: bytes) -> Element:
    """Return the root of a document; entities and comments are left out, nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    return etree.fromstring(content, parser)


def _find(element: Element, path: str) -> Element:
    """Return the element at a path that must exist."""
    found = element.find(path)
    if found is None:
        raise ValueError(f"no {path} in the {element.tag} file")
    return found


def _text(element: Element, path: str) -> str:
    """Text of an element that must exist."""
    return (_find(element, path).text or "").strip()


def _utc(text: str) -> datetime:
    """Time of the annotation, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _seconds(elements: Sequence[Element], path: str, epoch: datetime) -> Float64:
    """Return times of some elements in seconds since the epoch."""
    return np.array([(_utc(_text(item, path)) - epoch).total_seconds() for item in elements])


def _numbers(elements: Sequence[Element], path: str) -> Float64:
    """One number of each element."""
    return np.array([float(_text(item, path)) for item in elements])


def _list(element: Element, path: str) -> Float64:
    """Numbers of a list element."""
    return np.array(_text(element, path).split(), dtype=np.float64)


def _trajectory(root: Element, epoch: datetime) -> Trajectory:
    """State vectors of the annotation."""
    orbits = root.findall("generalAnnotation/orbitList/orbit")
    vectors = {
        kind: np.column_stack([_numbers(orbits, f"{kind}/{axis}") for axis in "xyz"])
        for kind in ("position", "velocity")
    }
    return Trajectory(_seconds(orbits, "time", epoch), vectors["position"], vectors["velocity"])


def _ground_range(root: Element, epoch: datetime) -> GroundRange:
    """Coordinate conversion records."""
    records = root.findall("coordinateConversion/coordinateConversionList/coordinateConversion")
    return GroundRange(
        _seconds(records, "azimuthTime", epoch),
        _numbers(records, "gr0"),
        np.stack([_list(record, "grsrCoefficients") for record in records]),
    )


def _grid(root: Element, epoch: datetime) -> Grid:
    """Geolocation grid points."""
    points = root.findall("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    return Grid(
        line=_numbers(points, "line"),
        sample=_numbers(points, "pixel"),
        azimuth_time=_seconds(points, "azimuthTime", epoch),
        slant_range_time=_numbers(points, "slantRangeTime"),
        longitude=np.radians(_numbers(points, "longitude")),
        latitude=np.radians(_numbers(points, "latitude")),
        height=_numbers(points, "height"),
    )


def _table(vectors: Sequence[Element], name: str) -> Table:
    """Look-up table of some vectors."""
    return Table(
        line=_numbers(vectors, "line"),
        sample=tuple(_list(vector, "pixel") for vector in vectors),
        value=tuple(_list(vector, name) for vector in vectors),
    )


def _noise_block(block: Element) -> NoiseBlock:
    """Noise along azimuth of one block."""
    return NoiseBlock(
        first_line=int(_text(block, "firstAzimuthLine")),
        last_line=int(_text(block, "lastAzimuthLine")),
        first_sample=int(_text(block, "firstRangeSample")),
        last_sample=int(_text(block, "lastRangeSample")),
        line=_list(block, "line"),
        value=_list(block, "noiseAzimuthLut"),
    )
