"""Bursts of a pair from pixels to cells, several at once, each kept in a file of its own."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from algorithms.interferometry.cells import CellGrid, Looks
from algorithms.interferometry.pair import burst_cells, burst_pair
from peps_wps.chains.blocks import run_each
from peps_wps.chains.contract import Json
from peps_wps.chains.interferometry.bursts import BurstKey, SlcPair
from peps_wps.chains.interferometry.kept_cells import save_cells
from peps_wps.chains.interferometry.terrain import burst_relief
from peps_wps.readers.dem import Dem


@dataclass(frozen=True)
class BurstRecord:
    """A burst whose cells are kept.

    Parameters
    ----------
    name
        As people know it.
    swath, number
        Its key.
    file
        Where its cells lie, inside the folder that they were written to.
    datum, missing
        Of the heights, as `Relief` has them.
    """

    name: str
    swath: str
    number: int
    file: str
    datum: str
    missing: float

    def to_json(self) -> Json:
        """Return the record as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Json) -> "BurstRecord":
        """Return the record that `to_json` gave."""
        return cls(**body)


def compute_cells(
    pair: SlcPair,
    keys: Sequence[BurstKey],
    looks: Looks,
    dem: Dem,
    folder: Path,
    *,
    threads: int = 1,
    progress: Callable[[float, str], None] = lambda _share, _name: None,
) -> list[BurstRecord]:
    """Compute bursts of a pair: coregistered, flattened, averaged over cells, one file each.

    Parameters
    ----------
    pair
        The products.
    keys
        Which of its bursts.
    looks
        Of a cell; the cells are those of ``pair.grid(looks)`` whichever bursts are computed.
    dem
        Heights.
    folder
        Where the files go.
    threads
        Bursts worked on at once; each needs about 1 GB at full size.
    progress
        Told the share done, and the burst that was last worked on.

    Returns
    -------
    A record a burst, in the order of `keys`.
    """
    grid = pair.grid(looks)
    shares = dict.fromkeys(keys, 0.0)
    lock = threading.Lock()

    def tell(key: BurstKey, share: float) -> None:
        with lock:
            shares[key] = share
            progress(sum(shares.values()) / len(shares), pair.name_of(key))

    def work(key: BurstKey) -> BurstRecord:
        return _compute_burst(pair, key, grid, dem, folder, lambda share: tell(key, share))

    return run_each(keys, work, threads=threads)


def _compute_burst(
    pair: SlcPair,
    key: BurstKey,
    grid: CellGrid,
    dem: Dem,
    folder: Path,
    progress: Callable[[float], None],
) -> BurstRecord:
    """Compute one burst."""
    swath, number = key
    reference, secondary = pair.bursts(key)
    relief = burst_relief(dem, pair.reference.swaths[swath], reference)
    low, high = relief.terrain.height_range or (0.0, 0.0)
    joined = burst_pair(reference, secondary, (low, high))
    pixels = tuple(
        product.swaths[swath].read(number) for product in (pair.reference, pair.secondary)
    )
    cells = burst_cells((pixels[0], pixels[1]), joined, relief.terrain, grid, progress=progress)
    name = f"{pair.name_of(key)}.npz"
    save_cells(folder / name, joined, cells)
    return BurstRecord(pair.name_of(key), swath, number, name, relief.datum, relief.missing)
