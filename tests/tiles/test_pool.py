"""Open rasters: bounded, replaced with their files, for many threads and for forks."""

import contextlib
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from peps_wps.tiles.errors import ReplacedError
from peps_wps.tiles.grid import Box, tiles_over
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Identity, Source, open_level
from peps_wps.tiles.sampling import read_tile
from tests.tiles.rasters import write_cog


def _raster(path: Path, value: float = 1.0, side: int = 700) -> Source:
    return Source(write_cog(path, np.full((side, side), value, np.float32)))


def _middle(pool: RasterPool, source: Source, zoom: int = 12) -> float:
    """The value of a constant raster, read through a tile."""
    raster = pool.raster(source)
    x, y = (raster.box.west + raster.box.east) / 2, (raster.box.south + raster.box.north) / 2
    tile, _ = tiles_over(Box(x, y, x, y), zoom)
    values = read_tile(pool, raster, tile.box, side=256, bands=[1], method="nearest")
    return float(np.nanmean(values))


def _open_files(folder: Path) -> list[str]:
    """Files below a folder that this process has open, deleted ones marked so."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the descriptor of this listing
            found.append(str(link.readlink()))
    return [path for path in found if path.startswith(str(folder))]


def test_a_replaced_file_is_another_raster_and_its_old_one_is_closed(tmp_path):
    pool = RasterPool()
    source = _raster(tmp_path / "a.tif", 1.0)
    assert _middle(pool, source) == 1.0

    _raster(tmp_path / "a.tif", 2.0)

    assert _middle(pool, source) == 2.0
    assert not [path for path in _open_files(tmp_path) if "deleted" in path]


def test_a_file_that_went_is_missed(tmp_path):
    pool = RasterPool()
    source = _raster(tmp_path / "a.tif")
    pool.raster(source)
    source.path.unlink()

    with pytest.raises(FileNotFoundError):
        pool.raster(source)


def test_a_raster_described_before_its_file_was_replaced_is_not_read_from_the_new_one(tmp_path):
    pool = RasterPool()
    source = _raster(tmp_path / "a.tif", 1.0)
    raster = pool.raster(source)
    _raster(tmp_path / "a.tif", 2.0, side=300)

    with pytest.raises(ReplacedError, match=r"a\.tif is being replaced"), pool.opened(raster, None):
        pass
    with pytest.raises(ReplacedError):
        open_level(Identity(source, 0, 0, 0), None)


def test_no_more_files_stay_open_than_the_pool_holds(tmp_path):
    pool = RasterPool(capacity=3)
    sources = [
        _raster(tmp_path / f"{number}.tif", float(number), side=64) for number in range(1, 9)
    ]

    for number, source in enumerate(sources, 1):
        assert _middle(pool, source, 15) == number

    assert len(_open_files(tmp_path)) == 3
    pool.close()
    assert not _open_files(tmp_path)


def test_a_file_stays_open_between_tiles(tmp_path):
    pool = RasterPool()
    source = _raster(tmp_path / "a.tif")
    _middle(pool, source)
    raster = pool.raster(source)

    with pool.opened(raster, None) as first:
        pass
    with pool.opened(raster, None) as second, pool.opened(raster, None) as other:
        assert second is first
        assert other is not first


def test_a_handle_that_failed_is_not_kept(tmp_path):
    pool = RasterPool()
    raster = pool.raster(_raster(tmp_path / "a.tif"))

    with pytest.raises(RuntimeError, match="torn"), pool.opened(raster, None):
        raise RuntimeError("torn")

    assert not _open_files(tmp_path)


def test_many_threads_read_one_file_at_once_while_it_is_replaced(tmp_path):
    pool = RasterPool(capacity=4)
    source = _raster(tmp_path / "a.tif", 1.0)
    begun = threading.Barrier(7)

    def read(_: int) -> set[float]:
        begun.wait()
        found = set()
        for _ in range(12):
            try:
                found.add(_middle(pool, source))
            except ReplacedError:
                continue
        return found

    with ThreadPoolExecutor(6) as threads:
        running = threads.map(read, range(6))
        begun.wait()
        _raster(tmp_path / "a.tif", 2.0)
        seen = set().union(*running)

    # Never a mixture: each tile is of one file.
    assert seen <= {1.0, 2.0}
    assert _middle(pool, source) == 2.0
    pool.close()


def test_a_fork_opens_files_of_its_own(tmp_path):
    """A handle shared with the parent shares its place in the file with it."""
    pool = RasterPool()
    source = _raster(tmp_path / "a.tif", 3.0)
    _middle(pool, source)
    raster = pool.raster(source)
    with pool.opened(raster, None) as ours:
        place = id(ours)

    def child(answer) -> None:
        with pool.opened(raster, None) as theirs:
            answer.send((id(theirs) != place, float(theirs.read(1).mean())))

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=child, args=(there,))
    process.start()
    assert here.poll(30)
    assert here.recv() == (True, 3.0)
    process.join()


def test_quantiles_are_computed_once_for_a_file(tmp_path):
    pool = RasterPool()
    source = _raster(tmp_path / "a.tif")
    raster, calls = pool.raster(source), []

    def compute(*asked) -> np.ndarray:
        calls.append(asked)
        return np.zeros(3, np.float32)

    for _ in range(3):
        pool.quantiles(raster, 1, compute)
    assert len(calls) == 1

    _raster(tmp_path / "a.tif", 2.0)
    pool.quantiles(pool.raster(source), 1, compute)
    assert len(calls) == 2
