"""Where a ground point lies in a Sentinel-1 GRD image: zero Doppler, bistatic term, ground range.

Several consecutive frames of one pass make one image: the lines of a frame follow those of the
one before, each frame keeps its own ground range records and near range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from algorithms.constants import SPEED_OF_LIGHT
from algorithms.radar.grd import Float64, GrdAnnotation, StateVectors
from algorithms.radar.grid_check import GridCheck, check_against_grid
from algorithms.radar.ground_range import ground_range_at, slant_limits, tabulate
from algorithms.radar.model import ImageArrays, OrbitArrays, fill_pixels, locate_points
from algorithms.radar.orbit import OrbitPolynomial, fit_orbit

SrgrRule = Literal["linear", "nearest"]

# Frames of one pass continue each other within 0.0003 lines.
FRAME_TOLERANCE_LINES = 0.5


@dataclass(frozen=True)
class Frame:
    """One product of the pass.

    Parameters
    ----------
    annotation
        What the product says.
    first_line
        Line of the whole image that is the frame's line 0.
    sample_shift
        Sample of the whole image that is the frame's sample 0.
    check
        The model against the annotation's geolocation grid.
    """

    annotation: GrdAnnotation
    first_line: int
    sample_shift: int
    check: GridCheck

    @property
    def line_origin(self) -> float:
        """Zero-Doppler time of line 0 at mid swath, by the orbit of the pass, seconds."""
        precise = self.annotation.precise_vectors is not None
        return self.annotation.first_line_time + precise * self.check.azimuth_offset

    @property
    def vectors(self) -> StateVectors:
        """The vectors that geolocate the frame.

        Its own ones are set to the time of the image: in old products they miss it by tenths of a
        millisecond, another in each frame, and would not make one orbit.
        """
        own = self.annotation.state_vectors
        moved = own.time - self.check.azimuth_offset
        return self.annotation.precise_vectors or StateVectors(moved, own.position, own.velocity)


@dataclass(frozen=True)
class Location:
    """Points in the image; every array has the shape of the points, NaN outside the image.

    `line` and `sample` are zero based in the whole image, integers at pixel centres;
    `azimuth_time` is the zero-Doppler time in seconds, `slant_range` in metres: these two are
    given outside the image too, as far as the orbit goes.
    """

    line: Float64
    sample: Float64
    azimuth_time: Float64
    slant_range: Float64


@dataclass(frozen=True)
class RadarGeometry:
    """The geometry of one image, of one frame or of consecutive ones.

    Build it with `from_annotations`. `lines` and `samples` are the size of the whole image;
    `orbit_arrays` and `image_arrays` are what the kernels take.
    """

    frames: tuple[Frame, ...]
    lines: int
    samples: int
    orbit: OrbitPolynomial
    orbit_arrays: OrbitArrays
    image_arrays: ImageArrays
    bistatic: bool
    srgr: SrgrRule

    @classmethod
    def from_annotations(
        cls,
        annotations: Sequence[GrdAnnotation],
        *,
        bistatic: bool = True,
        srgr: SrgrRule = "linear",
    ) -> Self:
        """Build the geometry of consecutive frames.

        Parameters
        ----------
        annotations
            One a frame, any order, times since one epoch.
        bistatic
            Whether to model the residual bistatic delay, +-1.8 m in azimuth over an IW swath.
        srgr
            How ground range records hold between their instants.

        Raises
        ------
        ValueError
            When there is no frame, frames do not continue each other, or the model does not fit
            an annotation's own geolocation grid.
        """
        if not annotations:
            raise ValueError("a geometry needs one annotation or more, none given")
        ordered = sorted(annotations, key=lambda annotation: annotation.first_line_time)
        frames = _join(ordered)
        orbit = _fit_pass(frames)
        samples = max(frame.sample_shift + frame.annotation.samples for frame in frames)
        lines = sum(annotation.lines for annotation in ordered)
        orbit_arrays = OrbitArrays(
            orbit.centre,
            orbit.half_span,
            orbit.coefficients,
            1.0 / SPEED_OF_LIGHT if bistatic else 0.0,
        )
        image_arrays = _image_arrays(frames, lines, bistatic=bistatic, linear=srgr == "linear")
        return cls(frames, lines, samples, orbit, orbit_arrays, image_arrays, bistatic, srgr)

    def locate(self, longitude: ArrayLike, latitude: ArrayLike, height: ArrayLike) -> Location:
        """Locate ground points in the image, each by its own Newton solution.

        Parameters
        ----------
        longitude, latitude
            Radians, shapes that broadcast.
        height
            Metres above the ellipsoid.
        """
        points = np.broadcast_arrays(longitude, latitude, height)
        shape = points[0].shape
        lon, lat, h = (np.array(values, dtype=np.float64).ravel() for values in points)
        azimuth_time, slant_range, line, sample = np.empty((4, lon.size))
        locate_points(lon, lat, h, self.orbit_arrays, azimuth_time, slant_range)
        rows = self.rows_at(azimuth_time, slant_range)
        fill_pixels(rows, slant_range, self.image_arrays, (0, 0), line, sample)
        return Location(*(a.reshape(shape) for a in (line, sample, azimuth_time, slant_range)))

    def rows_at(self, azimuth_time: Float64, slant_range: Float64) -> Float64:
        """Return rows (lines of the first frame, unbounded) at zero-Doppler time and range."""
        image_time = azimuth_time - slant_range * self.orbit_arrays.delay_per_metre
        image = self.image_arrays
        return (image_time - image.time_origin) / image.line_interval

    def antenna_position(self, azimuth_time: ArrayLike) -> Float64:
        """Return the ECEF position of the antenna (m) at times of any shape: shape (..., 3)."""
        return self.orbit.position(azimuth_time)

    def check_against_grid(self) -> tuple[GridCheck, ...]:
        """Return the model's residual against the annotation's own grid, one a frame."""
        return tuple(frame.check for frame in self.frames)


def _fit_pass(frames: Sequence[Frame]) -> OrbitPolynomial:
    """Fit one orbit to the vectors of all frames."""
    used = [frame.vectors for frame in frames]
    time = np.concatenate([vectors.time for vectors in used])
    # Frames repeat vectors, to a fraction of the millisecond that their times are given to.
    index = np.unique(np.rint(time * 1e3), return_index=True)[1]
    merged = StateVectors(
        time[index],
        np.concatenate([vectors.position for vectors in used])[index],
        np.concatenate([vectors.velocity for vectors in used])[index],
    )
    first, last = frames[0].annotation, frames[-1].annotation
    last_time = last.first_line_time + last.lines * last.line_interval
    return fit_orbit(merged, first.first_line_time, last_time)


def _join(annotations: Sequence[GrdAnnotation]) -> tuple[Frame, ...]:
    """Put frames one after the other, refusing a gap or an overlap."""
    first_lines, shifts = [0], [0]
    for before, after in pairwise(annotations):
        start = (after.first_line_time - before.first_line_time) / before.line_interval
        if abs(start - before.lines) > FRAME_TOLERANCE_LINES:
            raise ValueError(
                f"frames do not continue each other: the second begins at line {start:.1f} "
                f"of the first, which has {before.lines} lines"
            )
        first_lines.append(first_lines[-1] + before.lines)
        shifts.append(shifts[-1] + _sample_step(before, after))
    return tuple(
        Frame(annotation, line, shift - min(shifts), check_against_grid(annotation))
        for annotation, line, shift in zip(annotations, first_lines, shifts, strict=True)
    )


def _sample_step(before: GrdAnnotation, after: GrdAnnotation) -> int:
    """Return how many samples the near range of a frame lies beyond the one before."""
    seam = after.first_line_time
    ends = [slant_limits(a.ground_range, a.samples, a.range_spacing) for a in (before, after)]
    slant_range = np.linspace(max(e[0] for e in ends), min(e[1] for e in ends), 16)
    sample = []
    for annotation in (before, after):
        nearest = int(np.argmin(np.abs(annotation.ground_range.azimuth_time - seam)))
        ground = ground_range_at(annotation.ground_range, nearest, slant_range)
        sample.append(ground / annotation.range_spacing)
    return round(float(np.mean(sample[0] - sample[1])))


def _image_arrays(
    frames: Sequence[Frame], lines: int, *, bistatic: bool, linear: bool
) -> ImageArrays:
    """Lay out spans and sample tables of all frames for the kernels."""
    annotations = [frame.annotation for frame in frames]
    ends = [slant_limits(a.ground_range, a.samples, a.range_spacing) for a in annotations]
    slant_origin, last_slant = min(e[0] for e in ends), max(e[1] for e in ends)
    origin = [f.line_origin - (0.5 * f.check.mid_swath_time if bistatic else 0.0) for f in frames]
    interval = annotations[0].line_interval
    tables = [
        tabulate(a.ground_range, slant_origin, last_slant, a.range_spacing) + frame.sample_shift
        for frame, a in zip(frames, annotations, strict=True)
    ]
    spans: list[tuple[float, ...]] = []
    first_record = 0
    for frame, frame_origin, table in zip(frames, origin, tables, strict=True):
        scale = interval / frame.annotation.line_interval
        offset = (origin[0] - frame_origin) / frame.annotation.line_interval + frame.first_line
        spans += _span_rows(frame, scale, offset, first_record, linear=linear)
        first_record += len(table)
    begin, scales, offsets, record, weight_scale, weight_offset, near, far = np.array(
        spans
    ).T.copy()
    return ImageArrays(
        time_origin=origin[0],
        line_interval=interval,
        begin=np.append(begin, (lines - 0.5 - offsets[-1]) / scales[-1]),
        line_scale=scales,
        line_offset=offsets,
        record=record.astype(np.int64),
        weight_scale=weight_scale,
        weight_offset=weight_offset,
        first_sample=near,
        last_sample=far,
        slant_origin=slant_origin,
        sample=np.concatenate(tables),
    )


class _RecordSpan(NamedTuple):
    """Lines of the whole image for which one pair of records holds.

    The second record weighs line * weight_scale + weight_offset.
    """

    first_line: float
    record: int
    weight_scale: float
    weight_offset: float


def _span_rows(
    frame: Frame, scale: float, offset: float, first_record: int, *, linear: bool
) -> list[tuple[float, ...]]:
    """Return the spans of a frame, its own lines being ``scale * line + offset`` of the image's."""
    edges = frame.sample_shift - 0.5, frame.sample_shift + frame.annotation.samples - 0.5
    return [
        (
            (span.first_line - offset) / scale,
            scale,
            offset,
            first_record + span.record,
            span.weight_scale * scale,
            span.weight_offset + span.weight_scale * offset,
            *edges,
        )
        for span in _record_spans(frame, linear=linear)
    ]


def _record_spans(frame: Frame, *, linear: bool) -> list[_RecordSpan]:
    """Cut a frame where its records change; beyond the first and the last one these hold alone."""
    annotation = frame.annotation
    time = annotation.ground_range.azimuth_time
    at = (time - annotation.first_line_time) / annotation.line_interval + frame.first_line
    first, last = frame.first_line - 0.5, frame.first_line + annotation.lines - 0.5
    spans = [_RecordSpan(-np.inf, 0, 0.0, 0.0)]
    for record, (before, after) in enumerate(pairwise(at.tolist())):
        if linear:
            slope = 1.0 / (after - before)
            spans.append(_RecordSpan(before, record, slope, -slope * before))
        else:
            spans.append(_RecordSpan(0.5 * (before + after), record, 0.0, 1.0))
    if linear and len(at) > 1:
        spans.append(_RecordSpan(float(at[-1]), len(at) - 2, 0.0, 1.0))
    ends = [span.first_line for span in spans[1:]] + [np.inf]
    return [
        span._replace(first_line=max(span.first_line, first))
        for span, end in zip(spans, ends, strict=True)
        if end > first and span.first_line < last
    ]
