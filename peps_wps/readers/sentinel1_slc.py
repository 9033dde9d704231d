"""Read a Sentinel-1 TOPS SLC product (IW or EW): bursts, orbit and pixels of one polarisation."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from algorithms.interferometry.model import Burst, Complex64
from algorithms.radar.grd import GeolocationGrid
from peps_wps.errors import SafeError
from peps_wps.readers.manifest import Manifest
from peps_wps.readers.measurement import ComplexLines
from peps_wps.readers.orbit_file import OrbitKind, find_orbit
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc_annotation import parse_slc_annotation
from peps_wps.readers.wording import printable

ANNOTATION_ORBIT: Final = "annotation"
MODES = ("IW", "EW")
_FILE = r"(?:[^/]*-)?(?P<swath>[a-z]{2}\d)-slc-(?P<polarization>[a-z]{2})(?:-[^/]*)?\."


@dataclass(frozen=True)
class Swath(ABC):
    """One swath of one polarisation.

    Parameters
    ----------
    name, polarization
        "IW1" to "IW3", "EW1" to "EW5"; "VV" and so on.
    bursts
        In the order of time.
    grid
        Places of some pixels.
    """

    name: str
    polarization: str
    bursts: tuple[Burst, ...]
    grid: GeolocationGrid

    @abstractmethod
    def read(
        self,
        burst_id: int,
        lines: tuple[int, int] | None = None,
        samples: tuple[int, int] | None = None,
    ) -> Complex64:
        """Return pixels of a burst, 0 where there is no data.

        Parameters
        ----------
        burst_id
            Which burst.
        lines, samples
            First of the window and the one after the last, in the burst; all by default.

        Raises
        ------
        SafeError
            When the burst is not there, or its pixels are missing or damaged.
        """


@dataclass(frozen=True)
class SlcSwath(Swath):
    """A swath of one product.

    Parameters
    ----------
    measurement
        File of the pixels, None where the product came without.
    """

    safe: Safe = field(repr=False)
    measurement: str | None

    @cached_property
    def image(self) -> ComplexLines:
        """The pixels of all bursts; SafeError when they are missing or truncated."""
        if self.measurement is None:
            raise SafeError(
                f"{self.safe.title} has no measurement of {self.name} {self.polarization}"
            )
        lines = sum(burst.lines for burst in self.bursts)
        return ComplexLines(
            self.safe, self.measurement, lines=lines, samples=self.bursts[0].samples
        )

    def number_of(self, burst_id: int) -> int:
        """Return the place of a burst in the image; SafeError when it is not there."""
        for number, burst in enumerate(self.bursts):
            if burst.burst_id == burst_id:
                return number
        raise SafeError(
            f"{self.safe.title} has no burst {burst_id} in {self.name}, "
            f"{self.bursts[0].burst_id} to {self.bursts[-1].burst_id} found"
        )

    def read(
        self,
        burst_id: int,
        lines: tuple[int, int] | None = None,
        samples: tuple[int, int] | None = None,
    ) -> Complex64:
        """Return pixels of a burst; as `Swath.read`."""
        number = self.number_of(burst_id)
        burst = self.bursts[number]
        first, last = lines or (0, burst.lines)
        if not 0 <= first < last <= burst.lines:
            raise ValueError(f"lines {first} to {last} asked of a burst of {burst.lines} lines")
        top = number * burst.lines
        return self.image.read(top + first, top + last, *(samples or (0, burst.samples)))


@dataclass(frozen=True)
class SlcProduct:
    """One polarisation of an SLC product, or of consecutive ones of a pass.

    Parameters
    ----------
    title
        Of the product; of several, their titles with "and" between.
    epoch
        Zero of all times of the bursts.
    swaths
        By name, in order.
    orbit_source
        "annotation", or the name of the orbit file that was used instead.
    orbit_kind
        What the orbit is: "precise", "restituted", or "annotation".
    titles
        Of all products.
    """

    title: str
    epoch: datetime
    manifest: Manifest
    polarization: str
    swaths: Mapping[str, Swath]
    orbit_source: str
    orbit_kind: OrbitKind | Literal["annotation"]
    titles: tuple[str, ...]

    @property
    def bursts(self) -> dict[tuple[str, int], Burst]:
        """All bursts by swath and identifier: what two products of a track have in common."""
        return {
            (swath.name, burst.burst_id): burst
            for swath in self.swaths.values()
            for burst in swath.bursts
        }


def open_slc(
    safe: Safe,
    polarization: str = "VV",
    *,
    swaths: Sequence[str] | None = None,
    orbit_folder: Path | None = None,
    epoch: datetime | None = None,
) -> SlcProduct:
    """Read one polarisation of a Sentinel-1 SLC product of mode IW or EW.

    Pixels are not read, and one that came without them is missed only when they are asked for.

    Parameters
    ----------
    safe
        The product, a folder or a zip file.
    polarization
        "VV", "VH", "HH" or "HV".
    swaths
        Those wanted; all that are there by default.
    orbit_folder
        Where orbit files lie; the annotation's own vectors are used when none covers the product.
    epoch
        Zero of all times; midnight (UTC) before the product by default.

    Raises
    ------
    SafeError
        When the product is not an SLC of bursts, lacks a polarisation or a swath, or is broken.
    """
    manifest = safe.manifest
    if manifest.product_type != "SLC" or manifest.mode not in MODES:
        raise SafeError(
            f"{safe.title} is a {printable(manifest.product_type)} product of mode "
            f"{printable(manifest.mode)}, an SLC of {' or '.join(MODES)} expected"
        )
    epoch = epoch or datetime.combine(manifest.start.date(), datetime.min.time(), UTC)
    names = _annotations(safe, polarization, swaths)
    found = {name: _read_swath(safe, path, epoch) for name, path in names.items()}
    for name, swath in found.items():
        if (swath.name, swath.polarization) != (name, polarization):
            raise SafeError(
                f"{printable(names[name])} is of {printable(swath.name)} "
                f"{printable(swath.polarization)}, {name} {polarization} expected"
            )
    product = SlcProduct(
        title=safe.title,
        epoch=epoch,
        manifest=manifest,
        polarization=polarization,
        swaths=found,
        orbit_source=ANNOTATION_ORBIT,
        orbit_kind=ANNOTATION_ORBIT,
        titles=(safe.title,),
    )
    return product if orbit_folder is None else with_orbit(product, orbit_folder)


def with_orbit(product: SlcProduct, folder: Path) -> SlcProduct:
    """Return the product with the best orbit file that covers it, itself when there is none."""
    manifest = product.manifest
    orbit = find_orbit(folder, manifest.platform, manifest.start, manifest.stop, product.epoch)
    if orbit is None:
        return product
    swaths = {
        name: replace(
            swath, bursts=tuple(replace(burst, orbit=orbit.vectors) for burst in swath.bursts)
        )
        for name, swath in product.swaths.items()
    }
    return replace(product, swaths=swaths, orbit_source=orbit.name, orbit_kind=orbit.kind)


def _annotations(safe: Safe, polarization: str, swaths: Sequence[str] | None) -> dict[str, str]:
    """Return the annotation of each swath wanted, in order."""
    found = _files(safe, "annotation/", "xml")
    present = sorted({kind for _, kind in found})
    if not present:
        raise SafeError(f"{safe.title} has no annotation file, one a swath expected")
    if polarization not in present:
        raise SafeError(
            f"{safe.title} has no polarisation {printable(polarization)}: "
            f"{', '.join(present)} found"
        )
    names = {name: path for (name, kind), path in sorted(found.items()) if kind == polarization}
    missing = [name for name in swaths or () if name not in names]
    if missing:
        raise SafeError(
            f"{safe.title} has no annotation of {', '.join(map(printable, missing))} "
            f"{polarization}: {', '.join(names)} found"
        )
    return {name: path for name, path in names.items() if swaths is None or name in swaths}


def _read_swath(safe: Safe, path: str, epoch: datetime) -> SlcSwath:
    relative_orbit = safe.manifest.relative_orbit
    parsed = parse_slc_annotation(safe.read(path), printable(path), epoch, relative_orbit)
    measurements = _files(safe, "measurement/", "tiff?")
    return SlcSwath(
        name=parsed.swath,
        polarization=parsed.polarization,
        bursts=parsed.bursts,
        grid=parsed.grid,
        safe=safe,
        measurement=measurements.get((parsed.swath, parsed.polarization)),
    )


def _files(safe: Safe, folder: str, extension: str) -> dict[tuple[str, str], str]:
    """Return the files of a folder by swath and polarisation: ``s1a-iw1-slc-vv-...``."""
    pattern = re.compile(re.escape(folder) + _FILE + extension)
    found: dict[tuple[str, str], str] = {}
    for name in safe.names(folder):
        naming = pattern.fullmatch(name)
        if naming is None:
            continue
        key = naming["swath"].upper(), naming["polarization"].upper()
        if key in found:
            raise SafeError(f"{safe.title} has two files {folder} for {' '.join(key)}, 1 expected")
        found[key] = name
    return found
