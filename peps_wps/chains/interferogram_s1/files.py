"""The files of an interferogram on one grid: layers, pictures, metadata, STAC item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from peps_wps.chains.contract import Json
from peps_wps.chains.interferogram_s1.account import Account
from peps_wps.chains.interferogram_s1.layers import COHERENCE, DISPLACEMENT, FILTERED, WRAPPED
from peps_wps.chains.interferometry.describe import (
    PairMaking,
    file_asset,
    layer_asset,
    pair_item,
    tags_of,
)
from peps_wps.chains.interferometry.mapping import Layer, MapWork, write_layers
from peps_wps.chains.interferometry.pictures import (
    coherence_picture,
    displacement_picture,
    phase_picture,
)
from peps_wps.writers import stac
from peps_wps.writers.json_document import write_json

_TITLES = {
    "phase": "Picture of the phase",
    "coherence": "Picture of the coherence",
    "displacement": "Picture of the displacement",
}


@dataclass(frozen=True)
class GridFiles:
    """What was written of one grid, by name; pictures by what they show."""

    tile: str
    names: tuple[str, ...]
    pictures: dict[str, str]
    metadata: str

    def to_json(self) -> Json:
        """Return the files as JSON."""
        return {
            "tile": self.tile,
            "files": list(self.names),
            "pictures": self.pictures,
            "metadata": self.metadata,
        }


def write_grid(
    account: Account,
    work: MapWork,
    layers: Sequence[Layer],
    folder: Path,
    *,
    threads: int,
    progress: Callable[[float], None],
) -> GridFiles | None:
    """Write all files of one grid, or nothing and None where it holds nothing."""
    target = work.target
    stem = account.facts.stem + (f"_{target.tile}" if target.tile else "")
    tags = tags_of(account.facts, target, account.sentence, account.relief.datum)
    images = write_layers(work, layers, folder, stem, tags=tags, threads=threads, progress=progress)
    if not images:
        return None
    pictures = _write_pictures(folder, stem, images)
    metadata = folder / f"{stem}_metadata.json"
    document = account.document()
    write_json(metadata, document | {"files": {name: path.name for name, path in images.items()}})
    assets = {
        layer.name: layer_asset(layer, images[layer.name], target, account.facts.polarization)
        for layer in layers
    }
    for kind, path in pictures.items():
        role = "thumbnail" if kind == "phase" else "overview"
        assets[f"{kind}_picture"] = file_asset(path, _TITLES[kind], role, stac.PNG)
    assets["metadata"] = file_asset(metadata, "Metadata", "metadata", "application/json")
    item = folder / f"{stem}.json"
    making = _making(account, document)
    write_json(item, pair_item(stem, account.facts, target, making, assets))
    files = [*images.values(), *pictures.values(), metadata, item]
    return GridFiles(
        target.tile,
        tuple(path.name for path in files),
        {kind: path.name for kind, path in pictures.items()},
        metadata.name,
    )


def _write_pictures(folder: Path, stem: str, images: dict[str, Path]) -> dict[str, Path]:
    """Draw what there is to be seen."""
    pictures = {kind: folder / f"{stem}_{kind}.png" for kind in ("phase", "coherence")}
    phase_picture(pictures["phase"], images.get(FILTERED, images[WRAPPED]))
    coherence_picture(pictures["coherence"], images[COHERENCE])
    if DISPLACEMENT in images:
        pictures["displacement"] = folder / f"{stem}_displacement.png"
        displacement_picture(pictures["displacement"], images[DISPLACEMENT])
    return pictures


def _making(account: Account, document: Json) -> PairMaking:
    """Return what the item says of the making."""
    told = (
        "azimuth_shift",
        "coherence",
        "unwrapping",
        "signs",
        "warnings",
        "bursts",
        "dem",
        "troposphere",
    )
    return PairMaking(
        f"Sentinel-1 interferogram of {account.facts.days:g} days",
        account.sentence,
        "INT",
        account.order.looks,
        {**account.geometry, **{name: document[name] for name in told}},
    )
