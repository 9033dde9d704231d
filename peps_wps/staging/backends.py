"""Builds the disk pool and the tape backend that the configuration names."""

from catalog_db.archive.recalls import DISK_ONLY
from peps_wps.config import Config
from storage.backends.simtape import SimulatedTape
from storage.pool import Pool
from storage.tape_geometry import TapeDriveModel, Winding


def open_pool(config: Config) -> Pool:
    """Return the disk pool."""
    return Pool(config.storage.path, name=DISK_ONLY)


def pool_budget_bytes(config: Config) -> int:
    """Return how much the disk pool may hold."""
    return int(config.storage.budget_gb * 1e9)


def open_tape(config: Config) -> SimulatedTape:
    """Return the tape backend; opening it touches nothing."""
    tape = config.tape
    model = TapeDriveModel(
        Winding(speed_m_s=tape.locate_m_s), tape.bandwidth_mb_s * 1e6, tape.mount_s, tape.mount_s, 0
    )
    return SimulatedTape(tape.path, drives=tape.drives, model=model, speed=tape.speed)
