"""What the datalake holds of pairs: their cells, hidden, and their maps, published."""

import json
from dataclasses import dataclass
from pathlib import Path

from algorithms.interferometry.spectral_diversity import AzimuthShift
from peps_wps.chains.contract import Json
from peps_wps.chains.interferometry.cells import BurstRecord
from peps_wps.chains.interferometry.facts import PairFacts
from peps_wps.chains.interferometry.map_grid import MapGrid
from peps_wps.chains.interferometry.solve import KeptPair
from peps_wps.chains.time_series_s1.order import Order
from peps_wps.chains.time_series_s1.tasks import COLLECTION, Pair
from peps_wps.datalake.lake import Lake
from peps_wps.datalake.parameters import parameters_hash
from peps_wps.writers.json_document import write_json
from storage.datalake import Product

# Properties of the item of a pair, after ``peps:``, that say whether it is what is wanted.
SHIFT, _INPUTS = "azimuth_shift_lines", "input_products"
PHASE, COHERENCE = "unw", "coherence"
# How pairs are computed, from pixels to maps. It goes up with every change of what their pixels
# hold, so that maps and cells of one way of working are never taken for those of another: 2 joins
# neighbouring cells for the coherence, 3 keeps steps of cycles on the borders of squares of cells.
METHOD = 3
RECORD = "pair.json"
# A shift is told to a millionth of a line: 60 microradians of phase.
SHIFT_DIGITS = 6


@dataclass(frozen=True)
class PairRecord:
    """What is known of a pair whose cells are kept.

    Parameters
    ----------
    facts
        Of its products.
    bursts
        Where their cells lie.
    shift
        What its overlaps tell; None where too little is coherent.
    perpendicular_baseline
        At the middle, metres.
    """

    facts: PairFacts
    bursts: tuple[BurstRecord, ...]
    shift: AzimuthShift | None
    perpendicular_baseline: float

    def to_json(self) -> Json:
        """Return the record as JSON."""
        return {
            "facts": self.facts.to_json(),
            "bursts": [one.to_json() for one in self.bursts],
            "shift": None if self.shift is None else self.shift._asdict(),
            "perpendicular_baseline": self.perpendicular_baseline,
        }

    @classmethod
    def from_json(cls, body: Json) -> "PairRecord":
        """Return the record that `to_json` gave."""
        return cls(
            PairFacts.from_json(body["facts"]),
            tuple(BurstRecord.from_json(one) for one in body["bursts"]),
            body["shift"] and AzimuthShift(**body["shift"]),
            body["perpendicular_baseline"],
        )


def collection_of(order: Order, polarization: str, area: str, grid: MapGrid) -> str:
    """Return the folder of the datalake for pairs so made: ``S1-INTERFEROGRAMS-5f2c09ab``."""
    place = {
        "area": area if order.geometry is not None else "",
        "epsg": grid.epsg,
        "transform": list(grid.transform)[:6],
        "shape": list(grid.shape),
    }
    made = {"polarization": polarization, "method": METHOD}
    parameters = {**order.pair_parameters, **place, **made}
    return f"{COLLECTION}-{parameters_hash(parameters)}"


def state_of(lake: Lake, pair: Pair) -> Path:
    """Return the hidden folder of a pair."""
    return lake.state_folder(pair.folder)


def record_of(lake: Lake, pair: Pair) -> PairRecord | None:
    """Return what is kept of a pair, None where nothing is, or it is of other products."""
    try:
        body = json.loads((state_of(lake, pair) / RECORD).read_text())
    except FileNotFoundError:
        return None
    record = PairRecord.from_json(body)
    titles = tuple(title for scene in record.facts.scenes for title in scene.titles)
    return record if titles == pair.titles else None


def keep(lake: Lake, pair: Pair, record: PairRecord) -> None:
    """Say that the cells of a pair are there, when all of them are."""
    write_json(state_of(lake, pair) / RECORD, record.to_json())


def kept_pair(lake: Lake, pair: Pair, record: PairRecord) -> KeptPair:
    """Return the cells of a pair."""
    folder = state_of(lake, pair)
    return KeptPair(tuple(folder / one.file for one in record.bursts), pair.stack.order.looks)


def map_of(lake: Lake, pair: Pair, lines: float) -> Product | None:
    """Return the maps of a pair, made of its products with this shift; None where there are none.

    Parameters
    ----------
    lines
        Shift that was taken out of the phase.
    """
    product = lake.product(pair.folder, pair.stem)
    if product is None:
        return None
    said = product.item["properties"]
    is_same = said[f"peps:{SHIFT}"] == lines and said[f"peps:{_INPUTS}"] == list(pair.titles)
    return product if is_same else None


def layer_path(lake: Lake, pair: Pair, layer: str) -> Path:
    """Return where a layer of the maps of a pair lies."""
    return lake.files.path(f"{pair.folder}/{pair.stem}_{layer}.tif")
