"""Annotation file of an image, as ESA's processor writes it (the parts that describe the image).

Structure: Sentinel-1 Product Specification, S1-RS-MDA-52-7441. Calibration and noise files are in
`lut_xml`, the manifest in `manifest`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from algorithms.constants import SPEED_OF_LIGHT, WGS84_SEMI_MAJOR
from simulator.acquisition import Acquisition
from simulator.ellipsoid import SEMI_MINOR, cartesian
from simulator.geometry import RadarFrame
from simulator.instrument import Swath
from simulator.terrain import Terrain

Float64 = NDArray[np.float64]

RADAR_FREQUENCY = 5.405000454334350e9  # Hz
GRID_COLUMNS = 21


@dataclass(frozen=True)
class Image:
    """One image to write: its pass, its frame (as the processor knows it) and polarisation.

    `trajectory` of `frame` is what the annotation states, degraded or not; `number` is 1 for the
    first polarisation of a product.
    """

    acquisition: Acquisition
    frame: RadarFrame
    polarization: str
    number: int

    @property
    def start(self) -> datetime:
        """Time of the first line."""
        return self.acquisition.utc(self.frame.first_line_time)

    @property
    def stop(self) -> datetime:
        """Time of the last line."""
        duration = (self.frame.lines - 1) * self.frame.line_interval
        return self.start + timedelta(seconds=duration)

    @property
    def slice_number(self) -> int:
        """Place of the frame in its data take, from 1."""
        times = [frame.first_line_time for frame in self.acquisition.frames]
        return times.index(self.frame.first_line_time) + 1

    def swath_bounds(self) -> list[tuple[Swath, int, int]]:
        """Swaths of the mode that the image holds: first and last sample of each."""
        mode, first = self.acquisition.order.mode, self.acquisition.first_sample
        bounds = []
        for swath in mode.swaths:
            low = max(round(swath.start * mode.samples) - first, 0)
            high = min(round(swath.stop * mode.samples) - first, self.frame.samples) - 1
            if high > low:
                bounds.append((swath, low, high))
        return bounds


def utc_text(time: datetime) -> str:
    """Time as the annotation writes it, microseconds and no zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")


def numbers(values: Iterable[float], form: str) -> str:
    """Numbers separated by blanks."""
    return " ".join(format(value, form) for value in values)


def header_xml(image: Image) -> str:
    """`adsHeader` that the three files of an image share."""
    acquisition = image.acquisition
    mode = acquisition.order.mode
    return f"""  <adsHeader>
    <missionId>{acquisition.satellite.name}</missionId>
    <productType>GRD</productType>
    <polarisation>{image.polarization}</polarisation>
    <mode>{mode.name}</mode>
    <swath>{mode.beam}</swath>
    <startTime>{utc_text(image.start)}</startTime>
    <stopTime>{utc_text(image.stop)}</stopTime>
    <absoluteOrbitNumber>{acquisition.absolute_orbit}</absoluteOrbitNumber>
    <missionDataTakeId>{acquisition.datatake}</missionDataTakeId>
    <imageNumber>{image.number:03d}</imageNumber>
  </adsHeader>
"""


def annotation_xml(image: Image, terrain: Terrain) -> bytes:
    """Annotation of one image; its grid lies on the relief by the processor's own rule."""
    points, incidence = _grid_points(image.frame, terrain, image.acquisition.order.mode.grid_rows)
    parts = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<product>\n',
        header_xml(image),
        _general_xml(image, terrain),
        _image_xml(image, float(np.degrees(incidence).mean())),
        _grid_xml(image, points, incidence),
        _conversion_xml(image),
        _merging_xml(image),
        "</product>\n",
    )
    return "".join(parts).encode()


def incidence_angle(frame: RadarFrame, line: Float64, points: Float64) -> Float64:
    """Angle between the ray and the geocentric radius, radians: that is what real grids state.

    `points` holds longitude, latitude (radians) and height (metres), shape (n, m, 3), abeam at
    the n lines.
    """
    antenna = frame.trajectory.position_at(frame.line_time(line) + frame.azimuth_offset)
    place = cartesian(*np.moveaxis(points, -1, 0))
    ray = antenna[:, None, :] - place
    lengths = np.linalg.norm(ray, axis=-1) * np.linalg.norm(place, axis=-1)
    return np.asarray(np.arccos((ray * place).sum(axis=-1) / lengths))


def _grid_points(frame: RadarFrame, terrain: Terrain, rows: int) -> tuple[Float64, Float64]:
    """Grid of (line, sample, longitude, latitude, height, slant range) and incidence angles."""
    row_step = max(round(frame.lines / (rows - 1.67)), 1)
    line = np.unique(np.append(np.arange(rows - 1) * row_step, frame.lines - 1))
    line = line[line < frame.lines].astype(np.float64)
    column_step = -(-frame.samples // (GRID_COLUMNS - 1))
    sample = np.unique(np.minimum(np.arange(GRID_COLUMNS) * column_step, frame.samples - 1.0))
    ground = frame.ground(line, sample, terrain)
    rows_of, columns_of = np.meshgrid(line, sample, indexing="ij")
    reach = frame.slant_range(rows_of, columns_of)
    points = np.dstack((rows_of, columns_of, ground, reach))
    return points, incidence_angle(frame, line, ground)


def _general_xml(image: Image, terrain: Terrain) -> str:
    """`generalAnnotation`: pass, orbit and terrain heights."""
    frame, acquisition = image.frame, image.acquisition
    direction = "Ascending" if acquisition.order.ascending else "Descending"
    middle = frame.line_time(frame.lines / 2)
    position, velocity = frame.trajectory.position_at(middle), frame.trajectory.velocity_at(middle)
    vectors = zip(
        frame.trajectory.time, frame.trajectory.position, frame.trajectory.velocity, strict=True
    )
    orbits = "".join(
        f"""      <orbit>
        <time>{utc_text(acquisition.utc(time))}</time>
        <frame>Earth Fixed</frame>
        <position>{xyz(position)}</position>
        <velocity>{xyz(velocity)}</velocity>
      </orbit>
"""
        for time, position, velocity in vectors
    )
    swaths = "".join(
        f"      <downlinkInformation><swath>{swath.name}</swath>"
        f"<azimuthTime>{utc_text(image.start)}</azimuthTime></downlinkInformation>\n"
        for swath, _, _ in image.swath_bounds()
    )
    heights = _terrain_heights(image, terrain)
    return f"""  <generalAnnotation>
    <productInformation>
      <pass>{direction}</pass>
      <timelinessCategory>Fast-24h</timelinessCategory>
      <platformHeading>{np.degrees(heading(position, velocity)):.15e}</platformHeading>
      <projection>Ground Range</projection>
      <rangeSamplingRate>6.434523812571428e+07</rangeSamplingRate>
      <radarFrequency>{RADAR_FREQUENCY:.15e}</radarFrequency>
      <azimuthSteeringRate>1.590368784000000e+00</azimuthSteeringRate>
    </productInformation>
    <downlinkInformationList count="{len(image.swath_bounds())}">
{swaths}    </downlinkInformationList>
    <orbitList count="{frame.trajectory.time.size}">
{orbits}    </orbitList>
{heights}  </generalAnnotation>
"""


def heading(position: Float64, velocity: Float64) -> float:
    """Direction of flight from north towards east, radians, of an Earth-fixed velocity."""
    east = np.cross((0.0, 0.0, 1.0), position)
    north = np.cross(position, east)
    along_east = velocity @ east / np.linalg.norm(east)
    along_north = velocity @ north / np.linalg.norm(north)
    return float(np.arctan2(along_east, along_north))


def xyz(vector: Float64) -> str:
    """Components of a vector."""
    parts = zip("xyz", vector, strict=True)
    return "".join(f"<{axis}>{value:.15e}</{axis}>" for axis, value in parts)


def _terrain_heights(image: Image, terrain: Terrain) -> str:
    """Mean height of the relief under the swath along the track."""
    frame = image.frame
    line = np.linspace(0, frame.lines - 1, 5)
    sample = np.linspace(0, frame.samples - 1, 25)
    heights = frame.ground(line, sample, terrain)[..., 2].mean(axis=1)
    times = frame.line_time(line)
    items = "".join(
        f"      <terrainHeight><azimuthTime>{utc_text(image.acquisition.utc(time))}</azimuthTime>"
        f"<value>{height:.15e}</value></terrainHeight>\n"
        for time, height in zip(times, heights, strict=True)
    )
    return f'    <terrainHeightList count="{line.size}">\n{items}    </terrainHeightList>\n'


def _image_xml(image: Image, incidence_deg: float) -> str:
    """`imageAnnotation`: size, spacing, timing and what the processor did."""
    frame, acquisition = image.frame, image.acquisition
    node = acquisition.utc(acquisition.orbit.node_time)
    near_delay = 2 * float(frame.slant_range(np.zeros(1), np.zeros(1))[0]) / SPEED_OF_LIGHT
    return f"""  <imageAnnotation>
    <imageInformation>
      <productFirstLineUtcTime>{utc_text(image.start)}</productFirstLineUtcTime>
      <productLastLineUtcTime>{utc_text(image.stop)}</productLastLineUtcTime>
      <ascendingNodeTime>{utc_text(node)}</ascendingNodeTime>
      <anchorTime>{utc_text(image.start)}</anchorTime>
      <productComposition>Slice</productComposition>
      <sliceNumber>{image.slice_number}</sliceNumber>
      <slantRangeTime>{near_delay:.15e}</slantRangeTime>
      <pixelValue>Detected</pixelValue>
      <outputPixels>16 bit Unsigned Integer</outputPixels>
      <rangePixelSpacing>{frame.range_spacing:.6e}</rangePixelSpacing>
      <azimuthPixelSpacing>{acquisition.order.mode.spacing:.6e}</azimuthPixelSpacing>
      <azimuthTimeInterval>{frame.line_interval:.15e}</azimuthTimeInterval>
      <azimuthFrequency>{1 / frame.line_interval:.15e}</azimuthFrequency>
      <numberOfSamples>{frame.samples}</numberOfSamples>
      <numberOfLines>{frame.lines}</numberOfLines>
      <incidenceAngleMidSwath>{incidence_deg:.15e}</incidenceAngleMidSwath>
    </imageInformation>
    <processingInformation>
      <srgrConversionApplied>true</srgrConversionApplied>
      <detectionPerformed>true</detectionPerformed>
      <thermalNoiseCorrectionPerformed>false</thermalNoiseCorrectionPerformed>
      <ellipsoidName>WGS84</ellipsoidName>
      <ellipsoidSemiMajorAxis>{WGS84_SEMI_MAJOR:.15e}</ellipsoidSemiMajorAxis>
      <ellipsoidSemiMinorAxis>{SEMI_MINOR:.15e}</ellipsoidSemiMinorAxis>
      <bistaticDelayCorrectionApplied>true</bistaticDelayCorrectionApplied>
      <orbitSource>Downlink</orbitSource>
      <attitudeSource>Downlink</attitudeSource>
    </processingInformation>
  </imageAnnotation>
"""


def _grid_xml(image: Image, points: Float64, incidence: Float64) -> str:
    """`geolocationGrid`."""
    frame = image.frame
    line, sample, longitude, latitude, height, reach = np.moveaxis(points, -1, 0).reshape(6, -1)
    times = frame.azimuth_time(line, reach)
    rows = zip(
        times, 2 * reach / SPEED_OF_LIGHT, line, sample, np.degrees(latitude),
        np.degrees(longitude), height, np.degrees(incidence).ravel(), strict=True,
    )  # fmt: skip
    body = "".join(
        f"""      <geolocationGridPoint>
        <azimuthTime>{utc_text(image.acquisition.utc(row[0]))}</azimuthTime>
        <slantRangeTime>{row[1]:.15e}</slantRangeTime>
        <line>{row[2]:.0f}</line>
        <pixel>{row[3]:.0f}</pixel>
        <latitude>{row[4]:.15e}</latitude>
        <longitude>{row[5]:.15e}</longitude>
        <height>{row[6]:.15e}</height>
        <incidenceAngle>{row[7]:.15e}</incidenceAngle>
      </geolocationGridPoint>
"""
        for row in rows
    )
    return (
        f'  <geolocationGrid>\n    <geolocationGridPointList count="{line.size}">\n{body}'
        "    </geolocationGridPointList>\n  </geolocationGrid>\n"
    )


def _conversion_xml(image: Image) -> str:
    """`coordinateConversion`: the ground range records, both ways."""
    frame = image.frame
    records = frame.ground_range
    body = []
    for time, origin, ground_to_slant in zip(
        records.time, records.origin, records.coefficients, strict=True
    ):
        slant_origin = ground_to_slant[0]
        slant_to_ground = _inverse(ground_to_slant, frame.samples * frame.range_spacing)
        body.append(f"""      <coordinateConversion>
        <azimuthTime>{utc_text(image.acquisition.utc(time))}</azimuthTime>
        <slantRangeTime>{2 * slant_origin / SPEED_OF_LIGHT:.15e}</slantRangeTime>
        <sr0>{slant_origin:.15e}</sr0>
        <srgrCoefficients count="{slant_to_ground.size}">{numbers(slant_to_ground, ".15e")}\
</srgrCoefficients>
        <gr0>{origin:.15e}</gr0>
        <grsrCoefficients count="{ground_to_slant.size}">{numbers(ground_to_slant, ".15e")}\
</grsrCoefficients>
      </coordinateConversion>
""")
    return (
        f'  <coordinateConversion>\n    <coordinateConversionList count="{len(body)}">\n'
        f"{''.join(body)}    </coordinateConversionList>\n  </coordinateConversion>\n"
    )


def _inverse(ground_to_slant: Float64, reach: float) -> Float64:
    """Ground range against slant range beyond the first, of the same degree."""
    ground = np.linspace(0.0, reach, 400)
    slant = np.polynomial.Polynomial(ground_to_slant)(ground) - ground_to_slant[0]
    fitted = np.polynomial.Polynomial.fit(slant, ground, ground_to_slant.size - 1)
    return np.asarray(fitted.convert().coef)


def _merging_xml(image: Image) -> str:
    """`swathMerging`: which samples come from which swath."""
    last = image.frame.lines - 1
    bounds = image.swath_bounds()
    body = "".join(
        f"""      <swathMerge>
        <swath>{swath.name}</swath>
        <swathBoundsList count="1"><swathBounds>
          <azimuthTime>{utc_text(image.start)}</azimuthTime>
          <firstAzimuthLine>0</firstAzimuthLine><firstRangeSample>{low}</firstRangeSample>
          <lastAzimuthLine>{last}</lastAzimuthLine><lastRangeSample>{high}</lastRangeSample>
        </swathBounds></swathBoundsList>
      </swathMerge>
"""
        for swath, low, high in bounds
    )
    return (
        f'  <swathMerging>\n    <swathMergeList count="{len(bounds)}">\n{body}'
        "    </swathMergeList>\n  </swathMerging>\n"
    )
