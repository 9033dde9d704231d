"""Annotation and calibration files of one swath of an SLC product, as ESA's processor writes them.

Structure: Sentinel-1 Product Specification, S1-RS-MDA-52-7441; the parts that describe the image.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from algorithms.constants import WGS84_SEMI_MAJOR
from simulator.ellipsoid import SEMI_MINOR, cartesian
from simulator.product_xml import heading, numbers, utc_text, xyz
from simulator.tops.doppler import BurstDoppler, Record
from simulator.tops.focus import SCALE
from simulator.tops.geometry import Nodes, ground_nodes
from simulator.tops.instrument import RADAR_FREQUENCY
from simulator.tops.plan import PassFrame, SwathFrame

Float64 = NDArray[np.float64]

GRID_COLUMNS = 21


@dataclass(frozen=True)
class SwathImage:
    """One image of a product: its pass, swath, polarisation and number, and what its bursts state.

    `first_pixel` is the byte of the measurement at which its pixels begin.
    """

    seen_by: PassFrame
    frame: SwathFrame
    polarization: str
    number: int
    dopplers: tuple[BurstDoppler, ...]
    first_pixel: int = 0

    @property
    def start(self) -> datetime:
        """Time of the first line."""
        return self.seen_by.utc(self.frame.bursts[0].azimuth_time)

    @property
    def stop(self) -> datetime:
        """Time of the last line."""
        return self.seen_by.utc(self.frame.last_time)

    @property
    def stem(self) -> str:
        """Name of the files of the image, without prefix and extension."""
        flown = self.seen_by
        return (
            f"{flown.satellite.name}-{self.frame.swath.name}-slc-{self.polarization}-"
            f"{self.start:%Y%m%dT%H%M%S}-{self.stop:%Y%m%dT%H%M%S}-"
            f"{flown.absolute_orbit:06d}-{flown.datatake:06x}-{self.number:03d}"
        ).lower()

    def grid(self) -> Nodes:
        """Places of the annotation's grid: first lines of bursts, and the end."""
        frame = self.frame
        origin = frame.bursts[0].azimuth_time
        first = np.array([burst.azimuth_time for burst in frame.bursts])
        line = (np.append(first, frame.last_time) - origin) / frame.line_interval
        step = -(-frame.samples // (GRID_COLUMNS - 1))
        sample = np.unique(np.minimum(np.arange(GRID_COLUMNS) * step, frame.samples - 1.0))
        terrain = self.seen_by.order.scene.terrain
        return ground_nodes(self.seen_by, frame, terrain, line, sample)

    def grid_lines(self) -> Float64:
        """Lines of the grid in the image, which holds the bursts below each other."""
        count = len(self.frame.bursts)
        return np.append(np.arange(count) * self.frame.lines, count * self.frame.lines - 1.0)


def annotation_xml(image: SwathImage, nodes: Nodes) -> bytes:
    """Annotation of an image whose grid has its places at `nodes`."""
    incidence = incidence_angle(image, nodes)
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n<product>\n',
            _header_xml(image),
            _general_xml(image),
            _image_xml(image, float(np.degrees(incidence).mean())),
            _centroids_xml(image),
            _timing_xml(image),
            _grid_xml(image, nodes, incidence),
            '  <coordinateConversion><coordinateConversionList count="0"/></coordinateConversion>\n'
            '  <swathMerging><swathMergeList count="0"/></swathMerging>\n</product>\n',
        )
    ).encode()


def incidence_angle(image: SwathImage, nodes: Nodes) -> Float64:
    """Angle between the ray and the geocentric radius, radians: that is what real grids state."""
    time = image.frame.bursts[0].azimuth_time + nodes.line * image.frame.line_interval
    antenna = image.seen_by.trajectory.position_at(time)
    place = cartesian(nodes.longitude, nodes.latitude, nodes.height)
    ray = antenna[:, None, :] - place
    lengths = np.linalg.norm(ray, axis=-1) * np.linalg.norm(place, axis=-1)
    return np.asarray(np.arccos((ray * place).sum(axis=-1) / lengths))


def calibration_xml(image: SwathImage, nodes: Nodes) -> bytes:
    """Calibration vectors: the scale of digital numbers is that of gamma nought everywhere."""
    incidence = incidence_angle(image, nodes)
    tables = {
        "sigmaNought": SCALE / np.sqrt(np.cos(incidence)),
        "betaNought": SCALE * np.sqrt(np.tan(incidence)),
        "gamma": np.full_like(incidence, SCALE),
        "dn": np.full_like(incidence, SCALE),
    }
    vectors = []
    for row, (line, time) in enumerate(
        zip(image.grid_lines(), _node_times(image, nodes), strict=True)
    ):
        values = "".join(
            f'      <{name} count="{nodes.sample.size}">{numbers(table[row], ".6e")}</{name}>\n'
            for name, table in tables.items()
        )
        vectors.append(f"""    <calibrationVector>
      <azimuthTime>{utc_text(image.seen_by.utc(time))}</azimuthTime>
      <line>{line:.0f}</line>
      <pixel count="{nodes.sample.size}">{numbers(nodes.sample, ".0f")}</pixel>
{values}    </calibrationVector>
""")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<calibration>\n'
        f"{_header_xml(image)}  <calibrationInformation>\n"
        "    <absoluteCalibrationConstant>1.000000e+00</absoluteCalibrationConstant>\n"
        f'  </calibrationInformation>\n  <calibrationVectorList count="{len(vectors)}">\n'
        f"{''.join(vectors)}  </calibrationVectorList>\n</calibration>\n"
    ).encode()


def _node_times(image: SwathImage, nodes: Nodes) -> Float64:
    return image.frame.bursts[0].azimuth_time + nodes.line * image.frame.line_interval


def _header_xml(image: SwathImage) -> str:
    """`adsHeader` that the files of an image share."""
    return f"""  <adsHeader>
    <missionId>{image.seen_by.satellite.name}</missionId>
    <productType>SLC</productType>
    <polarisation>{image.polarization}</polarisation>
    <mode>{image.seen_by.order.mode.name}</mode>
    <swath>{image.frame.swath.name}</swath>
    <startTime>{utc_text(image.start)}</startTime>
    <stopTime>{utc_text(image.stop)}</stopTime>
    <absoluteOrbitNumber>{image.seen_by.absolute_orbit}</absoluteOrbitNumber>
    <missionDataTakeId>{image.seen_by.datatake}</missionDataTakeId>
    <imageNumber>{image.number:03d}</imageNumber>
  </adsHeader>
"""


def _general_xml(image: SwathImage) -> str:
    """`generalAnnotation`: pass, instrument, orbit and azimuth FM rates."""
    flown, frame = image.seen_by, image.frame
    stated = flown.annotated_trajectory
    middle = 0.5 * (flown.start_time + flown.stop_time)
    direction = heading(stated.position_at(middle), stated.velocity_at(middle))
    return f"""  <generalAnnotation>
    <productInformation>
      <pass>{"Ascending" if flown.order.ascending else "Descending"}</pass>
      <timelinessCategory>Fast-24h</timelinessCategory>
      <platformHeading>{np.degrees(direction):.15e}</platformHeading>
      <projection>Slant Range</projection>
      <rangeSamplingRate>{frame.sampling_rate:.15e}</rangeSamplingRate>
      <radarFrequency>{RADAR_FREQUENCY:.15e}</radarFrequency>
      <azimuthSteeringRate>{frame.swath.steering_rate_deg:.15e}</azimuthSteeringRate>
    </productInformation>
    <orbitList count="{stated.time.size}">
{_orbits_xml(flown)}    </orbitList>
    <azimuthFmRateList count="{len(image.dopplers)}">
{_fm_rates_xml(image)}    </azimuthFmRateList>
  </generalAnnotation>
"""


def _orbits_xml(flown: PassFrame) -> str:
    """`orbitList`: the state vectors that are stated."""
    stated = flown.annotated_trajectory
    return "".join(
        f"""      <orbit>
        <time>{utc_text(flown.utc(time))}</time>
        <frame>Earth Fixed</frame>
        <position>{xyz(position)}</position>
        <velocity>{xyz(velocity)}</velocity>
      </orbit>
"""
        for time, position, velocity in zip(
            stated.time, stated.position, stated.velocity, strict=True
        )
    )


def _fm_rates_xml(image: SwathImage) -> str:
    """`azimuthFmRateList`: a record a burst."""
    flown = image.seen_by
    return "".join(
        f"""      <azimuthFmRate>
        <azimuthTime>{utc_text(flown.utc(doppler.fm_rate.azimuth_time))}</azimuthTime>
        <t0>{doppler.fm_rate.t0:.15e}</t0>
        {_fm_rate_xml(doppler.fm_rate, flown.order.processor)}
      </azimuthFmRate>
"""
        for doppler in image.dopplers
    )


def _fm_rate_xml(record: Record, processor: str) -> str:
    """Return the coefficients as the version of the processor writes them."""
    major, minor = (int(part) for part in processor.split("."))
    if (major, minor) < (2, 43):
        return "".join(f"<c{k}>{c:.15e}</c{k}>" for k, c in enumerate(record.coefficients))
    return (
        f'<azimuthFmRatePolynomial count="{len(record.coefficients)}">'
        f"{numbers(record.coefficients, '.15e')}</azimuthFmRatePolynomial>"
    )


def _image_xml(image: SwathImage, incidence_deg: float) -> str:
    """`imageAnnotation`: size, spacing, timing and what the processor did."""
    flown, frame = image.seen_by, image.frame
    return f"""  <imageAnnotation>
    <imageInformation>
      <productFirstLineUtcTime>{utc_text(image.start)}</productFirstLineUtcTime>
      <productLastLineUtcTime>{utc_text(image.stop)}</productLastLineUtcTime>
      <ascendingNodeTime>{utc_text(flown.utc(flown.node_time))}</ascendingNodeTime>
      <anchorTime>{utc_text(image.start)}</anchorTime>
      <productComposition>Slice</productComposition>
      <sliceNumber>1</sliceNumber>
      <slantRangeTime>{frame.slant_range_time:.15e}</slantRangeTime>
      <pixelValue>Complex</pixelValue>
      <outputPixels>16 bit Signed Integer</outputPixels>
      <rangePixelSpacing>{frame.range_spacing:.6e}</rangePixelSpacing>
      <azimuthPixelSpacing>{6_800.0 * frame.line_interval:.6e}</azimuthPixelSpacing>
      <azimuthTimeInterval>{frame.line_interval:.15e}</azimuthTimeInterval>
      <azimuthFrequency>{1 / frame.line_interval:.15e}</azimuthFrequency>
      <numberOfSamples>{frame.samples}</numberOfSamples>
      <numberOfLines>{len(frame.bursts) * frame.lines}</numberOfLines>
      <incidenceAngleMidSwath>{incidence_deg:.15e}</incidenceAngleMidSwath>
    </imageInformation>
{_processing_xml(image)}  </imageAnnotation>
"""


def _processing_xml(image: SwathImage) -> str:
    """`processingInformation`: the spectrum that was kept, and what the processor did."""
    flown, frame = image.seen_by, image.frame
    bands = {
        "rangeProcessing": frame.swath.range_band,
        "azimuthProcessing": frame.swath.azimuth_band,
    }
    processed = "".join(
        f"""          <{name}>
            <windowType>Hamming</windowType>
            <windowCoefficient>{hamming:.15e}</windowCoefficient>
            <totalBandwidth>{band:.15e}</totalBandwidth>
            <processingBandwidth>{band:.15e}</processingBandwidth>
            <lookBandwidth>{band:.15e}</lookBandwidth>
            <numberOfLooks>1</numberOfLooks>
          </{name}>
"""
        for name, (band, hamming) in bands.items()
    )
    return f"""    <processingInformation>
      <srgrConversionApplied>false</srgrConversionApplied>
      <detectionPerformed>false</detectionPerformed>
      <thermalNoiseCorrectionPerformed>false</thermalNoiseCorrectionPerformed>
      <swathProcParamsList count="1">
        <swathProcParams>
          <swath>{frame.swath.name}</swath>
{processed}        </swathProcParams>
      </swathProcParamsList>
      <ellipsoidName>WGS84</ellipsoidName>
      <ellipsoidSemiMajorAxis>{WGS84_SEMI_MAJOR:.15e}</ellipsoidSemiMajorAxis>
      <ellipsoidSemiMinorAxis>{SEMI_MINOR:.15e}</ellipsoidSemiMinorAxis>
      <bistaticDelayCorrectionApplied>true</bistaticDelayCorrectionApplied>
      <orbitSource>{"Downlink" if any(flown.flown.orbit_error) else "Auxiliary"}</orbitSource>
      <attitudeSource>Downlink</attitudeSource>
    </processingInformation>
"""


def _centroids_xml(image: SwathImage) -> str:
    """`dopplerCentroid`: an estimate a burst."""
    body = "".join(
        f"""      <dcEstimate>
        <azimuthTime>{utc_text(image.seen_by.utc(doppler.centroid.azimuth_time))}</azimuthTime>
        <t0>{doppler.centroid.t0:.15e}</t0>
        <geometryDcPolynomial count="3">0.000000e+00 0.000000e+00 0.000000e+00\
</geometryDcPolynomial>
        <dataDcPolynomial count="3">{numbers(doppler.centroid.coefficients, ".6e")}\
</dataDcPolynomial>
      </dcEstimate>
"""
        for doppler in image.dopplers
    )
    return (
        f'  <dopplerCentroid>\n    <dcEstimateList count="{len(image.dopplers)}">\n{body}'
        "    </dcEstimateList>\n  </dopplerCentroid>\n"
    )


def _timing_xml(image: SwathImage) -> str:
    """`swathTiming`: the bursts."""
    flown, frame = image.seen_by, image.frame
    first, last = _valid_samples(frame)
    size = 4 * frame.lines * frame.samples
    bursts = []
    for number, burst in enumerate(frame.bursts):
        identifier = ""
        if flown.order.has_identifiers:
            identifier = (
                f'        <burstId absolute="{burst.absolute_id}">{burst.relative_id}</burstId>\n'
            )
        bursts.append(f"""      <burst>
        <azimuthTime>{utc_text(flown.utc(burst.azimuth_time))}</azimuthTime>
        <azimuthAnxTime>{burst.azimuth_time - flown.node_time:.15e}</azimuthAnxTime>
        <sensingTime>{utc_text(flown.utc(burst.sensing_time))}</sensingTime>
        <byteOffset>{image.first_pixel + number * size}</byteOffset>
        <firstValidSample count="{frame.lines}">{numbers(first, "d")}</firstValidSample>
        <lastValidSample count="{frame.lines}">{numbers(last, "d")}</lastValidSample>
{identifier}      </burst>
""")
    return f"""  <swathTiming>
    <linesPerBurst>{frame.lines}</linesPerBurst>
    <samplesPerBurst>{frame.samples}</samplesPerBurst>
    <burstList count="{len(bursts)}">
{"".join(bursts)}    </burstList>
  </swathTiming>
"""


def _valid_samples(frame: SwathFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and last sample with data of each line of a burst, -1 where there is none."""
    line = np.arange(frame.lines)
    is_valid = (line >= frame.valid_lines[0]) & (line < frame.valid_lines[1])
    near, beyond = frame.valid_samples
    return np.where(is_valid, near, -1), np.where(is_valid, beyond - 1, -1)


def _grid_xml(image: SwathImage, nodes: Nodes, incidence: Float64) -> str:
    """`geolocationGrid`."""
    frame = image.frame
    delay = frame.slant_range_time + nodes.sample / frame.sampling_rate
    bulk_delay = image.seen_by.order.bulk_delay
    late = np.zeros(delay.size) if bulk_delay is None else 0.5 * (delay - bulk_delay)
    points = []
    for row, (line, time) in enumerate(
        zip(image.grid_lines(), _node_times(image, nodes), strict=True)
    ):
        points += [
            f"""      <geolocationGridPoint>
        <azimuthTime>{utc_text(image.seen_by.utc(time + late[column]))}</azimuthTime>
        <slantRangeTime>{delay[column]:.15e}</slantRangeTime>
        <line>{line:.0f}</line>
        <pixel>{sample:.0f}</pixel>
        <latitude>{np.degrees(nodes.latitude[row, column]):.15e}</latitude>
        <longitude>{np.degrees(nodes.longitude[row, column]):.15e}</longitude>
        <height>{nodes.height[row, column]:.15e}</height>
        <incidenceAngle>{np.degrees(incidence[row, column]):.15e}</incidenceAngle>
      </geolocationGridPoint>
"""
            for column, sample in enumerate(nodes.sample)
        ]
    return (
        f'  <geolocationGrid>\n    <geolocationGridPointList count="{len(points)}">\n'
        f"{''.join(points)}    </geolocationGridPointList>\n  </geolocationGrid>\n"
    )
