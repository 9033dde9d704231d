"""The kernels of resampling: a line of the reference at a time."""

from typing import NamedTuple

import numpy as np

from algorithms.compiled import compiled
from algorithms.interferometry.model import Float32, Int32, Mask
from algorithms.interferometry.phasors import phasor
from algorithms.interferometry.taps import BEFORE, TAPS, EvenOddTaps, tap_pair
from algorithms.radar.grd import Float64

NODE_SAMPLES = 4  # samples between heights: 9 m of slant range
CARRIER_SAMPLES = 16  # samples between which the carrier's phase is linear
_BLOCK = 16  # samples that share one fraction of a line
_RING = 32  # deramped lines held


class PairGeometry(NamedTuple):
    """How nodes become places in the secondary, and places phases of flattening.

    `node` is the polynomials' variable at each node; flattening is `cycles_origin` + `cycles_moved`
    times the sample in the secondary - `cycles_reference` times that in the reference.
    """

    node: Float64
    height_middle: float
    height_rate: float
    cycles_origin: float
    cycles_moved: float
    cycles_reference: float
    valid: tuple[int, int, int, int]


class CarrierTable(NamedTuple):
    """The carrier at every sixteenth sample of the secondary."""

    half_rate: Float64
    reference_time: Float64
    frequency: Float64
    middle_line: float
    interval: float


class _Line(NamedTuple):
    """What one line is worked out in: nodes, places of samples, planes of numbers."""

    azimuth: Float64
    sample: Float64
    cycles: Float64
    known: Mask
    whole: Int32
    part: Float32
    block_azimuth: Float64
    planes: Float32
    result: Float32


@compiled
def resample_lines(
    secondary: Float32,
    models: Float64,
    heights: Float32,
    first_line: int,
    geometry: PairGeometry,
    carrier: CarrierTable,
    taps: tuple[EvenOddTaps, EvenOddTaps],
    out: Float32,
) -> None:
    """Fill lines of the output that lie within the valid lines of the secondary."""
    nodes, width = heights.shape[1], secondary.shape[1]
    work = _a_line(nodes, out.shape[1], width)
    powers = np.empty((models.shape[3], nodes))
    ring = np.empty((_RING, 2, width), np.float32)
    held = np.full(_RING, -1, np.int64)
    valid_line, end_line, first_sample, end_sample = geometry.valid
    for row in range(len(heights)):
        _place_nodes(models[row], heights[row], first_line + row, geometry, powers, work)
        if not _spread_samples(work, first_sample, end_sample):
            continue
        top = int(np.floor(work.azimuth.min())) - BEFORE
        bottom = int(np.floor(work.azimuth.max())) + TAPS - BEFORE
        if top < valid_line or bottom > end_line or bottom - top > _RING:
            continue
        for line in range(top, bottom):
            if held[line % _RING] != line:
                _deramp(secondary[line], line, carrier, ring[line % _RING])
                held[line % _RING] = line
        _along_azimuth(ring, work, taps[0], first_sample, end_sample)
        _along_range(work, taps[1], first_sample, end_sample)
        _find_cycles(work, carrier, geometry)
        _finish(work, out[row])


@compiled
def flatten_lines(
    models: Float64, heights: Float32, first_line: int, geometry: PairGeometry, out: Float32
) -> None:
    """Fill lines with the phasor that flattens the secondary; its parts are the last axis."""
    work = _a_line(heights.shape[1], out.shape[1], 0)
    powers = np.empty((models.shape[3], heights.shape[1]))
    work.result[0] = 1.0
    for row in range(len(heights)):
        _place_nodes(models[row], heights[row], first_line + row, geometry, powers, work)
        # Where the height is unknown the phase goes on as it was: there is nothing to turn.
        work.known[:] = True
        for node in range(work.sample.size):
            work.cycles[node] = _flat_cycles(geometry, work.sample[node], node)
        _finish(work, out[row])


@compiled
def _a_line(nodes: int, samples: int, width: int) -> _Line:
    """Return room for a line."""
    return _Line(
        np.empty(nodes),
        np.empty(nodes),
        np.empty(nodes),
        np.empty(nodes, np.bool_),
        np.empty(samples, np.int32),
        np.empty(samples, np.float32),
        np.empty(width // _BLOCK + 1),
        np.empty((2, width), np.float32),
        np.zeros((2, samples), np.float32),
    )


@compiled
def _place_nodes(
    model: Float64,
    heights: Float32,
    line: int,
    geometry: PairGeometry,
    powers: Float64,
    work: _Line,
) -> None:
    """Fill line and sample in the secondary of every node of a line."""
    nodes = heights.size
    height = work.cycles
    last = geometry.height_middle
    for node in range(nodes):
        known = not np.isnan(heights[node])
        # What is not known is placed like its neighbour, and left out at the end.
        last = heights[node] if known else last
        work.known[node] = known
        height[node] = (last - geometry.height_middle) * geometry.height_rate
    for which in range(2):
        for power in range(model.shape[2]):
            row = powers[power]
            row[:] = 0.0
            for degree in range(model.shape[1] - 1, -1, -1):
                coefficient = model[which, degree, power]
                for node in range(nodes):
                    row[node] = row[node] * geometry.node[node] + coefficient
        place = work.azimuth if which == 0 else work.sample
        place[:] = powers[model.shape[2] - 1]
        for power in range(model.shape[2] - 2, -1, -1):
            row = powers[power]
            for node in range(nodes):
                place[node] = place[node] * height[node] + row[node]
    for node in range(nodes):
        work.azimuth[node] += line
        work.sample[node] += NODE_SAMPLES * node


@compiled
def _spread_samples(work: _Line, first_sample: int, end_sample: int) -> bool:
    """Place all samples between the nodes; False where none falls on data."""
    samples = work.whole.size
    for node in range(work.sample.size - 1):
        start = work.sample[node]
        step = (work.sample[node + 1] - start) / NODE_SAMPLES
        for j in range(min(NODE_SAMPLES, samples - NODE_SAMPLES * node)):
            place = start + j * step
            below = np.floor(place)
            work.whole[NODE_SAMPLES * node + j] = np.int32(below)
            work.part[NODE_SAMPLES * node + j] = np.float32(place - below)
    if samples == NODE_SAMPLES * (work.sample.size - 1) + 1:
        place = work.sample[-1]
        work.whole[samples - 1] = np.int32(np.floor(place))
        work.part[samples - 1] = np.float32(place - np.floor(place))
    blocks = work.block_azimuth.size
    work.block_azimuth[:] = np.nan
    for node in range(work.sample.size):
        block = int(work.sample[node]) // _BLOCK
        if 0 <= block < blocks:
            work.block_azimuth[block] = work.azimuth[node]
    found = False
    last = np.nan
    for sweep in range(2):
        for index in range(blocks):
            block = index if sweep == 0 else blocks - 1 - index
            if np.isnan(work.block_azimuth[block]):
                work.block_azimuth[block] = last
            else:
                last = work.block_azimuth[block]
                found = True
    return found and end_sample - first_sample >= TAPS


@compiled
def _deramp(pixels: Float32, line: int, carrier: CarrierTable, out: Float32) -> None:
    """Take the carrier off a line."""
    width = pixels.shape[0]
    real, imaginary = out[0], out[1]
    eta = (line - carrier.middle_line) * carrier.interval
    start = _cycles_at(carrier, eta, 0)
    for node in range(-(-width // CARRIER_SAMPLES)):
        after = _cycles_at(carrier, eta, node + 1)
        step = (after - start) / CARRIER_SAMPLES
        first = node * CARRIER_SAMPLES
        for j in range(min(CARRIER_SAMPLES, width - first)):
            cosine, sine = phasor(start + j * step)
            re, im = pixels[first + j, 0], pixels[first + j, 1]
            real[first + j] = re * cosine + im * sine
            imaginary[first + j] = im * cosine - re * sine
        start = after


@compiled
def _cycles_at(carrier: CarrierTable, eta: float, node: int) -> float:
    """Return the phase of the carrier at a node, cycles."""
    elapsed = eta - carrier.reference_time[node]
    cycles: float = elapsed * (carrier.half_rate[node] * elapsed + carrier.frequency[node])
    return cycles


@compiled
def _along_azimuth(
    ring: Float32, work: _Line, taps: EvenOddTaps, first_sample: int, end_sample: int
) -> None:
    """Interpolate one line between deramped ones."""
    weight = np.empty(TAPS, np.float32)
    for plane in range(2):
        work.planes[plane, :first_sample] = 0.0
        work.planes[plane, end_sample:] = 0.0
    for block in range(first_sample // _BLOCK, (end_sample - 1) // _BLOCK + 1):
        place = work.block_azimuth[block]
        below = np.floor(place)
        for k in range(TAPS // 2):
            weight[k], weight[TAPS - 1 - k] = tap_pair(taps, k, np.float32(place - below - 0.5))
        top = int(below) - BEFORE
        first, end = max(block * _BLOCK, first_sample), min((block + 1) * _BLOCK, end_sample)
        for plane in range(2):
            a, b = ring[top % _RING, plane], ring[(top + 1) % _RING, plane]
            c, d = ring[(top + 2) % _RING, plane], ring[(top + 3) % _RING, plane]
            e, f = ring[(top + 4) % _RING, plane], ring[(top + 5) % _RING, plane]
            g, h = ring[(top + 6) % _RING, plane], ring[(top + 7) % _RING, plane]
            out = work.planes[plane]
            for s in range(first, end):
                early = weight[0] * a[s] + weight[1] * b[s] + weight[2] * c[s] + weight[3] * d[s]
                late = weight[4] * e[s] + weight[5] * f[s] + weight[6] * g[s] + weight[7] * h[s]
                out[s] = early + late


@compiled
def _along_range(work: _Line, taps: EvenOddTaps, first_sample: int, end_sample: int) -> None:
    """Interpolate the samples of a line; 0 where taps reach beyond the data."""
    samples = work.whole.size
    first = 0
    while first < samples:
        shift = work.whole[first] - first
        end = first + 1
        while end < samples and work.whole[end] - end == shift:
            end += 1
        # Of the run, the samples whose taps all hold data.
        inner = min(max(first, first_sample + BEFORE - shift), end)
        inner_end = max(min(end, end_sample - TAPS + BEFORE + 1 - shift), inner)
        for plane in range(2):
            work.result[plane, first:inner] = 0.0
            work.result[plane, inner_end:end] = 0.0
        if inner < inner_end:
            source = slice(inner + shift - BEFORE, inner_end + shift - BEFORE + TAPS - 1)
            _weigh_run(
                work.planes[0, source],
                work.planes[1, source],
                work.part[inner:inner_end],
                taps,
                work.result[0, inner:inner_end],
                work.result[1, inner:inner_end],
            )
        first = end


@compiled
def _weigh_run(
    real: Float32,
    imaginary: Float32,
    part: Float32,
    taps: EvenOddTaps,
    out_real: Float32,
    out_imaginary: Float32,
) -> None:
    """Interpolate a run of samples that have their taps side by side."""
    for s in range(part.size):
        g = part[s] - np.float32(0.5)
        w0, w7 = tap_pair(taps, 0, g)
        w1, w6 = tap_pair(taps, 1, g)
        w2, w5 = tap_pair(taps, 2, g)
        w3, w4 = tap_pair(taps, 3, g)
        early = w0 * real[s] + w1 * real[s + 1] + w2 * real[s + 2] + w3 * real[s + 3]
        late = w4 * real[s + 4] + w5 * real[s + 5] + w6 * real[s + 6] + w7 * real[s + 7]
        out_real[s] = early + late
        early = w0 * imaginary[s] + w1 * imaginary[s + 1]
        early += w2 * imaginary[s + 2] + w3 * imaginary[s + 3]
        late = w4 * imaginary[s + 4] + w5 * imaginary[s + 5]
        late += w6 * imaginary[s + 6] + w7 * imaginary[s + 7]
        out_imaginary[s] = early + late


@compiled
def _find_cycles(work: _Line, carrier: CarrierTable, geometry: PairGeometry) -> None:
    """Fill the phase at the nodes: the carrier put back and the difference in range."""
    last = carrier.half_rate.size - 2
    for node in range(work.sample.size):
        sample = work.sample[node]
        position = sample / CARRIER_SAMPLES
        near = min(max(int(position), 0), last)
        share = position - near
        eta = (work.azimuth[node] - carrier.middle_line) * carrier.interval
        # Each end of the interval has its own phase; what lies between is linear, as in deramping.
        before = _cycles_at(carrier, eta, near)
        flat = _flat_cycles(geometry, sample, node)
        work.cycles[node] = before + share * (_cycles_at(carrier, eta, near + 1) - before) + flat


@compiled
def _flat_cycles(geometry: PairGeometry, sample: float, node: int) -> float:
    """Return the phase of the difference in range at a node, cycles."""
    moved = geometry.cycles_origin + geometry.cycles_moved * sample
    return moved - geometry.cycles_reference * (NODE_SAMPLES * node)


@compiled
def _finish(work: _Line, out: Float32) -> None:
    """Rotate the interpolated samples by the phase between the nodes."""
    samples = out.shape[0]
    for node in range(work.cycles.size - 1):
        start = work.cycles[node]
        step = (work.cycles[node + 1] - start) / NODE_SAMPLES
        first = NODE_SAMPLES * node
        if not (work.known[node] and work.known[node + 1]):
            continue
        for s in range(first, min(first + NODE_SAMPLES, samples)):
            cosine, sine = phasor(start + (s - first) * step)
            re, im = work.result[0, s], work.result[1, s]
            out[s, 0] = re * cosine - im * sine
            out[s, 1] = im * cosine + re * sine
    last = NODE_SAMPLES * (work.cycles.size - 1)
    if last == samples - 1 and work.known[-1]:
        cosine, sine = phasor(work.cycles[-1])
        re, im = work.result[0, last], work.result[1, last]
        out[last, 0] = re * cosine - im * sine
        out[last, 1] = im * cosine + re * sine
