"""The last task of a pair: its bursts merged, the coherence of each polarisation on the tiles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from shapely.geometry.base import BaseGeometry

from peps_wps.chains.coherence_s1.order import Order
from peps_wps.chains.coherence_s1.plan import PairTask
from peps_wps.chains.contract import Json, Progress, Task, TaskInputs, TaskResult
from peps_wps.chains.interferometry.describe import (
    PairMaking,
    file_asset,
    geometry_of,
    layer_asset,
    lineage,
    pair_item,
    tags_of,
)
from peps_wps.chains.interferometry.facts import PairFacts, few_looks, finished_bursts
from peps_wps.chains.interferometry.map_grid import MapGrid, tile_grids
from peps_wps.chains.interferometry.mapping import map_work, value_layer, write_layers
from peps_wps.chains.interferometry.order_fields import looks_text
from peps_wps.chains.interferometry.pictures import coherence_picture
from peps_wps.chains.interferometry.solve import KeptPair, Merged, merged
from peps_wps.chains.interferometry.terrain import Relief, map_relief
from peps_wps.chains.ortho_s1.heights import configured_dem
from peps_wps.errors import ChainError
from peps_wps.writers import stac
from peps_wps.writers.json_document import write_json

COHERENCE = "coherence"
_MERGED = 20.0  # percent of the task


@dataclass(frozen=True)
class PairCoherence:
    """One polarisation of a pair."""

    facts: PairFacts
    kept: KeptPair
    whole: Merged


def run_tiles(task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Map the coherence of a pair whose bursts other tasks computed."""
    work = PairTask.from_json(task.body)
    order = work.order
    progress("Merging the bursts", 0)
    found = {
        polarization: _merged(order, inputs, names) for polarization, names in work.bursts.items()
    }
    facts = next(iter(found.values())).facts
    area = order.wanted.of(facts.shown)
    relief = map_relief(configured_dem(inputs.config), area, facts.near_incidence)
    grids = tile_grids(area, order.resolution, order.tiles)
    threads = inputs.config.processing.threads
    tiles: list[Json] = []
    for number, target in enumerate(grids):

        def tell(share: float, number: int = number, name: str = target.tile) -> None:
            done = (number + share) / len(grids)
            progress(f"Mapping tile {name}", _MERGED + done * (100.0 - _MERGED))

        folder = inputs.scratch / target.tile
        folder.mkdir()
        written = _write_tile(order, found, _Place(target, relief, area), folder, threads, tell)
        tiles += [{"tile": target.tile, **written}] if written else []
    if not tiles:
        raise ChainError("no pixel of the result holds anything: the area has no valid data")
    body = {
        "reference": facts.reference.title,
        "secondary": facts.secondary.title,
        "start": facts.reference.start,
        "stem": _stem(found),
        "days": facts.days,
        "remarks": list(facts.remarks),
        "dem": relief.datum,
        "mean_coherence": {polarization: _mean(one) for polarization, one in found.items()},
        "tiles": tiles,
    }
    files = (f"{tile['tile']}/{name}" for tile in tiles for name in tile["files"])
    return TaskResult(body, tuple(files))


@dataclass(frozen=True)
class _Place:
    """A tile, the terrain around, and what of the bursts is wanted, degrees."""

    target: MapGrid
    relief: Relief
    area: BaseGeometry


def _merged(order: Order, inputs: TaskInputs, names: list[str]) -> PairCoherence:
    """Merge the bursts of some tasks."""
    facts, bursts = finished_bursts([one for one in inputs.earlier if one.task.name in names])
    kept = KeptPair(tuple(one.task.folder / one.record.file for one in bursts), order.looks)
    missing = max(one.record.missing for one in bursts)
    shift = kept.shift()
    lines = 0.0 if shift is None else shift.lines
    whole = merged(kept, lines, coherence_looks=order.coherence_looks)
    return PairCoherence(facts.above(missing), kept, whole)


def _write_tile(
    order: Order,
    found: Mapping[str, PairCoherence],
    place: _Place,
    folder: Path,
    threads: int,
    progress: Callable[[float], None],
) -> Json | None:
    """Write the files of a pair on one tile; None where it holds nothing."""
    assets: dict[str, stac.Asset] = {}
    for number, (polarization, one) in enumerate(found.items()):

        def tell(share: float, number: int = number) -> None:
            progress((number + share) / len(found))

        written = _write_image(order, one, polarization, place, folder, threads, tell)
        if written is None:
            continue
        image, path = written
        picture = path.with_suffix(".png")
        coherence_picture(picture, path)
        key, role = polarization.lower(), "overview" if assets else "thumbnail"
        assets[key] = image
        assets[f"{key}_picture"] = file_asset(
            picture, f"Picture of the coherence {polarization}", role, stac.PNG
        )
    if not assets:
        return None
    item = _item(order, found, place, assets)
    write_json(folder / f"{item['id']}.json", item)
    files = [asset.href for asset in assets.values()]
    drawn = next(name for name in files if name.endswith(".png"))
    return {"files": [*files, f"{item['id']}.json"], "picture": drawn}


def _write_image(
    order: Order,
    one: PairCoherence,
    polarization: str,
    place: _Place,
    folder: Path,
    threads: int,
    progress: Callable[[float], None],
) -> tuple[stac.Asset, Path] | None:
    """Write the coherence of one polarisation on a tile; None where it holds nothing."""
    layer = value_layer(COHERENCE, f"Coherence {polarization}", one.whole.coherence)
    images = write_layers(
        map_work(place.target, one.kept, one.whole, place.relief, order.wanted, place.area),
        [layer],
        folder,
        f"{one.facts.stem}_{place.target.tile}",
        tags=tags_of(
            one.facts, place.target, _sentence(order, one, polarization), place.relief.datum
        ),
        threads=threads,
        progress=progress,
    )
    if not images:
        return None
    path = images[COHERENCE]
    return layer_asset(layer, path, place.target, polarization), path


def _stem(found: Mapping[str, PairCoherence]) -> str:
    """Return how names of files begin that are of all polarisations."""
    facts = next(iter(found.values())).facts
    return replace(facts, polarization="".join(found)).stem


def _sentence(order: Order, one: PairCoherence, polarizations: str) -> str:
    """Return how the coherence of some polarisations was made."""
    cells = f"cells of {looks_text(order.looks)} looks"
    joined = f"{one.whole.coherence_looks:.0f} independent looks of neighbouring cells"
    facts = replace(one.facts, polarization=polarizations)
    return lineage(facts, f"coherence over {joined}, {cells}, its bias taken off")


def _item(
    order: Order,
    found: Mapping[str, PairCoherence],
    place: _Place,
    assets: Mapping[str, stac.Asset],
) -> Json:
    """Return the item of a pair on a tile."""
    first = next(iter(found.values()))
    low, high = place.relief.terrain.height_range or (0.0, 0.0)
    frame = first.whole.grid.frame
    making = PairMaking(
        f"Sentinel-1 coherence of {first.facts.days:g} days on tile {place.target.tile}",
        _sentence(order, first, " and ".join(found)),
        "COH",
        order.looks,
        {
            **geometry_of(frame, first.kept.secondary_frame, 0.5 * (low + high)),
            "independent_looks": round(first.whole.looks, 2),
            "coherence_looks": round(first.whole.coherence_looks, 2),
            "dem": place.relief.datum,
            "warnings": [*first.facts.remarks, *few_looks(first.whole.coherence_looks)],
        },
    )
    identifier = f"{_stem(found)}_{place.target.tile}_{COHERENCE}"
    return pair_item(identifier, first.facts, place.target, making, assets)


def _mean(one: PairCoherence) -> float:
    """Return the mean coherence of a pair."""
    return round(float(np.mean(one.whole.coherence[one.whole.held])), 4)
