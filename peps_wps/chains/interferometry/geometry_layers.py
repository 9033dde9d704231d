"""Layers that say how the radar saw the ground: angles, vectors, heights, layover and shadow."""

from collections.abc import Callable

import numpy as np

from algorithms.interferometry.displacement import vertical_displacement
from algorithms.interferometry.relief import BurstImaging
from algorithms.radar.ortho import Window
from algorithms.radar.shadow import LAYOVER, SHADOW, layover_shadow
from algorithms.terrain.profiles import trace_profiles
from peps_wps.chains.interferometry.mapping import AnyArray, Layer, Seen

MASK_BITS = {"layover": LAYOVER, "shadow": SHADOW}


def vertical_layer(displacement: Callable[[Seen], AnyArray]) -> Layer:
    """Return the layer of the vertical displacement, as if all movement were vertical.

    Parameters
    ----------
    displacement
        Gives metres towards the satellite in a part of the map.
    """

    def vertical(seen: Seen) -> AnyArray:
        return vertical_displacement(displacement(seen), seen.view.incidence_angle)

    title = "Vertical displacement if all movement is vertical, positive up"
    return Layer("vertical", title, vertical, unit="m")


def incidence_layer() -> Layer:
    """Return the layer of the incidence angle."""
    return Layer(
        "incidence",
        "Incidence angle from the normal of the ellipsoid",
        lambda seen: np.degrees(seen.view.incidence_angle),
        unit="degree",
    )


def look_layer() -> Layer:
    """Return the layer of the look vectors, three bands."""
    return Layer(
        "los",
        "Unit vector from the ground to the satellite",
        lambda seen: np.stack([seen.view.east, seen.view.north, seen.view.up], axis=-1),
        bands=("east", "north", "up"),
    )


def height_layer() -> Layer:
    """Return the layer of the heights that were used."""
    return Layer(
        "dem", "Height above the WGS84 ellipsoid", lambda seen: seen.height.copy(), unit="m"
    )


def mask_layer() -> Layer:
    """Return the layer of layover and shadow: a sum of bits, 255 outside."""
    bits = ", ".join(f"{bit} {name}" for name, bit in MASK_BITS.items())
    title = f"Layover and shadow: 0 for neither, sum of {bits}"
    return Layer("mask", title, _layover_shadow, "uint8", 255.0, overview="nearest")


def _layover_shadow(seen: Seen) -> AnyArray:
    """Trace the terrain under a part of a map."""
    line, sample = (
        np.where(seen.inside, place, np.nan) for place in (seen.view.line, seen.view.sample)
    )
    frame = seen.grid.frame
    window = Window(
        max(int(np.nanmin(line)), 0),
        min(int(np.nanmax(line)) + 2, frame.lines),
        max(int(np.nanmin(sample)), 0),
        min(int(np.nanmax(sample)) + 2, frame.samples),
    )
    profiles = trace_profiles(BurstImaging(frame), window, seen.relief.terrain)
    if profiles is None:
        return np.zeros(line.shape, np.uint8)
    return layover_shadow(profiles, line, sample, seen.height)
