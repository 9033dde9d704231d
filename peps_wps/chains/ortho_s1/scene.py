"""One pass of Sentinel-1 as a tile sees it: geometry, and calibrated windows of each image."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithms.radar.border import Border, BorderFinder
from algorithms.radar.calibration import backscatter
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.grd import GrdAnnotation, VectorLut
from algorithms.radar.ortho import FrameWindow, Window, frame_windows
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.source import ChunkedImage
from peps_wps.errors import ChainError, SafeError
from peps_wps.readers.sentinel1_grd import GrdImage, GrdProduct, read_grd

# From this processor version on, what lies outside the swath is zero.
IPF_WITHOUT_BORDER_NOISE = (2, 90)
STRIP_LINES = 256
# Where a quantity is calibrated from: terrain flattening starts from beta0.
_TABLE = {"gamma0": "gamma0", "sigma0": "sigma0", "beta0": "beta0", "gamma0_rtc": "beta0"}
_UNIT_TABLE = VectorLut(np.zeros(1), (np.zeros(1),), (np.ones(1),))


@dataclass(frozen=True)
class Scene:
    """The frames of one pass.

    Parameters
    ----------
    geometry
        Of all frames as one image.
    frames
        The products, in the order of the geometry's frames.
    polarizations
        Those to compute.
    """

    geometry: RadarGeometry
    frames: tuple[GrdProduct, ...]
    polarizations: tuple[str, ...]

    @cached_property
    def borders(self) -> tuple[Border | None, ...]:
        """The border noise of each frame by its co-polarised image; newer processors leave none."""
        return tuple(
            None
            if frame.ipf >= IPF_WITHOUT_BORDER_NOISE
            else _border(frame, begins=index == 0, ends=index == len(self.frames) - 1)
            for index, frame in enumerate(self.frames)
        )

    @property
    def has_noise(self) -> bool:
        """Whether any of the images carries a noise estimate."""
        return any(
            (noise := frame.images[name].annotation.noise) is not None and not noise.is_zero
            for frame in self.frames
            for name in self.polarizations
        )


def read_scene(
    paths: Sequence[Path], polarizations: Sequence[str], order: Order, orbit_folder: Path
) -> Scene:
    """Read the annotations of consecutive frames; pixels are read later, window by window.

    Raises
    ------
    SafeError
        When a product is damaged or is not what its order needs.
    ChainError
        When the model does not fit the product's own geolocation grid.
    """
    folder = orbit_folder if orbit_folder.is_dir() else None
    first = read_grd(paths[0], orbit_folder=folder)
    frames = [first] + [
        read_grd(path, orbit_folder=folder, epoch=first.epoch) for path in paths[1:]
    ]
    for frame in frames:
        _check_complete(frame, polarizations, order)
    frames.sort(key=lambda frame: _co_polarized(frame).annotation.first_line_time)
    try:
        geometry = RadarGeometry.from_annotations(
            [_co_polarized(frame).annotation for frame in frames],
            bistatic=order.bistatic,
            srgr="nearest" if order.srgr == "nearest" else "linear",
        )
    except ValueError as error:
        raise ChainError(f"{frames[0].title}: {error}") from error
    for frame, check in zip(frames, geometry.check_against_grid(), strict=True):
        reason = check.refusal(float(f"{frame.ipf.major}.{frame.ipf.minor:02d}"))
        if reason is not None:
            raise ChainError(f"{frame.title}: {reason}")
    return Scene(geometry, tuple(frames), tuple(polarizations))


def _check_complete(frame: GrdProduct, polarizations: Sequence[str], order: Order) -> None:
    """Refuse a product that lacks an image of the order, or what denoising it needs."""
    for name in polarizations:
        if name not in frame.images:
            raise SafeError(
                f"{frame.title} has no polarization {name}, found {', '.join(frame.images)}"
            )
        if removes_noise(order) and frame.images[name].annotation.noise is None:
            raise SafeError(
                f"{frame.title} has no noise file of {name}: order it with denoise=false"
            )


def removes_noise(order: Order) -> bool:
    """Whether an order is for images without thermal noise; digital numbers are as they are."""
    return order.denoise and order.calibration != "dn"


def _co_polarized(frame: GrdProduct) -> GrdImage:
    """Return the first image: its geometry holds for the other polarisation too."""
    return next(iter(frame.images.values()))


def _border(frame: GrdProduct, *, begins: bool, ends: bool) -> Border:
    """Look for the border noise of an old product; reads its co-polarised image once."""
    lines = _co_polarized(frame).lines
    finder = BorderFinder(lines.lines, lines.samples, begins=begins, ends=ends)
    for first in range(0, lines.lines, STRIP_LINES):
        finder.add(lines.read(first, min(first + STRIP_LINES, lines.lines)))
    return finder.border()


class CalibratedImage:
    """One polarisation of a scene: windows of backscatter in radar geometry, from any thread.

    Parameters
    ----------
    scene
        The frames.
    polarization
        Which image of each.
    order
        Calibration and denoising.
    """

    def __init__(self, scene: Scene, polarization: str, order: Order) -> None:
        self._geometry = scene.geometry
        self._annotations = [f.images[polarization].annotation for f in scene.frames]
        self._tables = [_table(a, order.calibration) for a in self._annotations]
        self._borders = scene.borders
        self._denoise = removes_noise(order)
        self._images = [
            ChunkedImage(product.images[polarization].lines) for product in scene.frames
        ]

    def backscatter(self, window: Window) -> NDArray[np.float32]:
        """Return linear power of a window of the whole image, NaN where there is none."""
        shape = (window.last_line - window.first_line, window.last_sample - window.first_sample)
        parts = frame_windows(self._geometry, window)
        everything = (slice(0, shape[0]), slice(0, shape[1]))
        if len(parts) == 1 and (parts[0].lines, parts[0].samples) == everything:
            return self._frame_backscatter(parts[0])
        whole = np.full(shape, np.nan, np.float32)
        for part in parts:
            whole[part.lines, part.samples] = self._frame_backscatter(part)
        return whole

    def _frame_backscatter(self, part: FrameWindow) -> NDArray[np.float32]:
        """Read and calibrate what one frame holds of a window."""
        read, frame = part.read, part.frame
        shape = (read.last_line - read.first_line, read.last_sample - read.first_sample)
        numbers = np.empty(shape, np.uint16)
        self._images[frame].read(read, numbers)
        border = self._borders[frame]
        if border is not None:
            numbers = border.cut(numbers, read.first_line, read.first_sample)
        return backscatter(
            numbers,
            first_line=read.first_line,
            first_sample=read.first_sample,
            table=self._tables[frame],
            noise=self._annotations[frame].noise if self._denoise else None,
        )


def _table(annotation: GrdAnnotation, calibration: str) -> VectorLut:
    """Return the calibration table of a quantity; digital numbers need none."""
    if calibration == "dn":
        return _UNIT_TABLE
    return annotation.calibration[_TABLE[calibration]]
