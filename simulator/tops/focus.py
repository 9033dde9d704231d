"""Make the bursts of one swath, each for all passes at once, scatterer by scatterer.

Scatterers lie on a lattice of the first pass, one a pixel, off its nodes at random. What a pass
sees of one is the same in all bursts that see it; what passes have in common is the coherence.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulator.ellipsoid import cartesian
from simulator.tops.doppler import WAVELENGTH, burst_doppler
from simulator.tops.geometry import (
    NODE_LINES,
    NODE_SAMPLES,
    Nodes,
    Surface,
    View,
    covering,
    ground_nodes,
    line_time,
    view,
)
from simulator.tops.kernel import REACH, TAPS, add_lattice, add_scatterer, response
from simulator.tops.orbits import zero_doppler
from simulator.tops.plan import BurstFrame, PassFrame, SwathFrame
from simulator.tops.scene import FLAT_GAMMA0, Scene

Complex64 = NDArray[np.complex64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# DN of backscatter 1: then fields have about 55 in each part, as in real products.
SCALE = 270.0
BLOCK = 64  # lines of the lattice made at once, more than a response spans
_CROSS = 0.25  # backscatter of cross-polarised images over that of co-polarised ones


@dataclass(frozen=True)
class _Canvas:
    """A burst that is being made: its frame, its frequencies, real and imaginary image."""

    frame: SwathFrame
    burst: BurstFrame
    frequency: tuple[Float64, Float64]
    tables: tuple[Float32, Float32]
    parts: tuple[Float32, Float32]

    def image(self) -> Complex64:
        """Complex image, zero where the burst holds no data."""
        top, bottom = self.frame.valid_lines
        near, far = self.frame.valid_samples
        image = np.zeros((self.frame.lines, self.frame.samples), np.complex64)
        for part, factor in zip(self.parts, (1, 1j), strict=True):
            valid = part[top:bottom, TAPS + near : TAPS + far]
            image[top:bottom, near:far] += np.complex64(SCALE * factor) * valid
        return image


@dataclass(frozen=True)
class _Sight:
    """How one pass sees the lattice: lines later and metres farther than the lattice, by place.

    `span` is the least and the most of the lines.
    """

    seen_by: PassFrame
    frame: SwathFrame
    late: Surface
    far: Surface
    span: tuple[float, float]

    def lines_before(self, number: int) -> float:
        """Lines of the pass's own lattice before a burst."""
        first, burst = self.frame.bursts[0], self.frame.bursts[number]
        return (burst.azimuth_time - first.azimuth_time) / self.frame.line_interval

    def lines_of(self, number: int) -> tuple[float, float]:
        """First and last line of the scatterers' lattice that a burst has something of."""
        before = self.lines_before(number)
        last = before + self.frame.lines + REACH + 2
        return before - self.span[1] - REACH - 2, last - self.span[0]


@dataclass(frozen=True)
class _Lattice:
    """The lattice of a swath: its ground, and what every pass sees of it.

    `first_sample` and `columns` say which samples of the first pass have scatterers.
    """

    scene: Scene
    nodes: Nodes
    east: Surface
    north: Surface
    first_line: int
    rows: int
    first_sample: int
    columns: int
    sights: tuple[_Sight, ...]


def focus_swath(
    passes: Sequence[PassFrame], number: int, polarization: str, *, threads: int = 2
) -> Iterator[tuple[Complex64, ...]]:
    """Make the bursts of swath `number`, one after the other.

    Parameters
    ----------
    passes
        As planned.
    number
        Place of the swath in the order.
    polarization
        Cross-polarised images are darker, and speckle of their own.
    threads
        Blocks made at once; the result does not depend on it.

    Yields
    ------
    For each burst its image in every pass: DN, not rounded, shape (lines, samples).
    """
    lattice = _lattice(passes, number)
    seed = (passes[0].order.seed, number, ("VV", "VH", "HH", "HV").index(polarization))
    with ThreadPoolExecutor(threads) as pool:
        for burst in range(len(passes[0].swaths[number].bursts)):
            canvases = [_canvas(lattice.scene, sight, burst) for sight in lattice.sights]
            add = partial(_add_block, lattice, burst, canvases, seed)
            blocks = _blocks(lattice, burst)
            # Neighbouring blocks touch the same lines; every second one does not.
            for part in (blocks[::2], blocks[1::2]):
                list(pool.map(add, part))
            for sight, canvas in zip(lattice.sights, canvases, strict=True):
                _add_targets(lattice.scene, sight.seen_by, canvas)
            yield tuple(canvas.image() for canvas in canvases)


def _blocks(lattice: _Lattice, burst: int) -> range:
    """Return the blocks of the lattice that a burst has something of, in any pass."""
    lines = np.array([sight.lines_of(burst) for sight in lattice.sights]) - lattice.first_line
    first, last = np.clip((lines[:, 0].min(), lines[:, 1].max()), 0, lattice.rows - 1)
    return range(int(first) // BLOCK, int(last) // BLOCK + 1)


def _lattice(passes: Sequence[PassFrame], number: int) -> _Lattice:
    """Lay out the lattice that covers a swath in all passes, with room for responses."""
    first, frame = passes[0], passes[0].swaths[number]
    scene = first.order.scene
    interval = frame.line_interval
    origin = frame.bursts[0].azimuth_time
    lines = round((frame.last_time - origin) / interval) + 1
    corners = ground_nodes(
        first, frame, scene.terrain,
        covering(0, lines - 1, (lines - 1) / 3), covering(0, frame.samples, frame.samples / 3),
    )  # fmt: skip
    seen = [_unlike(first, other, number, view(other, scene, corners), corners) for other in passes]
    late = np.array([lines_late for lines_late, _ in seen])
    far = np.array([metres_far for _, metres_far in seen]) / frame.range_spacing
    room = REACH + 4
    top = -room - int(np.ceil(late.max(initial=0)))
    bottom = lines + room + int(np.ceil(-late.min(initial=0)))
    near = -room - int(np.ceil(far.max(initial=0)))
    beyond = frame.samples + room + int(np.ceil(-far.min(initial=0)))
    nodes = ground_nodes(
        first, frame, scene.terrain,
        covering(top - 2, bottom + 2, NODE_LINES), covering(near - 2, beyond + 2, NODE_SAMPLES),
    )  # fmt: skip
    east, north = scene.terrain.plane(nodes.longitude, nodes.latitude)
    return _Lattice(
        scene,
        nodes,
        nodes.surface(east),
        nodes.surface(north),
        top,
        bottom - top,
        near,
        beyond - near,
        tuple(_sight(first, other, number, nodes) for other in passes),
    )


def _unlike(
    first: PassFrame, other: PassFrame, number: int, seen: View, nodes: Nodes
) -> tuple[Float64, Float64]:
    """Lines by which a pass sees nodes later in its lattice than the first one, metres farther."""
    frame, reference = other.swaths[number], first.swaths[number]
    lines = (seen.line_time - frame.bursts[0].azimuth_time) / frame.line_interval
    late = lines + other.flown.misregistration - nodes.line[:, None]
    return late, seen.slant_range - reference.near_range - reference.range_spacing * nodes.sample


def _sight(first: PassFrame, other: PassFrame, number: int, nodes: Nodes) -> _Sight:
    """Prepare what a pass sees of the lattice."""
    late, far = _unlike(first, other, number, view(other, first.order.scene, nodes), nodes)
    span = float(late.min()), float(late.max())
    return _Sight(other, other.swaths[number], nodes.surface(late), nodes.surface(far), span)


def _canvas(scene: Scene, sight: _Sight, number: int) -> _Canvas:
    """Return an empty burst."""
    frame, burst = sight.frame, sight.frame.bursts[number]
    doppler = burst_doppler(frame, burst, number, sight.seen_by.trajectory, scene.terrain)
    middle, slope = doppler.lines(frame, np.arange(frame.samples, dtype=np.float64))
    azimuth, across = frame.swath.azimuth_band, frame.swath.range_band
    shape = frame.lines, frame.samples + 2 * TAPS
    return _Canvas(
        frame,
        burst,
        (middle * frame.line_interval, slope * frame.line_interval**2),
        (
            response(azimuth[0] * frame.line_interval, azimuth[1]),
            response(across[0] / frame.sampling_rate, across[1]),
        ),
        (np.zeros(shape, np.float32), np.zeros(shape, np.float32)),
    )


def _add_block(
    lattice: _Lattice, burst: int, canvases: Sequence[_Canvas], seed: tuple[int, ...], block: int
) -> None:
    """Add the scatterers of some lines of the lattice to a burst in every pass."""
    rng = np.random.default_rng((*seed, block))
    rows = min(BLOCK, lattice.rows - block * BLOCK)
    shape = rows, lattice.columns
    line = lattice.first_line + block * BLOCK + np.arange(-1.0, rows + 1)
    sample = lattice.first_sample + np.arange(-1.0, lattice.columns + 1)
    jitter = rng.uniform(-0.5, 0.5, (2, *shape)).astype(np.float32)
    common = _gaussian(rng, shape)
    power = lattice.scene.backscatter(
        lattice.east(line[1:-1], sample[1:-1]), lattice.north(line[1:-1], sample[1:-1])
    )
    power = power * np.float32(_CROSS if _is_cross(seed) else 1.0)
    for sight, canvas in zip(lattice.sights, canvases, strict=True):
        own = _gaussian(rng, shape)
        stays = lattice.scene.coherence(power, sight.seen_by.flown.coherence)
        amplitude = _amplitude(lattice.scene, power, stays, (common, own))
        first = line[1] - sight.lines_before(burst), sample[1]
        scales = 4 * np.pi / WAVELENGTH, 1 / sight.frame.range_spacing
        add_lattice(
            amplitude,
            jitter,
            sight.late(line, sample),
            sight.far(line, sample),
            (*first, *scales),
            canvas.frequency,
            canvas.tables,
            canvas.parts,
        )


def _is_cross(seed: tuple[int, ...]) -> bool:
    """Say whether the seed of a block is of a cross-polarised image."""
    return seed[2] in (1, 3)


def _amplitude(
    scene: Scene, power: Float32, coherence: Float64, parts: tuple[Complex64, Complex64]
) -> Complex64:
    """Mix what all passes share with what is a pass's own, noise included."""
    common, own = parts
    total = power + np.float32(scene.noise)
    # With the first pass, which keeps all of its signal but has noise too, the product of shares
    # is to be the coherence.
    quiet = power / total
    share = np.sqrt(np.clip(coherence**2 / quiet, 0, 1)).astype(np.float32)
    rest = np.sqrt(1 - share**2)
    return np.asarray(np.sqrt(total) * (share * common + rest * own), np.complex64)


def _gaussian(rng: np.random.Generator, shape: tuple[int, int]) -> Complex64:
    """Circular complex Gaussian numbers of unit power."""
    parts = rng.standard_normal((*shape, 2), np.float32)
    parts *= np.float32(np.sqrt(0.5))
    return parts.view(np.complex64)[..., 0]


def _add_targets(scene: Scene, flown: PassFrame, canvas: _Canvas) -> None:
    """Add point targets to a burst, each with the phase of its range."""
    frame = canvas.frame
    scratch = np.empty(TAPS, np.float32)
    for target in scene.targets:
        point = target_point(scene, target.east, target.north, flown.flown.uplift)
        seen = zero_doppler(flown.trajectory, point[None], flown.start_time)
        turn = -4 * np.pi / WAVELENGTH * seen.slant_range[0]
        value = np.sqrt(target.power * FLAT_GAMMA0) * np.exp(1j * turn)
        late = float(line_time(flown.order, seen)[0]) - canvas.burst.azimuth_time
        add_scatterer(
            late / frame.line_interval + flown.flown.misregistration,
            (seen.slant_range[0] - frame.near_range) / frame.range_spacing,
            value.real,
            value.imag,
            canvas.frequency,
            canvas.tables,
            scratch,
            canvas.parts,
        )


def target_point(scene: Scene, east: float, north: float, uplift: float) -> Float64:
    """Earth-fixed place (m) of the ground at a place of the local plane, uplift included."""
    longitude, latitude = scene.terrain.geographic(np.array(east), np.array(north))
    height = scene.terrain.height(longitude, latitude)
    height = height + uplift * scene.uplift(np.array(east), np.array(north))
    return cartesian(longitude, latitude, height)
