"""Cells of a radar grid on a map: layers of values, written block by block as COGs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from algorithms.block import Block
from algorithms.interferometry.cells import CellGrid
from algorithms.interferometry.geocoding import (
    MapBlock,
    RadarView,
    nearest_on_map,
    phasors_on_map,
    radar_view,
    values_on_map,
)
from algorithms.interferometry.model import Complex64, Float32, RadarFrame
from peps_wps.chains.blocks import run_each
from peps_wps.chains.interferometry.bursts import Wanted
from peps_wps.chains.interferometry.map_grid import MapGrid, projected
from peps_wps.chains.interferometry.solve import KeptPair, Merged
from peps_wps.chains.interferometry.terrain import Relief, heights_on_map
from peps_wps.writers.cog import BLOCK, CogWriter, OverviewRule
from peps_wps.writers.cog_layout import RasterDescription

NAN = float("nan")
# `radar_view` is right within a thousandth of a pixel over blocks of some 30 km.
_WIDEST_VIEW = 25_000.0  # m

AnyArray = NDArray[Any]


@dataclass(frozen=True)
class Seen:
    """A part of a map as the radar sees it.

    Parameters
    ----------
    view
        Place and look direction of every pixel, NaN where nothing is known.
    height
        Metres above the ellipsoid, float32.
    grid
        The cells of the interferogram.
    relief
        The terrain around.
    inside
        Where there is an interferogram.
    target, part
        The map, and which part of it.
    """

    view: RadarView
    height: Float32
    grid: CellGrid
    relief: Relief
    inside: NDArray[np.bool_]
    target: MapGrid
    part: Block


@dataclass(frozen=True)
class Layer:
    """One file of a result.

    Parameters
    ----------
    name
        Ends its file name.
    title
        For people.
    values
        Gives the pixels of a part, shape (row, column), or (row, column, band) with `bands`; what
        lies outside the interferogram is taken out afterwards.
    dtype, nodata
        Of the file.
    unit
        Of its values.
    bands
        Their names, none for one.
    overview
        How overviews are made.
    """

    name: str
    title: str
    values: Callable[[Seen], AnyArray]
    dtype: str = "float32"
    nodata: float = NAN
    unit: str = ""
    bands: tuple[str, ...] = ()
    overview: OverviewRule = "mean"


def value_layer(name: str, title: str, cells: Float32, unit: str = "") -> Layer:
    """Return the layer of a quantity that may be interpolated; NaN stands for none."""
    return Layer(name, title, lambda seen: values_on_map(cells, seen.grid, seen.view), unit=unit)


def phase_layer(name: str, title: str, cells: Complex64) -> Layer:
    """Return the layer of the phase of complex cells, -pi to pi; 0 stands for none."""

    def phase(seen: Seen) -> AnyArray:
        phasors = phasors_on_map(cells, seen.grid, seen.view, is_unit=True)
        return np.where(phasors == 0.0, np.nan, np.angle(phasors)).astype(np.float32)

    return Layer(name, title, phase, unit="rad", overview="nearest")


def complex_layer(name: str, title: str, cells: Complex64) -> Layer:
    """Return the layer of complex cells: real and imaginary part as two bands."""

    def parts(seen: Seen) -> AnyArray:
        values = phasors_on_map(cells, seen.grid, seen.view)
        values[values == 0.0] = complex(np.nan, np.nan)
        return np.stack([values.real, values.imag], axis=-1)

    return Layer(name, title, parts, bands=("real", "imaginary"))


def number_layer(name: str, title: str, cells: NDArray[np.unsignedinteger]) -> Layer:
    """Return the layer of whole numbers, 0 for none."""

    def numbers(seen: Seen) -> AnyArray:
        return nearest_on_map(cells, seen.grid, seen.view).astype(np.uint16)

    return Layer(name, title, numbers, "uint16", 0.0, overview="nearest")


@dataclass(frozen=True)
class MapWork:
    """What is put on a map, and where.

    Parameters
    ----------
    target
        The map.
    grid, secondary
        Cells of the interferogram, and lines and samples of its secondary.
    held
        1 for cells that hold anything, else 0.
    relief
        The terrain around.
    shown
        What the bursts show, degrees; blocks beside it are left out.
    cut
        Polygon in metres of the map that results are cut to; None for everything.
    """

    target: MapGrid
    grid: CellGrid
    secondary: RadarFrame
    held: NDArray[np.uint8]
    relief: Relief
    shown: BaseGeometry
    cut: BaseGeometry | None = None


def map_work(
    target: MapGrid,
    kept: KeptPair,
    whole: Merged,
    relief: Relief,
    wanted: Wanted,
    area: BaseGeometry,
) -> MapWork:
    """Return the work of a pair on one map.

    Parameters
    ----------
    target
        The map.
    kept, whole
        The pair.
    relief
        The terrain around.
    wanted
        Which bursts: results are cut to an area, not to the outline of bursts.
    area
        What of the bursts is wanted, degrees.
    """
    return MapWork(
        target,
        whole.grid,
        kept.secondary_frame,
        whole.held.astype(np.uint8),
        relief,
        area,
        None if wanted.region is None else projected(area, target.epsg),
    )


def write_layers(
    work: MapWork,
    layers: Sequence[Layer],
    folder: Path,
    stem: str,
    *,
    tags: Mapping[str, str],
    threads: int = 1,
    progress: Callable[[float], None] = lambda _share: None,
) -> dict[str, Path]:
    """Write layers as Cloud Optimized GeoTIFFs.

    Parameters
    ----------
    work
        What is put on which map.
    layers
        Files to write: ``<stem>_<layer>.tif``.
    tags
        Of every file.
    threads
        Blocks of 512 pixels worked on at once.
    progress
        Told the share done.

    Returns
    -------
    The files by layer; none when no pixel of the map holds anything.
    """
    rows, columns = work.target.shape
    writers = {
        layer.name: _writer(folder / f"{stem}_{layer.name}.tif", work.target, layer, tags)
        for layer in layers
    }
    ground = projected(work.shown, work.target.epsg)
    blocks = [
        Block(row, column, min(BLOCK, rows - row), min(BLOCK, columns - column))
        for row in range(0, rows, BLOCK)
        for column in range(0, columns, BLOCK)
    ]
    blocks = [block for block in blocks if ground.intersects(_box(work.target, block))]
    run_each(
        blocks,
        lambda block: _write_block(work, layers, writers, block),
        threads=threads,
        progress=progress,
    )
    if not any(writer.has_data for writer in writers.values()):
        return {}
    for writer in writers.values():
        writer.close()
    return {name: writer.path for name, writer in writers.items()}


def _writer(path: Path, target: MapGrid, layer: Layer, tags: Mapping[str, str]) -> CogWriter:
    """Open the file of a layer."""
    own = {"QUANTITY": layer.title, **({"UNIT": layer.unit} if layer.unit else {})}
    description = RasterDescription(
        layer.dtype,
        target.epsg,
        target.transform,
        layer.nodata,
        {**tags, **own},
        description="" if layer.bands else layer.title,
        bands=layer.bands,
    )
    rows, columns = target.shape
    return CogWriter(
        path, width=columns, height=rows, description=description, overview=layer.overview
    )


def _write_block(
    work: MapWork, layers: Sequence[Layer], writers: Mapping[str, CogWriter], block: Block
) -> None:
    """Compute a block of the file in parts that are not too wide, and write it."""
    side = BLOCK
    while side * work.target.resolution > _WIDEST_VIEW:
        side //= 2
    out = {layer.name: _empty(layer) for layer in layers}
    has_data = False
    for row in range(0, block.rows, side):
        for column in range(0, block.columns, side):
            part = Block(
                block.row + row,
                block.column + column,
                min(side, block.rows - row),
                min(side, block.columns - column),
            )
            seen = _seen(work, part)
            if seen is None:
                continue
            has_data = True
            for layer in layers:
                values = layer.values(seen)
                values[~seen.inside] = layer.nodata
                out[layer.name][row : row + part.rows, column : column + part.columns] = values
    if has_data:
        for layer in layers:
            _put(writers[layer.name], block, out[layer.name])


def _seen(work: MapWork, part: Block) -> Seen | None:
    """Return how the radar sees a part of the map, None where it shows nothing of it."""
    height = heights_on_map(work.relief, work.target, part)
    transform = work.target.transform @ Affine.translation(part.column, part.row)
    block = MapBlock(work.target.epsg, transform, height)
    view = radar_view(work.grid.frame, block, work.secondary)
    inside = nearest_on_map(work.held, work.grid, view) > 0
    if work.cut is not None:
        inside &= _within(work.cut, transform, height.shape)
    if not inside.any():
        return None
    return Seen(view, height, work.grid, work.relief, inside, work.target, part)


def _within(area: BaseGeometry, transform: Affine, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which pixels have their centre in an area."""
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    easting, northing = transform @ (columns, rows)
    return np.asarray(shapely.contains_xy(area, easting, northing))


def _empty(layer: Layer) -> AnyArray:
    """Return a block without data."""
    bands = (len(layer.bands),) if layer.bands else ()
    return np.full((BLOCK, BLOCK, *bands), layer.nodata, layer.dtype)


def _put(writer: CogWriter, block: Block, values: AnyArray) -> None:
    """Give a block to its file."""
    place = block.row // BLOCK, block.column // BLOCK
    if values.ndim == 2:
        writer.put(*place, values)
        return
    for band in range(values.shape[2]):
        writer.put(*place, np.ascontiguousarray(values[:, :, band]), band=band)


def _box(target: MapGrid, block: Block) -> BaseGeometry:
    """Return the outline of a block, metres."""
    west, north = target.transform @ (block.column, block.row)
    east, south = target.transform @ (block.column + block.columns, block.row + block.rows)
    return shapely.box(west, south, east, north)
