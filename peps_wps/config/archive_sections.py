"""Sections of the configuration about what is held: catalogue, archive, datalake, mirror."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from peps_wps.config.values import DatabaseUrl, require_some
from peps_wps.errors import ConfigError

_CATALOG_URL = DatabaseUrl("sqlite:///catalog.db")


@dataclass(frozen=True)
class Catalog:
    """``[catalog]``: the database of products, recalls and jobs."""

    url: DatabaseUrl = _CATALOG_URL


@dataclass(frozen=True)
class Storage:
    """``[storage]``: the disk pool in front of the tape, and what a user may ask of it.

    `pin_hours` is how long requests keep files that do not say how long, `max_pin_hours` how long
    they may, `download_pin_hours` what a download gets. `max_waiting_files` and `max_waiting_gb`
    are what one user may wait for. With `local_paths`, who has products staged is told where their
    files lie.
    """

    path: Path = Path("pool")
    budget_gb: float = 100.0
    eviction: Literal["gdsf", "lru"] = "gdsf"
    pin_hours: float = 48.0
    max_pin_hours: float = 336.0
    download_pin_hours: float = 0.5
    max_waiting_files: int = 5000
    max_waiting_gb: float = 10_000.0
    local_paths: Literal["off", "on"] = "off"

    def __post_init__(self) -> None:
        require_some(self, "max_waiting_files")
        for name in ("budget_gb", "pin_hours", "download_pin_hours", "max_waiting_gb"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} = {getattr(self, name)}: expected above 0")
        for name in ("pin_hours", "download_pin_hours"):
            if getattr(self, name) > self.max_pin_hours:
                raise ConfigError(
                    f"{name} = {getattr(self, name)}: expected at most "
                    f"max_pin_hours = {self.max_pin_hours}"
                )


@dataclass(frozen=True)
class Staging:
    """``[staging]``: orders that bring products to disk (AMALTHEE).

    One is for `max_products` at most; all of them together hold at most `pool_share` of the pool.
    """

    max_products: int = 500
    pool_share: float = 0.5

    def __post_init__(self) -> None:
        require_some(self, "max_products")
        if not 0 < self.pool_share <= 1:
            raise ConfigError(f"pool_share = {self.pool_share}: expected above 0, 1 at most")


@dataclass(frozen=True)
class Downloads:
    """``[downloads]``: what one user may download, or one address that gives no name; 0: no limit.

    `files_user` and `gb_user` (GB of 10**9 bytes) are of downloads at once, `gb_day_user` of what
    is sent within 24 hours.
    """

    files_user: int = 250
    gb_user: float = 0.0
    gb_day_user: float = 0.0


@dataclass(frozen=True)
class Datalake:
    """``[datalake]``: published results that stay; 0 is no limit of size or age.

    Cells of interferograms, which only later orders of S1_TIME_SERIES need, go `cells_days` after
    an order used them last.
    """

    path: Path = Path("datalake")
    standard: str = ""
    access: Literal["public", "users"] = "public"
    budget_gb: float = 0.0
    keep_days: float = 0.0
    cells_days: float = 60.0

    def __post_init__(self) -> None:
        # Less could take them away from a job that waits.
        if self.cells_days and not 1 <= self.cells_days < float("inf"):
            raise ConfigError(f"cells_days = {self.cells_days}: expected 1 or more, or 0")


@dataclass(frozen=True)
class Mirror:
    """``[mirror]``: archives that are followed; `sources` is the file that names them."""

    sources: Path | None = None
    path: Path = Path("mirror")
    tier: Literal["tape", "disk"] = "tape"
    interval_s: float = 300.0
    overlap_hours: float = 72.0
    rescan_s: float = 3600.0
    max_attempts: int = 5
    backoff_s: float = 60.0

    def __post_init__(self) -> None:
        require_some(self, "max_attempts")
        if self.overlap_hours < 48:
            raise ConfigError(f"overlap_hours = {self.overlap_hours}: expected 48 or more")
