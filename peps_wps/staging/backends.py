"""Builds the disk pool and the tape backend that the configuration names."""

from catalog_db.archive.recalls import DISK_ONLY
from peps_wps.config import Config
from storage.pool import Pool
from storage.simtape import SimulatedTape, TapeTimes


def open_pool(config: Config) -> Pool:
    """Return the disk pool."""
    return Pool(config.storage.path, name=DISK_ONLY)


def pool_budget_bytes(config: Config) -> int:
    """Return how much the disk pool may hold."""
    return int(config.storage.budget_gb * 1e9)


def open_tape(config: Config) -> SimulatedTape:
    """Return the tape backend; opening it touches nothing."""
    tape = config.tape
    times = TapeTimes(tape.mount_s, tape.locate_m_s, tape.bandwidth_mb_s * 1e6, tape.speed)
    return SimulatedTape(tape.path, drives=tape.drives, times=times)
