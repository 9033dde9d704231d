"""Two opened products and the bursts that both have: what an interferogram is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from algorithms.geodesy import ecef_to_geodetic
from algorithms.interferometry.cells import LONGEST_S, CellGrid, Looks, cell_grid
from algorithms.interferometry.geometry import ground_at
from algorithms.interferometry.model import Burst
from peps_wps.chains.interferometry.order_fields import BurstName
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel1_slc import SlcProduct, Swath
from peps_wps.readers.sentinel1_slices import open_slices

BurstKey = tuple[str, int]  # swath and relative identifier

_EDGE_SAMPLES = 7  # of the outline of a burst: it is curved in longitude and latitude
_HIGHER_BETWEEN = 300.0  # m, ground between the points of a geolocation grid
_SAME_FREQUENCY = 1e-6  # relative
_MOST_NAMED = 6  # bursts in a sentence


@dataclass(frozen=True)
class Wanted:
    """Which bursts an order is for.

    Parameters
    ----------
    region
        WKT in longitude and latitude: those that meet it; None for all.
    names
        Just these, as ``144_308029_IW1``; none for all.
    """

    region: str | None = None
    names: tuple[str, ...] = ()

    def of(self, shown: BaseGeometry) -> BaseGeometry:
        """Return what is wanted of an area that bursts show, degrees."""
        if self.region is None:
            return shown
        return shown.intersection(on_one_turn(shapely.from_wkt(self.region), shown.centroid.x))


@dataclass(frozen=True)
class SlcPair:
    """Two products of a track.

    Parameters
    ----------
    reference, secondary
        One polarisation of each.
    keys
        The bursts that are wanted and both have, by swath and time.
    remarks
        What is to be told of bursts that only one has.
    """

    reference: SlcProduct
    secondary: SlcProduct
    keys: tuple[BurstKey, ...]
    remarks: tuple[str, ...] = ()

    def bursts(self, key: BurstKey) -> tuple[Burst, Burst]:
        """Return a burst of the reference and of the secondary."""
        return self.reference.bursts[key], self.secondary.bursts[key]

    def grid(self, looks: Looks) -> CellGrid:
        """Return the cells over all bursts: every task finds the same."""
        bursts = self.reference.bursts
        return cell_grid([bursts[key] for key in self.keys], looks)

    def name_of(self, key: BurstKey) -> str:
        """Return the name of a burst."""
        return burst_name(self.reference, key)


def burst_name(product: SlcProduct, key: BurstKey) -> str:
    """Return the name of a burst of a product."""
    return str(BurstName(product.manifest.relative_orbit, key[1], key[0]))


def open_pair(
    paths: tuple[Sequence[Path], Sequence[Path]],
    polarization: str,
    orbit_folder: Path | None,
    wanted: Wanted,
) -> SlcPair:
    """Open two passes and find the bursts that both have; no pixel is read.

    Parameters
    ----------
    paths
        Of the products, or slices, of the reference and of the secondary.
    polarization
        "VV" and so on.
    orbit_folder
        Where orbit files lie.
    wanted
        Which bursts.

    Raises
    ------
    ChainError
        When no burst is common, one that is asked for is missing, or they lie far apart.
    """
    reference, secondary = (
        open_slices(own, polarization, orbit_folder=orbit_folder) for own in paths
    )
    return pair_of(reference, secondary, wanted)


def pair_of(reference: SlcProduct, secondary: SlcProduct, wanted: Wanted) -> SlcPair:
    """Find the bursts that two opened products have in common; as `open_pair`."""
    first, second = reference.bursts, secondary.bursts
    chosen = [key for key in first if _is_wanted(reference, key, wanted)]
    _check_named(reference, secondary, wanted)
    if not chosen:
        raise ChainError(f"no burst of {reference.title} meets the geometry")
    common = tuple(key for key in chosen if key in second)
    if not common:
        raise ChainError(
            f"no burst is common: {reference.title} has {_listed(reference, chosen)}, "
            f"{secondary.title} has {_listed(secondary, list(second))}"
        )
    times = [first[key].azimuth_time for key in common]
    if max(times) - min(times) > LONGEST_S:
        raise ChainError(
            f"bursts of {reference.title} lie {max(times) - min(times):.0f} s apart, at most "
            f"{LONGEST_S:g} expected: name some, or give a geometry"
        )
    for key in common:
        frequencies = first[key].radar_frequency, second[key].radar_frequency
        if abs(frequencies[1] / frequencies[0] - 1.0) > _SAME_FREQUENCY:
            raise ChainError(
                f"radar frequencies are {frequencies[0]:.0f} and {frequencies[1]:.0f} Hz: "
                "an interferogram needs one"
            )
    missing = [key for key in chosen if key not in second]
    remarks = []
    if missing:
        remarks.append(
            f"left out, for {secondary.title} does not have them: {_listed(reference, missing)}"
        )
    return SlcPair(reference, secondary, common, tuple(remarks))


def footprint(swath: Swath, burst: Burst) -> BaseGeometry:
    """Return what a burst shows at the lowest and the highest ground of its swath.

    Longitude and latitude in degrees, longitudes continuous.
    """
    (top, bottom), (near, far) = burst.valid_lines, burst.valid_samples
    lines = np.array([[top], [0.5 * (top + bottom)], [bottom]], np.float64)
    samples = np.linspace(near, far, _EDGE_SAMPLES)
    low, high = float(swath.grid.height.min()), float(swath.grid.height.max())
    heights = np.array([low - _HIGHER_BETWEEN, high + _HIGHER_BETWEEN])[:, None, None]
    longitude, latitude, _ = ecef_to_geodetic(ground_at(burst, lines, samples, heights))
    degrees = np.degrees(np.unwrap(longitude.ravel())), np.degrees(latitude.ravel())
    return shapely.MultiPoint(np.column_stack(degrees)).convex_hull


def outline(pair: SlcPair) -> BaseGeometry:
    """Return what all bursts of a pair show."""
    swaths, bursts = pair.reference.swaths, pair.reference.bursts
    parts = [footprint(swaths[key[0]], bursts[key]) for key in pair.keys]
    centre = parts[0].centroid.x
    near = [on_one_turn(part, centre) for part in parts]
    return shapely.union_all(near)


def near_incidence(pair: SlcPair, keys: Sequence[BurstKey]) -> float:
    """Return the least incidence angle of some bursts, radians."""
    swaths = {key[0] for key in keys}
    angles: list[NDArray[np.float64]] = [
        pair.reference.swaths[name].grid.incidence_angle for name in swaths
    ]
    return min(float(angle.min()) for angle in angles)


def on_one_turn(area: BaseGeometry, centre: float) -> BaseGeometry:
    """Return an area with its longitudes turned to those around a centre, degrees."""
    turns = 360.0 * round((centre - area.centroid.x) / 360.0)
    return shapely.affinity.translate(area, turns)


def _is_wanted(product: SlcProduct, key: BurstKey, wanted: Wanted) -> bool:
    """Tell whether a burst is named, or meets the area."""
    if wanted.names:
        return key in {(name.swath, name.number) for name in map(BurstName.of, wanted.names)}
    if wanted.region is None:
        return True
    shown = footprint(product.swaths[key[0]], product.bursts[key])
    area = shapely.from_wkt(wanted.region)
    return any(
        shown.intersects(shapely.affinity.translate(area, turn)) for turn in (-360.0, 0.0, 360.0)
    )


def _check_named(reference: SlcProduct, secondary: SlcProduct, wanted: Wanted) -> None:
    """Refuse bursts that are asked for by name and not there."""
    for name in map(BurstName.of, wanted.names):
        for product in (reference, secondary):
            if (name.swath, name.number) not in product.bursts:
                raise ChainError(
                    f"burst {name} is not in {product.title}, "
                    f"which has {_listed(product, list(product.bursts))}"
                )


def _listed(product: SlcProduct, keys: Sequence[BurstKey]) -> str:
    """Name bursts in a sentence."""
    names = [burst_name(product, key) for key in keys]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
