"""The files of a series: GeoTIFFs of velocity and displacement, plots, tables, STAC item."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.time_series import DisplacementSeries
from peps_wps.chains.blocks import put, run_blocks
from peps_wps.chains.contract import Json
from peps_wps.chains.interferometry.pictures import displacement_picture
from peps_wps.chains.time_series_s1.series import StackSeries
from peps_wps.chains.time_series_s1.told import item_of, statistics_of, table_of
from peps_wps.errors import ChainError
from peps_wps.writers import stac
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.json_document import write_json
from peps_wps.writers.network_plot import Arc, network_plot
from peps_wps.writers.picture import write_picture
from peps_wps.writers.publish import published

NAN = float("nan")


@dataclass(frozen=True)
class SeriesLayer:
    """One GeoTIFF of a series.

    Parameters
    ----------
    title, unit
        What its values are.
    of
        Takes it out of a solved block: shape (row, column), or (band, row, column).
    bands
        Their names, none for one.
    """

    title: str
    unit: str
    of: Callable[[DisplacementSeries], NDArray[Any]]
    bands: tuple[str, ...] = ()


def layers_of(series: StackSeries) -> dict[str, SeriesLayer]:
    """Return what a series writes, by kind."""
    days = tuple(f"{one.start:%Y-%m-%d}" for one in series.acquisitions)
    towards = "towards the satellite"
    layers = {
        "velocity": SeriesLayer(f"Velocity {towards}", "m/year", lambda s: s.velocity),
        "velocity_sigma": SeriesLayer(
            "Standard error of the velocity", "m/year", lambda s: s.velocity_sigma
        ),
        "displacement": SeriesLayer(
            f"Displacement {towards} since {days[0]}", "m", lambda s: s.displacement, days
        ),
        "temporal_coherence": SeriesLayer(
            "How well pairs agree with their dates, 0 to 1", "", lambda s: s.temporal_coherence
        ),
        "residual": SeriesLayer(
            "What pairs differ from their dates, root mean square", "m", lambda s: s.residual
        ),
        "parts": SeriesLayer(
            "Parts of the network that only the model ties, 0 no answer",
            "",
            lambda s: s.parts.astype(np.float32),
        ),
    }
    if series.work.stack.order.dem_error:
        layers["dem_error"] = SeriesLayer(
            "Height that the elevations lack", "m", lambda s: s.dem_error
        )
    for name in _further_terms(series):
        said = name.replace("_", " ")
        layers[name] = SeriesLayer(f"Term of the model: {said}", "m", _term(name, is_sigma=False))
        layers[f"{name}_sigma"] = SeriesLayer(
            f"Standard error of the {said}", "m", _term(name, is_sigma=True)
        )
    return layers


def _further_terms(series: StackSeries) -> Iterator[str]:
    """Yield the terms of the model beside velocity, offset and error of heights."""
    order = series.work.stack.order
    if order.model == "quadratic":
        yield "acceleration"
    if order.seasonal:
        yield from ("annual_cosine", "annual_sine")
    yield from (f"step_{number}" for number in range(1, len(order.steps) + 1))


def _term(name: str, *, is_sigma: bool) -> Callable[[DisplacementSeries], NDArray[Any]]:
    def of(series: DisplacementSeries) -> NDArray[Any]:
        return (series.term_sigmas if is_sigma else series.terms)[name]

    return of


def write_series(
    folder: Path, series: StackSeries, threads: int, progress: Callable[[str, float], None]
) -> Json:
    """Invert a series block by block into a folder.

    Returns
    -------
    Names of the files by kind, and what was counted.

    Raises
    ------
    ChainError
        When no pixel has an answer.
    """
    layers = layers_of(series)
    names = {kind: f"{series.stem}_{kind}.tif" for kind in layers}
    _write_layers(folder, names, layers, series, threads, progress)
    incidence = f"{series.stem}_incidence.tif"
    series.solver.geometry.incidence.replace(folder / incidence)
    names["incidence"] = incidence
    progress("Drawing", 94)
    counted = statistics_of(folder, names, series)
    if counted["answered_percent"] == 0.0:
        raise ChainError(
            "no pixel of the series has an answer: coherence is low everywhere, or "
            "min_temporal_coherence is too high"
        )
    others = _write_others(folder, names, layers, series, counted)
    return {"files": {**names, **others}, "statistics": counted}


def _write_others(
    folder: Path,
    names: Mapping[str, str],
    layers: Mapping[str, SeriesLayer],
    series: StackSeries,
    counted: Json,
) -> dict[str, str]:
    """Write pictures, tables and the item."""
    stem = series.stem
    others = {
        "quicklook": f"{stem}.png",
        "network": f"{stem}_network.png",
        "dates": f"{stem}_dates.csv",
        "statistics": f"{stem}_statistics.json",
    }
    velocity = folder / names["velocity"]
    displacement_picture(folder / others["quicklook"], velocity, unit="cm/year")
    write_picture(folder / others["network"], _network(series))
    with published(folder / others["dates"]) as stream:
        stream.write(table_of(counted["dates"]).encode())
    write_json(folder / others["statistics"], counted)
    assets = _assets(folder, names, others, layers, series)
    others["item"] = f"{stem}.json"
    write_json(folder / others["item"], item_of(series, assets, counted))
    return others


def _assets(
    folder: Path,
    names: Mapping[str, str],
    others: Mapping[str, str],
    layers: Mapping[str, SeriesLayer],
    series: StackSeries,
) -> dict[str, stac.Asset]:
    """Return all files but the item as its assets."""
    titles = {kind: (layer.title, layer.unit) for kind, layer in layers.items()}
    titles["incidence"] = ("Incidence angle from the normal of the ellipsoid", "degree")
    assets = {
        kind: stac.Asset(
            names[kind],
            stac.COG,
            title,
            ("data",),
            (folder / names[kind]).stat().st_size,
            raster=stac.Raster("float32", NAN, series.work.stack.grid.resolution, unit=unit),
        )
        for kind, (title, unit) in titles.items()
    }
    for kind, title, role, media_type in (
        ("quicklook", "Picture of the velocity", "thumbnail", stac.PNG),
        ("network", "Network of the pairs", "overview", stac.PNG),
        ("dates", "Table of the dates", "metadata", "text/csv"),
        ("statistics", "Statistics", "metadata", "application/json"),
    ):
        size = (folder / others[kind]).stat().st_size
        assets[kind] = stac.Asset(others[kind], media_type, title, (role,), size)
    return assets


def _write_layers(
    folder: Path,
    names: Mapping[str, str],
    layers: Mapping[str, SeriesLayer],
    series: StackSeries,
    threads: int,
    progress: Callable[[str, float], None],
) -> None:
    grid = series.work.stack.grid
    writers = _writers(folder, names, layers, series)

    def work(block: Block) -> None:
        solved = series.solver.solve(block)
        for kind, layer in layers.items():
            values = layer.of(solved)
            for band in range(max(1, len(layer.bands))):
                one = values[band] if layer.bands else values
                put(writers[kind], block, np.asarray(one, np.float32), NAN, band=band)

    run_blocks(
        grid.shape,
        work,
        threads=threads,
        progress=lambda share: progress("Inverting the pairs", 10 + 80 * share),
    )
    with ExitStack() as closing:
        for writer in writers.values():
            closing.callback(writer.close)


def _writers(
    folder: Path,
    names: Mapping[str, str],
    layers: Mapping[str, SeriesLayer],
    series: StackSeries,
) -> dict[str, CogWriter]:
    """Open the files of all layers."""
    grid = series.work.stack.grid
    rows, columns = grid.shape
    return {
        kind: CogWriter(
            folder / names[kind],
            width=columns,
            height=rows,
            description=RasterDescription(
                "float32",
                grid.epsg,
                grid.transform,
                NAN,
                _tags(layer, series),
                description="" if layer.bands else layer.title,
                bands=layer.bands,
            ),
        )
        for kind, layer in layers.items()
    }


def _tags(layer: SeriesLayer, series: StackSeries) -> dict[str, str]:
    stack = series.work.stack
    return {
        "DEM_INFO": series.datum,
        "INPUT_S1_IMAGES": ", ".join(title for one in series.acquisitions for title in one.titles),
        "POLARIZATION": stack.polarization.lower(),
        "QUANTITY": layer.title,
        "UNIT": layer.unit,
        "RELATIVE_ORBIT_NUMBER": f"{stack.relative_orbit:03d}",
        "SPATIAL_RESOLUTION": f"{stack.grid.resolution:.1f}",
        "TIFFTAG_SOFTWARE": f"PEPS {version('peps')}",
    }


def _network(series: StackSeries) -> NDArray[np.uint8]:
    place = {f"{one.start:%Y-%m-%d}": k for k, one in enumerate(series.acquisitions)}
    arcs = [Arc(*one.dates, one.mean_coherence) for one in series.pairs]
    for name in series.dropped:
        first, second = name.split()
        if first in place and second in place:
            arcs.append(Arc(place[first], place[second], None))
    title = f"{len(place)} dates, {len(series.pairs)} pairs; the darker the more coherent"
    longest = series.work.stack.order.max_baseline_m
    if longest is not None:
        title += f"; baselines to {longest:g} m"
    return network_plot([one.start for one in series.acquisitions], arcs, title=title)
