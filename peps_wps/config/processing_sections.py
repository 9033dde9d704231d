"""Sections of the configuration about jobs: where they run, on what, and what they give."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from peps_wps.config.values import Source, require_some, size_in_bytes
from peps_wps.errors import ConfigError

_DEM_PATH = Source("dem")


@dataclass(frozen=True)
class Processing:
    """``[processing]``: how jobs run; `chains` is the module holding ``CHAINS``.

    `parallelprocesses` and `quickprocesses` are limits of this machine, whatever the number of its
    workers; `maxrunning` and those of a user hold for all machines together. 0 is no limit.
    """

    parallelprocesses: int = 1
    quickprocesses: int = 1
    maxrunning: int = 0
    maxrunning_user: int = 0
    maxprocesses: int = 1000
    maxprocesses_user: int = 0
    threads: int = 2
    max_attempts: int = 3
    lease_s: float = 30.0
    heartbeat_s: float = 5.0
    time_limit_s: int = 7200
    result_days: float = 5.0
    job_days: float = 90.0
    sync_limit_s: float = 60.0
    executor: Literal["local", "dask", "slurm"] = "local"
    chains: str = "peps_wps.chains.registry"

    def __post_init__(self) -> None:
        require_some(self, "parallelprocesses", "quickprocesses", "threads", "max_attempts")
        require_some(self, "time_limit_s")
        for name in ("maxrunning", "maxrunning_user", "maxprocesses", "maxprocesses_user"):
            if (value := getattr(self, name)) < 0:
                raise ConfigError(f"{name} = {value}: expected 0, for no limit, or more")
        if not 0 < self.heartbeat_s < self.lease_s / 2:
            raise ConfigError(
                f"heartbeat_s = {self.heartbeat_s}: expected above 0 and below half of "
                f"lease_s = {self.lease_s}"
            )


@dataclass(frozen=True)
class Dask:
    """``[dask]``: the cluster of ``executor = dask``; `threads` cores for each task."""

    address: str = ""
    tasks_per_job: int = 4
    threads: int = 2

    def __post_init__(self) -> None:
        require_some(self, "tasks_per_job", "threads")
        if self.address and not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+", self.address):
            raise ConfigError(f"address = {self.address}: expected tcp://host:port or tls://")


@dataclass(frozen=True)
class Slurm:
    """``[slurm]``: what ``executor = slurm`` asks Slurm for; a Slurm job runs a task at a time.

    `minimum_jobs` and `maximum_jobs` are Slurm jobs of one running job of ours; `job_extra` are
    further options of sbatch and `prologue` commands before the worker, separated by semicolons.
    """

    partition: str = ""
    account: str = ""
    cores: int = 2
    memory: str = "8gb"
    walltime: str = "02:00:00"
    minimum_jobs: int = 0
    maximum_jobs: int = 4
    interface: str = ""
    host: str = ""
    job_extra: str = ""
    prologue: str = ""

    def __post_init__(self) -> None:
        require_some(self, "cores", "maximum_jobs")
        size_in_bytes(self.memory)
        if not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", self.walltime):
            raise ConfigError(f"walltime = {self.walltime}: expected days-hours:minutes:seconds")
        if not 0 <= self.minimum_jobs <= self.maximum_jobs:
            raise ConfigError(
                f"minimum_jobs = {self.minimum_jobs}: expected at most "
                f"maximum_jobs = {self.maximum_jobs}"
            )


@dataclass(frozen=True)
class Results:
    """``[results]``: outputs of jobs until they expire, and the scratch of running ones."""

    path: Path = Path("results")


@dataclass(frozen=True)
class Dem:
    """``[dem]``: heights. An empty `vertical_datum` leaves it to the files' own tags and names."""

    path: Source = _DEM_PATH
    vertical_datum: Literal["", "EGM96", "EGM2008", "ellipsoid"] = ""
    geoid_path: Path | None = None
    geoid_fallback: Literal["", "EGM96"] = ""
    sea: Literal["zero", "error"] = "zero"


@dataclass(frozen=True)
class Orbits:
    """``[orbits]``: the folder of precise and restituted orbit files."""

    path: Path = Path("orbits")


@dataclass(frozen=True)
class Atmosphere:
    """``[atmosphere]``: the folder of ERA5 files."""

    path: Path = Path("atmosphere")
