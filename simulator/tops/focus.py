"""Make the bursts of one swath, for all passes at once, scatterer by scatterer.

Scatterers lie on a lattice of the first pass, one a pixel, off its nodes at random. What a pass
sees of one is the same in all bursts that see it; what passes have in common is the coherence.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.ellipsoid import cartesian
from simulator.tops.doppler import WAVELENGTH, BurstDoppler, burst_doppler
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
class SwathImages:
    """Bursts of one swath in one pass: complex DN (not rounded), shape (lines, samples) each."""

    bursts: tuple[Complex64, ...]


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
    """How one pass sees the lattice: lines later and metres farther than the lattice, by place."""

    seen_by: PassFrame
    frame: SwathFrame
    late: Surface
    far: Surface
    canvases: tuple[_Canvas, ...]


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
) -> list[SwathImages]:
    """Make the bursts of swath `number` in every pass.

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
    """
    lattice = _lattice(passes, number)
    scene = passes[0].order.scene
    seed = (passes[0].order.seed, number, ("VV", "VH", "HH", "HV").index(polarization))
    blocks = range(-(-lattice.rows // BLOCK))
    with ThreadPoolExecutor(threads) as pool:
        # Neighbouring blocks touch the same lines; every second one does not.
        for part in (blocks[::2], blocks[1::2]):
            list(pool.map(lambda block: _add_block(lattice, block, (*seed, block)), part))
    for sight in lattice.sights:
        _add_targets(scene, sight)
    return [
        SwathImages(tuple(canvas.image() for canvas in sight.canvases)) for sight in lattice.sights
    ]


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
    """Prepare what a pass sees of the lattice, and its empty bursts."""
    scene, frame = first.order.scene, other.swaths[number]
    late, far = _unlike(first, other, number, view(other, scene, nodes), nodes)
    canvases = []
    for place, burst in enumerate(frame.bursts):
        doppler = burst_doppler(frame, burst, place, other.trajectory, scene.terrain)
        canvases.append(_canvas(frame, burst, doppler))
    return _Sight(other, frame, nodes.surface(late), nodes.surface(far), tuple(canvases))


def _canvas(frame: SwathFrame, burst: BurstFrame, doppler: BurstDoppler) -> _Canvas:
    """Return an empty burst."""
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


def _add_block(lattice: _Lattice, block: int, seed: tuple[int, ...]) -> None:
    """Add the scatterers of some lines of the lattice to every burst of every pass."""
    rng = np.random.default_rng(seed)
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
    for sight in lattice.sights:
        own = _gaussian(rng, shape)
        stays = lattice.scene.coherence(power, sight.seen_by.flown.coherence)
        amplitude = _amplitude(lattice.scene, power, stays, (common, own))
        _add_to_bursts(sight, (line, sample), amplitude, jitter)


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


def _add_to_bursts(
    sight: _Sight, place: tuple[Float64, Float64], amplitude: Complex64, jitter: Float32
) -> None:
    """Add a block to the bursts of a pass that its lines fall into."""
    line, sample = place
    late, far = sight.late(line, sample), sight.far(line, sample)
    frame = sight.frame
    origin = frame.bursts[0].azimuth_time
    for canvas in sight.canvases:
        before = (canvas.burst.azimuth_time - origin) / frame.line_interval
        first = line[1] - before
        if first + late.max() + line.size < -REACH or first + late.min() > frame.lines + REACH:
            continue
        geometry = (first, sample[1], 4 * np.pi / WAVELENGTH, 1 / frame.range_spacing)
        add_lattice(
            amplitude, jitter, late, far, geometry, canvas.frequency, canvas.tables, canvas.parts
        )


def _add_targets(scene: Scene, sight: _Sight) -> None:
    """Add point targets to the bursts of a pass, each with the phase of its range."""
    flown, frame = sight.seen_by, sight.frame
    scratch = np.empty(TAPS, np.float32)
    for target in scene.targets:
        point = target_point(scene, target.east, target.north, flown.flown.uplift)
        seen = zero_doppler(flown.trajectory, point[None], flown.start_time)
        turn = -4 * np.pi / WAVELENGTH * seen.slant_range[0]
        value = np.sqrt(target.power * FLAT_GAMMA0) * np.exp(1j * turn)
        sample = (seen.slant_range[0] - frame.near_range) / frame.range_spacing
        time = float(line_time(flown.order, seen)[0])
        for canvas in sight.canvases:
            line = (time - canvas.burst.azimuth_time) / frame.line_interval
            line += flown.flown.misregistration
            add_scatterer(
                line, sample, value.real, value.imag,
                canvas.frequency, canvas.tables, scratch, canvas.parts,
            )  # fmt: skip


def target_point(scene: Scene, east: float, north: float, uplift: float) -> Float64:
    """Earth-fixed place (m) of the ground at a place of the local plane, uplift included."""
    longitude, latitude = scene.terrain.geographic(np.array(east), np.array(north))
    height = scene.terrain.height(longitude, latitude)
    height = height + uplift * scene.uplift(np.array(east), np.array(north))
    return cartesian(longitude, latitude, height)
