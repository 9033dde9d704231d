"""The files of a series: GeoTIFFs of every date, of velocity and its error, plots, STAC item."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from algorithms.block import Block
from peps_wps.chains.blocks import put, run_blocks
from peps_wps.chains.contract import Json
from peps_wps.chains.correlation_s2.order import VELOCITIES, Order
from peps_wps.chains.correlation_s2.series import SeriesOfPairs, SolvedBlock
from peps_wps.chains.optical import results
from peps_wps.errors import ChainError
from peps_wps.writers import stac
from peps_wps.writers.arrows import vector_picture
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.json_document import write_json
from peps_wps.writers.network_plot import Arc, network_plot
from peps_wps.writers.picture import write_picture
from peps_wps.writers.stac_optical import Making, optical_item

_SIGMAS_OF_MEDIAN = 1.4826
_DAYS_A_YEAR = 365.25
_THREADS = 2
_SIDES = ("ew", "ns")
_WORDS = {"ew": "to the east", "ns": "to the north"}


@dataclass(frozen=True)
class Layer:
    """One GeoTIFF of a series.

    Parameters
    ----------
    name
        Of the file.
    title, unit
        What its values are.
    of
        Takes it out of a solved block.
    dtype
        Of its values.
    """

    name: str
    title: str
    unit: str
    of: Callable[[SolvedBlock], NDArray[Any]]
    dtype: str = "float32"


@dataclass(frozen=True)
class SeriesNames:
    """Names of the files of a series: layers by kind, and the others by output."""

    stem: str
    layers: dict[str, Layer] = field(default_factory=dict)

    def output(self, kind: str) -> str:
        """Return the name of a file that is no layer."""
        endings = {"quicklook": ".png", "network": "_network.png", "item": ".json"}
        return f"{self.stem}{endings.get(kind, f'_{kind}.json')}"

    def outputs(self, last: datetime) -> dict[str, str]:
        """Return the files that are outputs of their own: displacement at the last date."""
        layers = {side: self.layers[f"{side}_{last:%Y%m%dt%H%M%S}"].name for side in _SIDES}
        for kind in (*(f"velocity_{side}" for side in _SIDES), "residual"):
            layers[kind] = self.layers[kind].name
        others = ("quicklook", "network", "statistics", "item")
        return {**layers, **{kind: self.output(kind) for kind in others}}


def names_of(series: SeriesOfPairs, order: Order, tile: str) -> SeriesNames:
    """Return what a series writes."""
    first, last = series.dates[0], series.dates[-1]
    stem = f"s2_{tile}_{first:%Y%m%dt%H%M%S}_{last:%Y%m%dt%H%M%S}_{order.band.lower()}_series"
    unit = order.velocity or "m/year"
    factor = np.float32(VELOCITIES[unit] / _DAYS_A_YEAR)
    layers: dict[str, Layer] = {}
    for side, letter in enumerate(_SIDES):
        word = _WORDS[letter]
        for index, date in enumerate(series.dates):
            kind = f"{letter}_{date:%Y%m%dt%H%M%S}"
            title = f"Displacement {word} at {date:%Y-%m-%d}, metres"
            layers[kind] = Layer(f"{stem}_{kind}.tif", title, "m", _displacement(index, side))
        for quantity, title in (("velocity", "Velocity"), ("sigma", "Standard error of velocity")):
            kind = f"{quantity}_{letter}"
            layers[kind] = Layer(
                f"{stem}_{kind}.tif",
                f"{title} {word}, {unit}",
                unit,
                _scaled(quantity, side, factor),
            )
    layers["residual"] = Layer(
        f"{stem}_residual.tif",
        "What pairs differ from their dates, root mean square, metres",
        "m",
        lambda solved: solved.residual,
    )
    layers["parts"] = Layer(
        f"{stem}_parts.tif",
        "Parts of the network that only a constant velocity ties, 0 no answer",
        "",
        lambda solved: solved.parts,
        "uint8",
    )
    return SeriesNames(stem, layers)


def _displacement(date: int, side: int) -> Callable[[SolvedBlock], NDArray[Any]]:
    return lambda solved: solved.displacement[date, side]


def _scaled(quantity: str, side: int, factor: np.float32) -> Callable[[SolvedBlock], NDArray[Any]]:
    return lambda solved: factor * getattr(solved, quantity)[side]


def write_series(
    folder: Path,
    series: SeriesOfPairs,
    order: Order,
    tile: str,
    progress: Callable[[str, float], None],
) -> tuple[SeriesNames, Json]:
    """Invert a series block by block into a folder; return names and statistics.

    Raises
    ------
    ChainError
        When no node has an answer.
    """
    names = names_of(series, order, tile)
    _write_layers(folder, names, series, order, progress)
    progress("Drawing", 92)
    last = f"{series.dates[-1]:%Y%m%dt%H%M%S}"
    east, north = (_read(folder / names.layers[f"{side}_{last}"].name) for side in _SIDES)
    if not np.isfinite(east).any():
        raise ChainError("no node of the series has an answer")
    write_picture(folder / names.output("quicklook"), vector_picture(east, north))
    counted = _statistics(folder, names, series, order)
    write_json(folder / names.output("statistics"), counted)
    write_picture(folder / names.output("network"), _network(series))
    write_json(folder / names.output("item"), _item(folder, names, series, order, tile))
    return names, counted


def _write_layers(
    folder: Path,
    names: SeriesNames,
    series: SeriesOfPairs,
    order: Order,
    progress: Callable[[str, float], None],
) -> None:
    writers = {kind: _writer(folder, layer, series, order) for kind, layer in names.layers.items()}

    def work(block: Block) -> None:
        solved = series.solve(block, order.resolution)
        for kind, layer in names.layers.items():
            nodata = 0 if layer.dtype == "uint8" else float("nan")
            put(writers[kind], block, layer.of(solved), nodata)

    run_blocks(
        series.grid.shape,
        work,
        threads=_THREADS,
        progress=lambda share: progress("Inverting the pairs", 90 * share),
    )
    with ExitStack() as closing:
        for writer in writers.values():
            closing.callback(writer.close)


def _writer(folder: Path, layer: Layer, series: SeriesOfPairs, order: Order) -> CogWriter:
    """Return the writer of a layer."""
    is_count = layer.dtype == "uint8"
    rows, columns = series.grid.shape
    return CogWriter(
        folder / layer.name,
        width=columns,
        height=rows,
        description=RasterDescription(
            layer.dtype,
            series.grid.epsg,
            series.grid.transform,
            None if is_count else float("nan"),
            _tags(layer, series, order),
            description=layer.title,
        ),
        overview="nearest" if is_count else "mean",
    )


def _lineage(series: SeriesOfPairs, order: Order) -> str:
    taken = ", ".join(order.corrections) or "nothing"
    return (
        f"{order.band} of {len(series.dates)} products correlated in {len(series.pairs)} pairs, "
        f"windows of {order.window} pixels every {order.step}; taken off each: {taken}; inverted "
        f"by weighted least squares; displacement since {series.dates[series.reference]:%Y-%m-%d}"
    )


def _titles(series: SeriesOfPairs) -> tuple[str, ...]:
    """Return the products in the order of time."""
    named = {
        date: title
        for pair in series.pairs
        for date, title in zip(pair.starts, pair.titles, strict=True)
    }
    return tuple(named[date] for date in series.dates)


def _tags(layer: Layer, series: SeriesOfPairs, order: Order) -> dict[str, str]:
    return {
        "INPUT_S2_IMAGES": ", ".join(_titles(series)),
        "QUANTITY": layer.title,
        "UNIT": layer.unit,
        "TIFFTAG_IMAGEDESCRIPTION": _lineage(series, order),
        "TIFFTAG_SOFTWARE": f"PEPS {version('peps')}",
    }


def _read(path: Path) -> NDArray[np.float32]:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1), np.float32)


def _statistics(folder: Path, names: SeriesNames, series: SeriesOfPairs, order: Order) -> Json:
    """Return what is counted of a series."""
    told = {}
    for kind in (*(f"{q}_{side}" for q in ("velocity", "sigma") for side in _SIDES), "residual"):
        values = _read(folder / names.layers[kind].name)
        told[kind] = _spread(values[np.isfinite(values)])
    parts = _read(folder / names.layers["parts"].name)
    return {
        "reference": _titles(series)[series.reference],
        "dates": [
            {"product": title, "days": round(float(days), 3)}
            for title, days in zip(_titles(series), series.days, strict=True)
        ],
        "pairs": [
            {"products": list(pair.titles), "answered_percent": pair.answered_percent}
            for pair in series.pairs
        ],
        "pairs_without_field": series.failures,
        "nodes": parts.size,
        "answered_percent": round(100.0 * float(np.mean(parts > 0)), 3),
        "connected_percent": round(100.0 * float(np.mean(parts == 1)), 3),
        "velocity_unit": order.velocity or "m/year",
        **told,
    }


def _spread(values: NDArray[np.float32]) -> Json:
    if values.size == 0:
        return {}
    median = float(np.median(values))
    return {
        "median": round(median, 4),
        "nmad": round(_SIGMAS_OF_MEDIAN * float(np.median(np.abs(values - median))), 4),
        **{f"percentile_{p}": round(float(np.percentile(values, p)), 4) for p in (2, 98)},
    }


def _network(series: SeriesOfPairs) -> NDArray[np.uint8]:
    place = {date: index for index, date in enumerate(series.dates)}
    arcs = [
        Arc(place[pair.starts[0]], place[pair.starts[1]], pair.answered_percent / 100.0)
        for pair in series.pairs
    ]
    days = {f"{date:%Y-%m-%d}": index for date, index in place.items()}
    for name in series.failures:
        first, second = name.split()[1:]
        arcs.append(Arc(days[first], days[second], None))
    title = f"{len(series.dates)} dates, {len(series.pairs)} pairs; the darker the more nodes"
    return network_plot(series.dates, arcs, title=title)


def _item(folder: Path, names: SeriesNames, series: SeriesOfPairs, order: Order, tile: str) -> Json:
    node_m = float(series.grid.resolution)
    assets = {}
    for kind, layer in names.layers.items():
        is_count = layer.dtype == "uint8"
        raster = stac.Raster(
            layer.dtype, None if is_count else float("nan"), node_m, unit=layer.unit
        )
        assets[kind] = results.asset_of(folder / layer.name, layer.title, "data", raster=raster)
    for kind, title, role, media_type in (
        ("thumbnail", "Picture", "thumbnail", stac.PNG),
        ("network", "Network of the pairs", "overview", stac.PNG),
        ("statistics", "Statistics", "metadata", "application/json"),
    ):
        name = names.output("quicklook" if kind == "thumbnail" else kind)
        assets[kind] = results.asset_of(folder / name, title, role, media_type=media_type)
    making = Making(
        f"Displacement of the ground on tile {tile}, a series",
        _lineage(series, order),
        version("peps"),
        datetime.now(UTC),
        {
            "band": order.band,
            "window": order.window,
            "step": order.step,
            "model": order.model,
            "dates": len(series.dates),
            "pairs": len(series.pairs),
        },
    )
    observation = replace(series.observation, titles=_titles(series))
    grid = series.grid
    return optical_item(
        names.stem,
        observation,
        making,
        stac.Grid(tile, grid.epsg, grid.transform, grid.shape),
        resolution=node_m,
        assets=assets,
    )
