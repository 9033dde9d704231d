"""The files of a pair: GeoTIFFs, picture, statistics and STAC item."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.correlation import Flag
from peps_wps.chains.blocks import put
from peps_wps.chains.contract import Json
from peps_wps.chains.correlation_s2.field import GroundMotion
from peps_wps.chains.correlation_s2.order import VELOCITIES, Order
from peps_wps.chains.correlation_s2.pair import Pair
from peps_wps.chains.optical import results
from peps_wps.errors import ChainError
from peps_wps.writers import stac
from peps_wps.writers.arrows import vector_picture
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.json_document import write_json
from peps_wps.writers.picture import write_picture
from peps_wps.writers.stac_optical import Making, optical_item

_SIGMAS_OF_MEDIAN = 1.4826
_TITLES = {
    "ew": "Displacement to the east, metres",
    "ns": "Displacement to the north, metres",
    "quality": "Correlation of the windows",
    "flags": "Why a node has no answer, sum of: " + ", ".join(f"{f.value} {f.name}" for f in Flag),
}
_UNITS = {"ew": "m", "ns": "m"}
_OF_VELOCITY = {"velocity_ew": "east", "velocity_ns": "north"}


def stem_of(pair: Pair, order: Order) -> str:
    """Return the name of files without kind and extension."""
    tile = results.tile_of(pair.reference)
    days = "_".join(f"{scene.product.start:%Y%m%dt%H%M%S}" for scene in pair.scenes)
    return f"s2_{tile}_{days}_{order.band.lower()}"


def write_files(folder: Path, pair: Pair, order: Order, motion: GroundMotion) -> dict[str, str]:
    """Write everything into a folder; return the names of the files by output."""
    stem = stem_of(pair, order)
    layers: dict[str, NDArray[Any]] = {
        "ew": motion.east,
        "ns": motion.north,
        "quality": motion.correlation,
        "flags": motion.flags,
        **_velocities(pair, order, motion),
    }
    names = {kind: f"{stem}_{kind}.tif" for kind in layers}
    for kind, values in layers.items():
        tags = _tags(pair, order, kind)
        _write_raster(folder / names[kind], values, motion, tags, title=_title(kind, order))
    names["quicklook"] = f"{stem}.png"
    write_picture(folder / names["quicklook"], vector_picture(motion.east, motion.north))
    names["statistics"] = f"{stem}_statistics.json"
    counted = statistics(pair, motion)
    write_json(folder / names["statistics"], counted)
    names["item"] = f"{stem}.json"
    write_json(folder / names["item"], _item(folder, names, pair, order, motion, counted))
    return names


def _velocities(pair: Pair, order: Order, motion: GroundMotion) -> dict[str, NDArray[Any]]:
    """Return the velocities that an order asks for."""
    if order.velocity is None:
        return {}
    factor = np.float32(VELOCITIES[order.velocity] / days_between(pair))
    return {"velocity_ew": factor * motion.east, "velocity_ns": factor * motion.north}


def days_between(pair: Pair) -> float:
    """Return the days from the reference to the secondary.

    Raises
    ------
    ChainError
        When they are of the same time: nothing has a velocity.
    """
    seconds = (pair.secondary.product.start - pair.reference.product.start).total_seconds()
    if seconds == 0.0:
        raise ChainError("the products are of the same time: there is no velocity between them")
    return seconds / 86_400


def _title(kind: str, order: Order) -> str:
    direction = _OF_VELOCITY.get(kind)
    return f"Velocity to the {direction}, {order.velocity}" if direction else _TITLES[kind]


def _unit(kind: str, order: Order) -> str:
    return str(order.velocity) if kind in _OF_VELOCITY else _UNITS.get(kind, "")


def _lineage(pair: Pair, order: Order) -> str:
    taken = ", ".join(order.corrections) or "nothing"
    hidden = ", clouds, cirrus and shadows left out" if order.mask_clouds else ""
    return (
        f"{order.band} of {pair.secondary.product.title} correlated with that of "
        f"{pair.reference.product.title} in windows of {order.window} pixels every {order.step}"
        f"{hidden}; taken off: {taken}"
    )


def _tags(pair: Pair, order: Order, kind: str) -> dict[str, str]:
    tags = results.tags_of(pair.reference, kind, _lineage(pair, order))
    tags["INPUT_S2_IMAGES"] = ", ".join(scene.product.title for scene in pair.scenes)
    if kind in _UNITS or kind in _OF_VELOCITY:
        tags["UNIT"] = _unit(kind, order)
    return tags


def _write_raster(
    path: Path,
    values: NDArray[Any],
    motion: GroundMotion,
    tags: Mapping[str, str],
    *,
    title: str,
) -> None:
    is_flags = values.dtype == np.uint8
    nodata = None if is_flags else float("nan")
    writer = CogWriter(
        path,
        width=values.shape[1],
        height=values.shape[0],
        description=RasterDescription(
            values.dtype.name,
            motion.grid.epsg,
            motion.grid.transform,
            nodata,
            tags,
            description=title,
        ),
        overview="nearest" if is_flags else "mean",
    )
    put(writer, Block(0, 0, *values.shape), values, 0 if nodata is None else nodata)
    writer.close()


def statistics(pair: Pair, motion: GroundMotion) -> Json:
    """Return what is counted of a field; it has answers."""
    answered = motion.flags == 0
    length = np.hypot(motion.east, motion.north)[answered]
    seconds = (pair.secondary.product.start - pair.reference.product.start).total_seconds()
    return {
        "reference": pair.reference.product.title,
        "secondary": pair.secondary.product.title,
        "days": round(seconds / 86_400, 3),
        "nodes": motion.flags.size,
        "answered_percent": _percent(answered),
        "flags_percent": {
            str(flag.name).lower(): _percent((motion.flags & flag) != 0) for flag in Flag
        },
        "correlation_median": _rounded(np.median(motion.correlation[answered])),
        "predicted_sigma_m": _rounded(np.median(motion.sigma[answered])),
        "ew_m": _spread(motion.east[answered]),
        "ns_m": _spread(motion.north[answered]),
        "length_m": {
            "median": _rounded(np.median(length)),
            "percentile_98": _rounded(np.percentile(length, 98)),
            "maximum": _rounded(length.max()),
        },
        "corrections": motion.removed,
        "remarks": _remarks(pair),
    }


def _remarks(pair: Pair) -> list[str]:
    """Say what of a pair is to be kept in mind."""
    remarks = []
    orbits = [scene.product.relative_orbit for scene in pair.scenes]
    if orbits[0] != orbits[1]:
        remarks.append(
            f"seen from relative orbits {orbits[0]} and {orbits[1]}: errors of the height model "
            "appear as displacement across the track"
        )
    levels = [scene.product.level for scene in pair.scenes]
    if levels[0] != levels[1]:
        remarks.append(f"of levels {levels[0]} and {levels[1]}")
    return remarks


def _percent(mask: NDArray[np.bool_]) -> float:
    return round(100.0 * np.count_nonzero(mask) / mask.size, 3)


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def _spread(values: NDArray[np.float32]) -> Json:
    median = np.median(values)
    return {
        "median": _rounded(median),
        "nmad": _rounded(_SIGMAS_OF_MEDIAN * np.median(np.abs(values - median))),
        **{f"percentile_{p}": _rounded(np.percentile(values, p)) for p in (2, 98)},
    }


def _item(
    folder: Path,
    names: Mapping[str, str],
    pair: Pair,
    order: Order,
    motion: GroundMotion,
    counted: Json,
) -> Json:
    products = [scene.product for scene in pair.scenes]
    observation = replace(
        results.observation_of(pair.reference),
        titles=tuple(product.title for product in products),
        start=min(product.start for product in products),
        stop=max(product.stop for product in products),
    )
    tile = results.tile_of(pair.reference)
    making = Making(
        f"Displacement of the ground on tile {tile}",
        _lineage(pair, order),
        version("peps"),
        datetime.now(UTC),
        {
            "band": order.band,
            "window": order.window,
            "step": order.step,
            "model": order.model,
            "answered_percent": counted["answered_percent"],
            "corrections": counted["corrections"],
        },
    )
    grid = motion.grid
    return optical_item(
        Path(names["item"]).stem,
        observation,
        making,
        stac.Grid(tile, grid.epsg, grid.transform, grid.shape),
        resolution=float(grid.resolution),
        assets=_assets(folder, names, order, float(grid.resolution)),
    )


def _assets(
    folder: Path, names: Mapping[str, str], order: Order, node_m: float
) -> dict[str, stac.Asset]:
    assets = {}
    for kind in (kind for kind in names if names[kind].endswith(".tif")):
        is_flags = kind == "flags"
        raster = stac.Raster(
            "uint8" if is_flags else "float32",
            None if is_flags else float("nan"),
            node_m,
            unit=_unit(kind, order),
        )
        title = _title(kind, order)
        assets[kind] = results.asset_of(folder / names[kind], title, "data", raster=raster)
    assets["thumbnail"] = results.asset_of(
        folder / names["quicklook"], "Picture", "thumbnail", media_type=stac.PNG
    )
    assets["statistics"] = results.asset_of(
        folder / names["statistics"], "Statistics", "metadata", media_type="application/json"
    )
    return assets
