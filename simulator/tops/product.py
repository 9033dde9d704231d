"""Write the passes of an order as SLC products, with what is true of them beside."""

import shutil
from binascii import crc_hqx
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.dem import write_dem
from simulator.manifest import (
    POLARIZATION_CODES,
    ProductFile,
    frame_set_xml,
    information_xml,
    orbit_reference_xml,
    package_xml,
    period_xml,
    platform_xml,
    processing_xml,
)
from simulator.measurement import MeasurementFile
from simulator.orbit_file import write_orbit_file
from simulator.s1_grd import Packing, publish
from simulator.tops.annotation_xml import SwathImage, annotation_xml, calibration_xml
from simulator.tops.doppler import burst_doppler
from simulator.tops.focus import focus_swath
from simulator.tops.geometry import ground_nodes
from simulator.tops.plan import Order, PassFrame, plan
from simulator.tops.truth import describe, save_fields

Complex64 = NDArray[np.complex64]

_ROOM_DEG = 0.02  # of relief around the footprint
_NOISE_DN = 55.0  # of each part, in images of nothing but noise


@dataclass(frozen=True)
class Options:
    """How to write the products.

    Parameters
    ----------
    packing
        A SAFE folder, or a zip of it with stored or deflated members.
    orbit_files
        Kind of the orbit file written for each pass; None for none. Passes with an error of
        their annotated orbit have one in any case, precise by default.
    dem
        Whether to write the relief, in the folder `dem`.
    slices
        Which bursts of a pass, by number, each of its products holds; none for one product with
        all of them.
    is_noise
        Images of noise without any scene, for measurements of cost alone: a whole product takes
        seconds, and nothing of it is true.
    threads
        Parts made at once.
    """

    packing: Packing = "folder"
    orbit_files: Literal["POEORB", "RESORB"] | None = None
    dem: bool = True
    slices: tuple[range, ...] = ()
    is_noise: bool = False
    threads: int = 2


def write_passes(folder: Path, order: Order, options: Options | None = None) -> list[Path]:
    """Simulate the passes of an order.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    order
        What to acquire.
    options
        How to write.

    Returns
    -------
    The products of each pass, in their order. Beside each lie `<title>.truth.json`, which rebuilds
    the order, and but for those of the first pass `<title>.truth.npz`, what is true of the pair
    that it makes with the first one.
    """
    options = options or Options()
    folder.mkdir(parents=True, exist_ok=True)
    passes = plan(order)
    if options.dem:
        write_dem(folder / "dem", order.scene.terrain, _bounds(passes))
    parts = _parts(folder, passes, options.slices)
    for part in parts:
        shutil.rmtree(part.partial, ignore_errors=True)
    for polarization in order.polarizations:
        for number in range(len(order.swaths)):
            writers = [_ImageWriter(one.partial, one.image(number, polarization)) for one in parts]
            for place, burst in enumerate(_make_swath(passes, number, polarization, options)):
                for part, writer in zip(parts, writers, strict=True):
                    if place in part.bursts:
                        writer.append(burst[part.whole.number])
            for part, writer in zip(parts, writers, strict=True):
                part.images.append(writer.image)
                part.files += writer.close()
    return [_publish(folder, part.partial, (part.images, part.files), options) for part in parts]


@dataclass
class _Part:
    """A product that is being written: some bursts of a pass."""

    partial: Path
    whole: PassFrame
    flown: PassFrame
    bursts: range
    images: list[SwathImage] = field(default_factory=list)
    files: list[ProductFile] = field(default_factory=list)

    def image(self, number: int, polarization: str) -> SwathImage:
        """Describe the image of a swath."""
        image = _image(self.whole, number, polarization)
        dopplers = image.dopplers[self.bursts.start : self.bursts.stop]
        return replace(
            image, seen_by=self.flown, frame=self.flown.swaths[number], dopplers=dopplers
        )


def _parts(folder: Path, passes: Sequence[PassFrame], slices: tuple[range, ...]) -> list[_Part]:
    """Return the products of all passes."""
    parts = []
    for whole in passes:
        every = range(len(whole.swaths[0].bursts))
        for count, bursts in enumerate(slices or (every,)):
            partial = folder / f".pass-{whole.number}-{count}.partial"
            flown = whole.slice(bursts) if slices else whole
            parts.append(_Part(partial, whole, flown, bursts))
    return parts


def _image(flown: PassFrame, number: int, polarization: str) -> SwathImage:
    """Describe the image of a swath: bursts state what they were made with."""
    frame, terrain = flown.swaths[number], flown.order.scene.terrain
    count = flown.order.polarizations.index(polarization) * len(flown.swaths) + number + 1
    return SwathImage(
        flown,
        frame,
        polarization,
        count,
        tuple(
            burst_doppler(frame, burst, place, flown.trajectory, terrain)
            for place, burst in enumerate(frame.bursts)
        ),
    )


def _make_swath(
    passes: Sequence[PassFrame], number: int, polarization: str, options: Options
) -> Iterable[Sequence[Complex64]]:
    """Return the bursts of a swath, each in every pass."""
    if not options.is_noise:
        return focus_swath(passes, number, polarization, threads=options.threads)
    count = len(passes[0].swaths[number].bursts)
    return repeat([_noise(flown, number) for flown in passes], count)


def _noise(flown: PassFrame, number: int) -> Complex64:
    """Return a burst of noise, within the samples that hold data."""
    frame = flown.swaths[number]
    rng = np.random.default_rng(flown.order.seed)
    parts = rng.standard_normal((frame.lines, frame.samples, 2), np.float32)
    image: Complex64 = (np.float32(_NOISE_DN) * parts).view(np.complex64)[..., 0]
    top, bottom = frame.valid_lines
    near, beyond = frame.valid_samples
    image[:top] = image[bottom:] = 0
    image[:, :near] = image[:, beyond:] = 0
    return image


class _ImageWriter:
    """Writes measurement, annotation and calibration of an image, burst by burst."""

    def __init__(self, partial: Path, image: SwathImage) -> None:
        for name in ("annotation/calibration", "measurement"):
            (partial / name).mkdir(parents=True, exist_ok=True)
        self.image = image
        self._partial = partial
        self._nodes = image.grid()
        self._path = f"measurement/{image.stem}.tiff"
        frame, nodes = image.frame, self._nodes
        line, sample = np.meshgrid(image.grid_lines(), nodes.sample, indexing="ij")
        place = (np.degrees(nodes.longitude), np.degrees(nodes.latitude), nodes.height)
        self._measurement = MeasurementFile(
            partial / self._path,
            (len(frame.bursts) * frame.lines, frame.samples),
            np.stack((sample, line, np.zeros(line.shape), *place), axis=-1).reshape(-1, 6),
            f"Sentinel-{image.seen_by.satellite.name[1:]} {image.seen_by.order.mode.name} SLC L1",
            is_complex=True,
        )

    def append(self, burst: Complex64) -> None:
        """Write one more burst."""
        self._measurement.append_complex(_rounded(burst))

    def close(self) -> list[ProductFile]:
        """Finish the image; return its files."""
        self._measurement.close()
        stated = replace(self.image, first_pixel=self._measurement.first_pixel)
        written = self._measurement.size, self._measurement.md5
        files = [ProductFile(self._path, *written, "s1Level1MeasurementSchema")]
        stem = self.image.stem
        for name, content, role in (
            (f"annotation/{stem}.xml", annotation_xml(stated, self._nodes), "Product"),
            (
                f"annotation/calibration/calibration-{stem}.xml",
                calibration_xml(stated, self._nodes),
                "Calibration",
            ),
        ):
            (self._partial / name).write_bytes(content)
            files.append(ProductFile.of(name, content, f"s1Level1{role}Schema"))
        return files


def _rounded(image: Complex64) -> NDArray[np.int16]:
    """Round to 16-bit parts, shape (lines, samples, 2)."""
    parts = np.rint(image.view(np.float32)).clip(-32_768, 32_767).astype(np.int16)
    return parts.reshape(*image.shape, 2)


def _publish(
    folder: Path,
    partial: Path,
    written: tuple[Sequence[SwathImage], Sequence[ProductFile]],
    options: Options,
) -> Path:
    """Write manifest, truth and orbit file of a pass; give the product its name."""
    images, files = written
    flown = images[0].seen_by
    manifest = _manifest(flown, files)
    (partial / "manifest.safe").write_bytes(manifest)
    title = (
        f"{flown.satellite.name}_{flown.order.mode.name}_SLC__1S"
        f"{POLARIZATION_CODES[flown.order.polarizations]}_"
        f"{flown.utc(flown.start_time):%Y%m%dT%H%M%S}_{flown.utc(flown.stop_time):%Y%m%dT%H%M%S}_"
        f"{flown.absolute_orbit:06d}_{flown.datatake:06X}_{crc_hqx(manifest, 0xFFFF):04X}"
    )
    kind = options.orbit_files or ("POEORB" if any(flown.flown.orbit_error) else None)
    if kind is not None:
        write_orbit_file(
            folder / "orbits", flown.satellite.name, flown.epoch, flown.trajectory, kind=kind
        )
    known = {"product": title, "pass": flown.number, "order": describe(flown.order)}
    if flown.number > 0 and not options.is_noise:
        save_fields(folder / f"{title}.truth.npz", flown.order, flown.number)
    return publish(partial, folder, title, known, options.packing)


def _manifest(flown: PassFrame, files: Sequence[ProductFile]) -> bytes:
    """Manifest of the product of a pass."""
    order, mode = flown.order, flown.order.mode.name
    version = ".".join(f"{int(part):0{digits}d}" for part, digits in zip(
        order.processor.split("."), (3, 2), strict=True
    ))  # fmt: skip
    start, stop = flown.utc(flown.start_time), flown.utc(flown.stop_time)
    node = flown.utc(flown.node_time)
    kind = "d" if len(order.polarizations) == 2 else "s"
    parts = {
        "processing": processing_xml("SLC Processing", version, stop),
        "platform": platform_xml(flown.satellite, mode, order.swaths),
        "measurementOrbitReference": orbit_reference_xml(
            (flown.absolute_orbit, flown.relative_orbit), node, ascending=order.ascending
        ),
        "generalProductInformation": information_xml(
            flown.datatake, order.polarizations, "SLC", (1, 1)
        ),
        "acquisitionPeriod": period_xml(start, stop, node),
        "measurementFrameSet": frame_set_xml(_corners(flown)),
    }
    return package_xml(f"slc/standard/{mode.lower()}{kind}p", f"{mode} Level-1 SLC", parts, files)


def _corners(flown: PassFrame) -> list[tuple[float, float]]:
    """Longitude and latitude, degrees: last line near and far, first line far and near."""
    ends = []
    for swath, sample in ((flown.swaths[0], 0.0), (flown.swaths[-1], flown.swaths[-1].samples - 1)):
        lines = (swath.last_time - swath.bursts[0].azimuth_time) / swath.line_interval
        terrain = flown.order.scene.terrain
        nodes = ground_nodes(flown, swath, terrain, np.array([0.0, lines]), np.array([sample]))
        ends.append(np.degrees(np.stack((nodes.longitude[:, 0], nodes.latitude[:, 0]), axis=-1)))
    near, far = ends
    return [(float(x), float(y)) for x, y in (near[1], far[1], far[0], near[0])]


def _bounds(passes: Sequence[PassFrame]) -> tuple[float, float, float, float]:
    """West, south, east, north (degrees) of the ground under all passes, with some room.

    East is beyond 180 where they cross the antimeridian.
    """
    places = np.array([corner for flown in passes for corner in _corners(flown)])
    places[:, 0] = np.unwrap(places[:, 0], period=360.0)
    west, south = places.min(axis=0) - _ROOM_DEG
    east, north = places.max(axis=0) + _ROOM_DEG
    return float(west), float(south), float(east), float(north)
