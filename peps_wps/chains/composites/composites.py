"""Composites of one series: rasters with the items that describe them, ready to be published."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from peps_wps.chains.composites import rasters
from peps_wps.chains.composites.channels import Image, grid_of
from peps_wps.chains.composites.items import derived_item
from peps_wps.chains.composites.rasters import Work
from peps_wps.chains.ortho_s1.values import ValueFormat
from peps_wps.writers.stac import COG, Asset, Raster

Json = dict[str, Any]

MONTHLY, RATIO, RGB = "monthly", "ratio", "rgb"
KINDS = (MONTHLY, RATIO, RGB)


@dataclass(frozen=True)
class Source:
    """One date of a series, as it is published.

    Parameters
    ----------
    folder
        Of the datalake: ``S1-L1-ORTHO/31TGL/2018/07/20``.
    item
        Its STAC item.
    image
        Its channels.
    """

    folder: str
    item: Json
    image: Image

    @property
    def month(self) -> str:
        """The folder of its month."""
        return self.folder.rpartition("/")[0]


@dataclass(frozen=True)
class Composite:
    """What is to be published together.

    Parameters
    ----------
    folder
        Of the datalake.
    item
        The STAC item.
    files
        Those that it names.
    """

    folder: str
    item: Json
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Making:
    """How the composites of a series are made.

    Parameters
    ----------
    tile
        MGRS name.
    stem
        What the names of its means begin with: ``s1_gam_31TGL_vvvh_DES_139``.
    form
        How power is stored in the images.
    created
        UTC, for the items.
    scratch
        Where the files are written.
    threads
        Blocks computed at once.
    tags
        Written into all files.
    lossless
        Keep all mantissa bits of float32.
    """

    tile: str
    stem: str
    form: ValueFormat
    created: datetime
    scratch: Path
    threads: int = 1
    tags: Mapping[str, str] | None = None
    lossless: bool = False


@dataclass(frozen=True)
class _Name:
    """What a composite is called, and where it goes."""

    kind: str
    folder: str
    stem: str
    title: str


def write_composites(
    kinds: Sequence[str],
    sources: Sequence[Source],
    making: Making,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> Iterator[Composite]:
    """Write composites one after the other; each can be published while the next is not begun.

    Parameters
    ----------
    kinds
        Some of "monthly", "ratio" and "rgb".
    sources
        The dates of one series, all on one grid with the same polarisations; for means, all those
        of each month.
    making
        How.
    progress
        Told the fraction done.

    Raises
    ------
    ChainError
        When a ratio or colours are asked for of one polarisation.
    """
    in_time = sorted(sources, key=lambda source: (source.folder, source.item["id"]))
    if not in_time:
        return
    grid = grid_of(making.tile, next(iter(in_time[0].image.values())))
    work = Work(
        grid, making.form, making.threads, dict(making.tags or {}), lossless=making.lossless
    )
    months = [list(group) for _, group in groupby(in_time, key=lambda source: source.month)]
    tasks: list[Callable[[Work], Composite]] = []
    if MONTHLY in kinds:
        tasks += [partial(_mean, month, making) for month in months]
    if RATIO in kinds:
        tasks += [partial(_ratio, source, making) for source in in_time]
    if RGB in kinds:
        tasks += [partial(_colours, source, making) for source in in_time]
    for done, task in enumerate(tasks):
        yield task(replace(work, progress=_part(progress, done, len(tasks))))


def _mean(month: Sequence[Source], making: Making, work: Work) -> Composite:
    """Write the mean of a month and its counts."""
    folder = month[0].month
    year, number = folder.split("/")[-2:]
    stem = f"{making.stem}_{year}{number}_mean"
    path, counts = making.scratch / f"{stem}.tif", making.scratch / f"{stem}_count.tif"
    rasters.write_mean(path, counts, [source.image for source in month], work)
    names = tuple(month[0].image)
    quantity = making.form.quantity
    assets = {
        "mean": _asset(path, f"Mean of {len(month)} dates, {quantity}", work.form, work, names),
        "count": _asset(counts, "Dates with data", rasters.COUNTS, work, names, ("metadata",)),
    }
    title = f"Sentinel-1 mean of {year}-{number} on tile {making.tile}"
    name = _Name(MONTHLY, folder, stem, title)
    return _composite(name, month, assets, making, work)


def _ratio(source: Source, making: Making, work: Work) -> Composite:
    stem = f"{source.item['id']}_{RATIO}"
    path = making.scratch / f"{stem}.tif"
    rasters.write_ratio(path, source.image, work)
    title = f"Sentinel-1 {'/'.join(source.image)} on tile {making.tile}"
    names = tuple(source.image)
    assets = {RATIO: _asset(path, "Ratio of power", rasters.RATIOS, work, names)}
    name = _Name(RATIO, source.folder, stem, title)
    return _composite(name, [source], assets, making, work)


def _colours(source: Source, making: Making, work: Work) -> Composite:
    stem = f"{source.item['id']}_{RGB}"
    path = making.scratch / f"{stem}.tif"
    rasters.write_colours(path, source.image, work)
    title = f"Sentinel-1 colours on tile {making.tile}"
    said = "Red co-polarised, green cross-polarised, blue their ratio"
    names = tuple(source.image)
    assets = {"visual": _asset(path, said, rasters.COUNTS, work, names, ("visual",))}
    name = _Name(RGB, source.folder, stem, title)
    return _composite(name, [source], assets, making, work)


def _composite(
    name: _Name,
    sources: Sequence[Source],
    assets: Mapping[str, Asset],
    making: Making,
    work: Work,
) -> Composite:
    root = "../" * len(name.folder.split("/"))
    parents = {f"{root}{source.folder}/{source.item['id']}.json": source.item for source in sources}
    item = derived_item(
        name.stem,
        name.kind,
        name.title,
        parents,
        grid=work.grid,
        assets=assets,
        created=making.created,
    )
    files = tuple(making.scratch / asset.href for asset in assets.values())
    return Composite(name.folder, item, files)


def _asset(
    path: Path,
    title: str,
    form: ValueFormat,
    work: Work,
    polarizations: tuple[str, ...],
    roles: tuple[str, ...] = ("data",),
) -> Asset:
    raster = Raster(form.dtype, form.nodata, work.grid.transform.a, form.scale)
    size = path.stat().st_size
    return Asset(path.name, COG, title, roles, size, polarizations, raster)


def _part(progress: Callable[[float], None], done: int, parts: int) -> Callable[[float], None]:
    return lambda fraction: progress((done + fraction) / parts)
