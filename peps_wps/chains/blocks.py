"""Work in several threads, over a raster block by block, and blocks of any size into COGs."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from peps_wps.writers.cog import BLOCK, CogWriter

# Four blocks of a COG, and one tile of an image of 10 m: threads do not wait for each other's.
SIDE = 2 * BLOCK

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def run_each(
    items: Iterable[ItemT],
    work: Callable[[ItemT], ResultT],
    *,
    threads: int,
    progress: Callable[[float], None] = lambda _share: None,
) -> list[ResultT]:
    """Do the work on every item; the first error ends it, and what has not begun never does.

    Parameters
    ----------
    work
        Called from the threads, in the order of the items.
    threads
        Items worked on at once.
    progress
        Told the fraction done, in the calling thread.

    Returns
    -------
    What the work gave, in the order of the items.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="work") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                progress(done / len(futures))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


def blocks_of(shape: tuple[int, int]) -> Iterator[Block]:
    """Yield the blocks of a raster row by row."""
    rows, columns = shape
    for row in range(0, rows, SIDE):
        for column in range(0, columns, SIDE):
            yield Block(row, column, min(SIDE, rows - row), min(SIDE, columns - column))


def run_blocks(
    shape: tuple[int, int],
    work: Callable[[Block], None],
    *,
    threads: int,
    progress: Callable[[float], None],
) -> None:
    """Do the work on every block of a raster.

    Parameters
    ----------
    work
        Called from the threads, in the order of `blocks_of`.
    threads
        Blocks worked on at once.
    progress
        Told the fraction done.
    """
    run_each(blocks_of(shape), work, threads=threads, progress=progress)


def put(
    writer: CogWriter, block: Block, values: NDArray[Any], nodata: float, *, band: int = 0
) -> None:
    """Give a block of `run_blocks` to a COG.

    Parameters
    ----------
    values
        Shape (rows, columns), or with samples behind.
    nodata
        What stands beyond the raster's edge.
    band
        Position among the bands of the COG.
    """
    for row in range(0, block.rows, BLOCK):
        for column in range(0, block.columns, BLOCK):
            part = values[row : row + BLOCK, column : column + BLOCK]
            if part.shape[:2] != (BLOCK, BLOCK):
                whole = np.full((BLOCK, BLOCK, *values.shape[2:]), nodata, values.dtype)
                whole[: part.shape[0], : part.shape[1]] = part
                part = whole
            writer.put(
                (block.row + row) // BLOCK,
                (block.column + column) // BLOCK,
                np.ascontiguousarray(part),
                band=band,
            )
