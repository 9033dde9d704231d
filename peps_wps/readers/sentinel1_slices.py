"""Consecutive products of one pass, which the ground segment cuts into slices, read as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

from algorithms.interferometry.model import Burst, Complex64
from algorithms.radar.grd import GeolocationGrid, StateVectors
from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import SlcProduct, Swath, open_slc, with_orbit


@dataclass(frozen=True)
class JoinedSwath(Swath):
    """A swath of several slices, each burst once; lines of its grid are counted in each slice anew.

    Parameters
    ----------
    slices
        The swath that holds the pixels of each burst, by identifier.
    """

    slices: Mapping[int, Swath]

    def read(
        self,
        burst_id: int,
        lines: tuple[int, int] | None = None,
        samples: tuple[int, int] | None = None,
    ) -> Complex64:
        """Return pixels of a burst; as `Swath.read`."""
        return self.slices[burst_id].read(burst_id, lines, samples)


def open_slices(
    paths: Sequence[Path], polarization: str, *, orbit_folder: Path | None = None
) -> SlcProduct:
    """Read one polarisation of the slices of a pass as one product.

    A burst that two slices hold is read from the one with more valid lines of it.

    Parameters
    ----------
    paths
        Of products of one satellite, mode and direction, in any order; one is read as it is. Orbits
        follow each other: the number goes up where the pass crosses the ascending node.
    polarization
        "VV", "VH", "HH" or "HV".
    orbit_folder
        Where orbit files lie; the vectors of all annotations are used when none covers the pass.

    Raises
    ------
    SafeError
        When a product cannot be read, or they are not of one pass.
    """
    safes = sorted((Safe.open(path) for path in paths), key=lambda one: one.manifest.start)
    first = safes[0].manifest.start
    epoch = datetime.combine(first.date(), datetime.min.time(), UTC)
    slices = [open_slc(safe, polarization, epoch=epoch) for safe in safes]
    product = slices[0] if len(slices) == 1 else join_slices(slices)
    return product if orbit_folder is None else with_orbit(product, orbit_folder)


def join_slices(slices: Sequence[SlcProduct]) -> SlcProduct:
    """Join products of one pass that were opened with one epoch, in the order of time.

    Raises
    ------
    SafeError
        When they are not of one pass.
    """
    first, last = slices[0], slices[-1]
    for before, other in pairwise(slices):
        # Orbits are counted from the ascending node, which a pass may cross.
        orbits = other.manifest.orbit_number - before.manifest.orbit_number
        if _pass_of(other) != _pass_of(first) or orbits not in (0, 1):
            raise SafeError(f"{first.title} and {other.title} are not slices of one pass")
    vectors = _vectors(slices)
    names = sorted({name for product in slices for name in product.swaths})
    swaths = {
        name: _joined([one.swaths[name] for one in slices if name in one.swaths], vectors)
        for name in names
    }
    return replace(
        first,
        title=" and ".join(one.title for one in slices),
        titles=tuple(one.title for one in slices),
        manifest=replace(first.manifest, stop=last.manifest.stop),
        swaths=swaths,
    )


def _pass_of(product: SlcProduct) -> tuple[object, ...]:
    """Return what slices of a pass have in common."""
    manifest = product.manifest
    said = (manifest.platform, manifest.mode, manifest.orbit_direction)
    return (*said, product.polarization, product.epoch)


def _vectors(slices: Sequence[SlcProduct]) -> StateVectors:
    """Return the state vectors of all annotations, each time once."""
    given = [swath.bursts[0].orbit for one in slices for swath in one.swaths.values()]
    times = np.concatenate([orbit.time for orbit in given])
    # Dated to the microsecond: the same vector is in the annotations of neighbours.
    _, kept = np.unique(np.round(times, 3), return_index=True)
    position, velocity = (
        np.concatenate([getattr(orbit, name) for orbit in given])[kept]
        for name in ("position", "velocity")
    )
    return StateVectors(time=times[kept], position=position, velocity=velocity)


def _joined(parts: Sequence[Swath], vectors: StateVectors) -> JoinedSwath:
    """Join the parts of one swath."""
    holders: dict[int, tuple[Burst, Swath]] = {}
    for part in parts:
        for burst in part.bursts:
            held = holders.get(burst.burst_id)
            if held is None or _valid_lines(burst) > _valid_lines(held[0]):
                holders[burst.burst_id] = burst, part
    bursts = sorted((burst for burst, _ in holders.values()), key=lambda one: one.azimuth_time)
    grids = [part.grid for part in parts]
    grid = {
        item.name: np.concatenate([getattr(one, item.name) for one in grids])
        for item in fields(GeolocationGrid)
    }
    return JoinedSwath(
        parts[0].name,
        parts[0].polarization,
        tuple(replace(burst, orbit=vectors) for burst in bursts),
        GeolocationGrid(**grid),
        {burst_id: part for burst_id, (_, part) in holders.items()},
    )


def _valid_lines(burst: Burst) -> int:
    first, last = burst.valid_lines
    return last - first
