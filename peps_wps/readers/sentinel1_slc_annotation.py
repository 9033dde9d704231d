"""The annotation of one swath of a Sentinel-1 TOPS SLC product: its bursts, as PEPS needs them.

Fields: Sentinel-1 Product Specification, S1-RS-MDA-52-7441, section 6.3.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from algorithms.interferometry.model import Burst, RangePolynomial, SpectralWindow
from algorithms.radar.grd import GeolocationGrid, StateVectors
from peps_wps.errors import SafeError
from peps_wps.readers.burst_id import relative_burst_id
from peps_wps.readers.sentinel1_annotation import (
    find_positive,
    geolocation_grid_of,
    seconds_since,
    state_vectors_of,
)
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

_LARGEST = 100_000  # lines of a burst or samples; real bursts have 1,518 and 26,395 at most
_MOST_BURSTS = 1_000
# Growth of the grid's times with two-way time, 0.5 or 0 but for their rounding.
_HALF_TOLD = 0.25


@dataclass(frozen=True)
class SwathAnnotation:
    """What the annotation of one swath says; times in seconds since the reader's epoch.

    Parameters
    ----------
    swath, polarization
        As in "IW2", "VV".
    bursts
        In the order of the image, from the top; their orbit is the annotation's own.
    grid
        Places of some pixels; its lines are those of the image.
    """

    swath: str
    polarization: str
    bursts: tuple[Burst, ...]
    grid: GeolocationGrid

    @property
    def lines(self) -> int:
        """Lines of the image: those of all bursts."""
        return sum(burst.lines for burst in self.bursts)

    @property
    def samples(self) -> int:
        """Samples of the image."""
        return self.bursts[0].samples


@dataclass(frozen=True)
class _Image:
    """What all bursts of a swath share."""

    name: str
    epoch: datetime
    swath: str
    relative_orbit: int
    node: datetime
    line_interval: float
    slant_range_time: float
    lines: int
    samples: int
    fm_rates: Sequence[RangePolynomial]
    doppler_centroids: Sequence[RangePolynomial]
    orbit: StateVectors
    information: Element
    processing: Element


def parse_slc_annotation(
    data: bytes, name: str, epoch: datetime, relative_orbit: int
) -> SwathAnnotation:
    """Return the annotation of a swath of bursts.

    Parameters
    ----------
    data, name
        The document, and what messages call it.
    epoch
        Zero of all times.
    relative_orbit
        From which burst identifiers are computed where the document has none.

    Raises
    ------
    SafeError
        When it is not one of a TOPS SLC image, or lacks what a burst needs.
    """
    root = parse_xml(data, name)
    kind = find_text(root, "adsHeader/productType", name)
    if kind != "SLC":
        raise SafeError(f"{name} is of a {printable(kind)} image, SLC expected")
    elements = root.findall("swathTiming/burstList/burst")
    if not 1 <= len(elements) <= _MOST_BURSTS:
        raise SafeError(f"{name} has {len(elements)} bursts, 1 to {_MOST_BURSTS} expected")
    image = _image(root, name, epoch, relative_orbit)
    stated = find_integer(root, "imageAnnotation/imageInformation/numberOfLines", name)
    if stated != len(elements) * image.lines:
        raise SafeError(
            f"{name} has {stated} lines, {len(elements)} bursts of {image.lines} lines expected"
        )
    bursts = tuple(_burst(element, image) for element in elements)
    if any(after.azimuth_time <= before.azimuth_time for before, after in pairwise(bursts)):
        raise SafeError(f"{name} has bursts that are not in the order of time")
    grid = geolocation_grid_of(root, name, epoch)
    bistatic_time = _bistatic_time(grid, bursts)
    return SwathAnnotation(
        swath=image.swath,
        polarization=find_text(root, "adsHeader/polarisation", name).upper(),
        bursts=tuple(replace(burst, bistatic_time=bistatic_time) for burst in bursts),
        grid=grid,
    )


def _bistatic_time(grid: GeolocationGrid, bursts: Sequence[Burst]) -> float | None:
    """Return the two-way time at which lines have the time of zero Doppler; None if all have.

    The processor corrects the motion between sending and receiving for one range, and the grid
    tells the rest: its times grow by half of the two-way time.
    """
    lines = bursts[0].lines
    number = np.minimum(grid.line.astype(int) // lines, len(bursts) - 1)
    starts = np.array([burst.azimuth_time for burst in bursts])
    time = starts[number] + (grid.line - number * lines) * bursts[0].azimuth_time_interval
    late = grid.azimuth_time - time
    slope = np.polyfit(
        (grid.slant_range_time - grid.slant_range_time.mean()).ravel(), late.ravel(), 1
    )
    # The slope is half or nothing; that found of a narrow image is spoilt by the rounding of times.
    if slope[0] < _HALF_TOLD:
        return None
    return float((grid.slant_range_time - 2 * late).mean())


def _image(root: Element, name: str, epoch: datetime, relative_orbit: int) -> _Image:
    image = find(root, "imageAnnotation/imageInformation", name)
    timing = find(root, "swathTiming", name)
    lines = find_integer(timing, "linesPerBurst", name)
    samples = find_integer(timing, "samplesPerBurst", name)
    if not (1 <= lines <= _LARGEST and 1 <= samples <= _LARGEST):
        raise SafeError(
            f"{name} has bursts of {lines} lines and {samples} samples, "
            f"1 to {_LARGEST} of each expected"
        )
    processing = "imageAnnotation/processingInformation/swathProcParamsList/swathProcParams"
    return _Image(
        name=name,
        epoch=epoch,
        swath=find_text(root, "adsHeader/swath", name).upper(),
        relative_orbit=relative_orbit,
        node=find_time(image, "ascendingNodeTime", name),
        line_interval=find_positive(image, "azimuthTimeInterval", name),
        slant_range_time=find_positive(image, "slantRangeTime", name),
        lines=lines,
        samples=samples,
        fm_rates=_fm_rates(root, name, epoch),
        doppler_centroids=_doppler_centroids(root, name, epoch),
        orbit=state_vectors_of(root, name, epoch),
        information=find(root, "generalAnnotation/productInformation", name),
        processing=find(root, processing, name),
    )


def _burst(element: Element, image: _Image) -> Burst:
    name = image.name
    time = seconds_since(image.epoch, find_time(element, "azimuthTime", name))
    centre = time + 0.5 * image.lines * image.line_interval
    steering = find_number(image.information, "azimuthSteeringRate", name)
    first, last = _valid_samples(element, image)
    return Burst(
        swath=image.swath,
        burst_id=_burst_id(element, image),
        azimuth_time=time,
        azimuth_time_interval=image.line_interval,
        slant_range_time=image.slant_range_time,
        range_sampling_rate=find_positive(image.information, "rangeSamplingRate", name),
        lines=image.lines,
        samples=image.samples,
        first_valid_sample=first,
        last_valid_sample=last,
        fm_rate=_nearest(image.fm_rates, centre),
        doppler_centroid=_nearest(image.doppler_centroids, centre),
        azimuth_steering_rate=float(np.radians(steering)),
        radar_frequency=find_positive(image.information, "radarFrequency", name),
        orbit=image.orbit,
        azimuth_window=_window(image.processing, "azimuthProcessing", name),
        range_window=_window(image.processing, "rangeProcessing", name),
    )


def _burst_id(element: Element, image: _Image) -> int:
    """Return the identifier that is written (IPF 3.40 and later), else the computed one."""
    if element.find("burstId") is not None:
        return find_integer(element, "burstId", image.name)
    since_node = (find_time(element, "sensingTime", image.name) - image.node) / timedelta(seconds=1)
    try:
        return relative_burst_id(image.swath, since_node, image.relative_orbit)
    except ValueError as error:
        raise SafeError(f"{image.name} has no burst of TOPS: {printable(str(error))}") from error


def _valid_samples(element: Element, image: _Image) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return first and last valid sample of each line, -1 for both where there is none."""
    bounds = []
    for path in ("firstValidSample", "lastValidSample"):
        values = find_numbers(element, path, image.name)
        if values.size != image.lines:
            raise SafeError(
                f"{image.name} has {path} for {values.size} lines, {image.lines} expected"
            )
        if values.min() < -1 or values.max() >= image.samples:
            raise SafeError(f"{image.name} has {path} outside -1 to {image.samples - 1}")
        bounds.append(values.astype(np.int32))
    first, last = bounds
    is_empty = (first < 0) | (last < first)
    first[is_empty] = last[is_empty] = -1
    return first, last


def _fm_rates(root: Element, name: str, epoch: datetime) -> list[RangePolynomial]:
    records = root.findall("generalAnnotation/azimuthFmRateList/azimuthFmRate")
    if not records:
        raise SafeError(f"{name} has no azimuthFmRate")
    return [
        _polynomial(record, "azimuthFmRatePolynomial", name, epoch)
        if record.find("azimuthFmRatePolynomial") is not None
        else _separate_polynomial(record, name, epoch)
        for record in records
    ]


def _separate_polynomial(record: Element, name: str, epoch: datetime) -> RangePolynomial:
    """Return an FM rate as processors before IPF 2.43 write it: an element a coefficient."""
    return RangePolynomial(
        azimuth_time=seconds_since(epoch, find_time(record, "azimuthTime", name)),
        t0=find_number(record, "t0", name),
        coefficients=np.array([find_number(record, path, name) for path in ("c0", "c1", "c2")]),
    )


def _doppler_centroids(root: Element, name: str, epoch: datetime) -> list[RangePolynomial]:
    records = root.findall("dopplerCentroid/dcEstimateList/dcEstimate")
    if not records:
        raise SafeError(f"{name} has no dcEstimate")
    return [_polynomial(record, "dataDcPolynomial", name, epoch) for record in records]


def _polynomial(record: Element, path: str, name: str, epoch: datetime) -> RangePolynomial:
    coefficients = find_numbers(record, path, name)
    if not 1 <= coefficients.size <= 10:
        raise SafeError(f"{name} has {coefficients.size} values in {path}, 1 to 10 expected")
    return RangePolynomial(
        azimuth_time=seconds_since(epoch, find_time(record, "azimuthTime", name)),
        t0=find_number(record, "t0", name),
        coefficients=coefficients,
    )


def _nearest(records: Sequence[RangePolynomial], time: float) -> RangePolynomial:
    return min(records, key=lambda record: abs(record.azimuth_time - time))


def _window(processing: Element, path: str, name: str) -> SpectralWindow:
    """Return the processed band; any window but Hamming's counts as flat."""
    band = find(processing, path, name)
    hamming = 1.0
    if find_text(band, "windowType", name).lower() == "hamming":
        hamming = find_number(band, "windowCoefficient", name)
    return SpectralWindow(find_positive(band, "processingBandwidth", name), hamming)
