"""Read a Sentinel-1 GRD product: annotation, calibration, noise, orbit and pixels of each image."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path

from shapely.geometry import Polygon

from algorithms.radar.grd import GrdAnnotation, NoiseLut
from peps_wps.errors import SafeError
from peps_wps.readers.manifest import IpfVersion, Manifest
from peps_wps.readers.measurement import LineSource, open_lines
from peps_wps.readers.orbit_file import find_orbit
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_annotation import parse_annotation
from peps_wps.readers.sentinel1_calibration import CalibrationTables, parse_calibration
from peps_wps.readers.sentinel1_noise import parse_noise
from peps_wps.readers.wording import printable

ANNOTATION_ORBIT = "annotation"
FileStates = tuple[tuple[int, int, int, int], ...]


# Products that stay open between the tasks of an order: the frames that a tile mostly has. Each
# deflated image keeps up to 70 MB (restart points and the last chunks).
KEPT_PRODUCTS = 2


class Pixels:
    """The pixels of one image, opened at first use and shared by all that read the product.

    Parameters
    ----------
    safe
        The product.
    name
        The measurement; None when the product came without.
    lines, samples
        Its size, as the annotation says.
    """

    def __init__(self, safe: Safe, name: str | None, lines: int, samples: int) -> None:
        self._safe = safe
        self._name = name
        self._shape = lines, samples

    @cached_property
    def lines(self) -> LineSource:
        """The lines; SafeError when they are missing or truncated."""
        if self._name is None:
            raise SafeError(
                f"{self._safe.title} has no measurement, a TIFF a polarisation expected"
            )
        lines, samples = self._shape
        return open_lines(self._safe, self._name, lines=lines, samples=samples)


@dataclass(frozen=True)
class GrdImage:
    """One polarisation of a GRD product."""

    annotation: GrdAnnotation
    safe: Safe = field(repr=False)
    pixels: Pixels = field(repr=False)

    @property
    def lines(self) -> LineSource:
        """The pixels, opened at first use; SafeError when they are missing or truncated."""
        return self.pixels.lines


@dataclass(frozen=True)
class GrdProduct:
    """A GRD product.

    Parameters
    ----------
    epoch
        Zero of all times of the annotations.
    images
        By polarisation, co-polarised first.
    orbit_source
        "annotation", or the name of the orbit file that was used instead.
    """

    title: str
    epoch: datetime
    manifest: Manifest
    images: dict[str, GrdImage]
    orbit_source: str

    @property
    def ipf(self) -> IpfVersion:
        """Version of the processor."""
        return _ipf(self.manifest)

    @property
    def mode(self) -> str:
        """Acquisition mode: "IW", "EW" or "SM"."""
        return self.manifest.mode

    @property
    def platform(self) -> str:
        """Satellite: "S1A" to "S1D"."""
        return self.manifest.platform

    @property
    def footprint(self) -> Polygon:
        """Longitude and latitude, degrees."""
        return self.manifest.footprint


def read_grd(
    path: Path,
    *,
    polarizations: Sequence[str] | None = None,
    orbit_folder: Path | None = None,
    epoch: datetime | None = None,
) -> GrdProduct:
    """Read a Sentinel-1 GRD product from a SAFE folder or a zip file.

    Pixels are not read, and the calibration of a product that came without is missed only when it
    is asked for. What was read stays open for the next tile of the order, until other products come
    or the files change.

    Parameters
    ----------
    polarizations
        Those wanted, "VV" and so on; all by default.
    orbit_folder
        Where orbit files lie; the annotation's own vectors are used when none covers the product.
    epoch
        Zero of all times; midnight (UTC) before the product by default. Give the same one for
        consecutive frames.

    Raises
    ------
    SafeError
        When the product is not a GRD, lacks a polarisation, or is broken.
    """
    product = _opened(path, _state(path))
    safe = product.safe
    manifest = safe.manifest
    if manifest.product_type != "GRD":
        raise SafeError(
            f"{safe.title} is a {printable(manifest.product_type)} product, GRD expected"
        )
    epoch = epoch or _midnight(manifest)
    images = {p: product.image(p, epoch) for p in _wanted(safe, polarizations)}
    orbit = None
    if orbit_folder is not None:
        orbit = find_orbit(orbit_folder, manifest.platform, manifest.start, manifest.stop, epoch)
    if orbit is not None:
        images = {
            p: replace(image, annotation=replace(image.annotation, precise_vectors=orbit.vectors))
            for p, image in images.items()
        }
    return GrdProduct(
        title=safe.title,
        epoch=epoch,
        manifest=manifest,
        images=images,
        orbit_source=ANNOTATION_ORBIT if orbit is None else orbit.name,
    )


def check_grd(safe: Safe) -> None:
    """Raise SafeError unless `read_grd` can read an open GRD product; nothing of it is kept."""
    for polarization in _wanted(safe, None):
        _read_image(safe, polarization, _midnight(safe.manifest))


def _midnight(manifest: Manifest) -> datetime:
    """Return the midnight (UTC) before a product."""
    return datetime.combine(manifest.start.date(), datetime.min.time(), UTC)


class _OpenProduct:
    """A product and those of its images that were read, by polarisation and epoch."""

    def __init__(self, path: Path) -> None:
        self.safe = Safe.open(path)
        self.image = cache(partial(_read_image, self.safe))


@lru_cache(maxsize=KEPT_PRODUCTS)
def _opened(path: Path, _state: FileStates) -> _OpenProduct:
    """Open a product, or return it as it was opened when its files were the same."""
    return _OpenProduct(path)


def _state(path: Path) -> FileStates:
    """Return what changes when a product is replaced: place, size and time of its files."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    states = [file.stat() for file in files if file.exists()]
    return tuple((s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in states)


def _wanted(safe: Safe, polarizations: Sequence[str] | None) -> list[str]:
    """Return the polarisations to read; by default those of which there is an annotation."""
    present = [p for p in safe.manifest.polarizations if _name_of(safe, "annotation/", p)]
    missing = [p for p in polarizations or () if p not in present]
    if missing:
        raise SafeError(
            f"{safe.title} has no polarisation {', '.join(missing)}: "
            f"{', '.join(present) or 'no annotation'} found"
        )
    if not present:
        raise SafeError(f"{safe.title} has no annotation file, one a polarisation expected")
    return present if polarizations is None else [p for p in present if p in polarizations]


def _read_image(safe: Safe, polarization: str, epoch: datetime) -> GrdImage:
    manifest = safe.manifest
    name = _name_of(safe, "annotation/", polarization)
    if name is None:
        raise SafeError(f"{safe.title} has no annotation for {polarization}")
    image = parse_annotation(safe.read(name), printable(name), epoch)
    if image.polarization != polarization:
        raise SafeError(
            f"{printable(name)} is of {printable(image.polarization)}, {polarization} expected"
        )
    calibration = _read_calibration(safe, polarization)
    annotation = GrdAnnotation(
        first_line_time=image.first_line_time,
        line_interval=image.line_interval,
        range_spacing=image.range_spacing,
        lines=image.lines,
        samples=image.samples,
        state_vectors=image.state_vectors,
        ground_range=image.ground_range,
        grid=image.grid,
        calibration=calibration,
        noise=_read_noise(safe, manifest, polarization, calibration),
    )
    name = _name_of(safe, "measurement/", polarization)
    return GrdImage(annotation, safe, Pixels(safe, name, image.lines, image.samples))


def _read_calibration(safe: Safe, polarization: str) -> CalibrationTables:
    name = _name_of(safe, "annotation/calibration/calibration-", polarization)
    if name is None:
        return CalibrationTables({}, f"{safe.title}, calibration file of {polarization} missing")
    return parse_calibration(safe.read(name), printable(name))


def _read_noise(
    safe: Safe, manifest: Manifest, polarization: str, calibration: CalibrationTables
) -> NoiseLut | None:
    name = _name_of(safe, "annotation/calibration/noise-", polarization)
    if name is None:
        return None
    return parse_noise(
        safe.read(name),
        printable(name),
        mode=manifest.mode,
        ipf_version=_ipf(manifest),
        calibration=calibration,
    )


def _name_of(safe: Safe, prefix: str, polarization: str) -> str | None:
    """Return the file of a polarisation: ``s1a-iw-grd-vv-...`` (ESA) or ``iw-vv.xml`` (AWS)."""
    pattern = re.compile(re.escape(prefix) + rf"[^/]*-{polarization.lower()}(-[^/]*)?\.(xml|tiff?)")
    names = [name for name in safe.names(prefix) if pattern.fullmatch(name)]
    if len(names) > 1:
        raise SafeError(
            f"{safe.title} has {len(names)} files {prefix} for {polarization}, 1 expected"
        )
    return names[0] if names else None


def _ipf(manifest: Manifest) -> IpfVersion:
    if manifest.ipf_version is None:
        raise SafeError(f"manifest of {manifest.title} names no processor version")
    return manifest.ipf_version
