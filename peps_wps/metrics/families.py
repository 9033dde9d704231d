"""The metrics of the installation, as Prometheus has them, read from rows when they are asked for.

Whatever web process is asked gives the same figures. Nothing is scanned that grows with the
catalogue: counts of what happened are kept by day, and how things stand is read along indexes.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric

from catalog_db import counters, gauges, times
from catalog_db.access import downloads
from catalog_db.counters import DayCount
from catalog_db.engine import Engine
from catalog_db.gauges import JobCount, MirrorState, RecallQueue
from catalog_db.processing import workers
from peps_wps.config import Config
from peps_wps.metrics.search_meter import BOUNDS_S, found_searches
from peps_wps.staging import Archive, PoolState

Totals = Mapping[tuple[str, str], int]

# Counts without a word of their own: name, what it is of, and its label.
_COUNTERS = (
    (counters.RECALLS, "recalls", "Recalls that ended or were tried again", "state"),
    (counters.RECALL_BYTES, "recall_bytes", "Bytes that came from tape", "backend"),
    (counters.MOUNTS, "mounts", "Tapes mounted", "backend"),
    (counters.CACHE_HITS, "cache_hits", "Files asked for that were on disk", ""),
    (counters.CACHE_MISSES, "cache_misses", "Files asked for that were on tape", ""),
    (counters.EVICTIONS, "evictions", "Files removed from the pool for others", ""),
    (counters.EVICTED_BYTES, "evicted_bytes", "Their bytes", ""),
    (
        counters.CHECKSUM_FAILURES,
        "checksum_failures",
        "Files that were not what was archived",
        "place",
    ),
    (counters.DOWNLOADS, "downloads", "Downloads, by how they ended", "status"),
    (counters.DOWNLOAD_BYTES, "download_bytes", "Bytes sent to users", "platform"),
)
# Always shown, so that a rate of theirs is 0 and not missing.
_UNLABELLED = ("cache_hits", "cache_misses", "evictions", "evicted_bytes")


@dataclass(frozen=True)
class Reading:
    """All that is read for the metrics at one instant.

    Parameters
    ----------
    now
        The instant.
    totals, recent
        What was ever counted; and of yesterday and today, by day.
    queue, jobs, mirrors, workers, downloads
        How things stand.
    pool
        What the disk pool holds.
    drives
        Drives by backend, as configured.
    """

    now: datetime
    totals: Totals
    recent: Sequence[DayCount]
    queue: RecallQueue
    jobs: Sequence[JobCount]
    mirrors: Sequence[MirrorState]
    workers: int
    downloads: int
    pool: PoolState
    drives: Mapping[str, int]


def read(config: Config, engine: Engine, archive: Archive) -> Reading:
    """Read everything, in one snapshot of the database but for the pool."""
    now = times.now()
    with engine.connect() as connection:
        heard = now - timedelta(seconds=config.processing.lease_s)
        # A mirror keeps its own sums.
        corrupt = {(counters.CHECKSUM_FAILURES, "mirror"): gauges.mirror_corruptions(connection)}
        return Reading(
            now=now,
            totals=counters.totals(connection) | corrupt,
            recent=counters.by_day(
                connection,
                (counters.DRIVE_BUSY_US, counters.CACHE_HITS, counters.CACHE_MISSES),
                now - timedelta(days=1),
            ),
            queue=gauges.recall_queue(connection),
            jobs=gauges.active_jobs(connection),
            mirrors=gauges.mirrors(connection, now),
            workers=len(workers.heard_since(connection, heard)),
            downloads=downloads.running(connection, now),
            pool=archive.pool_state(),
            drives=_drives(config),
        )


def families(config: Config, reading: Reading) -> Iterator[Metric]:
    """Yield the metrics of a reading."""
    yield from _counted(reading.totals)
    yield _searches(reading.totals)
    yield _waits(reading.totals)
    yield from _queue(reading)
    yield from _drive_use(reading)
    yield _gauge("cache_hit_ratio", "Of files asked for, those on disk", hit_ratio(reading.recent))
    yield from _jobs(reading)
    yield from _mirrors(reading)
    yield from _room(config, reading.pool)
    yield _gauge("downloads_running", "Downloads in progress", reading.downloads)
    yield _gauge("workers", "Worker processes that were heard of lately", reading.workers)


def hit_ratio(recent: Iterable[DayCount]) -> float:
    """Return the part of files asked for, yesterday and today, that were on disk; 1 of none."""
    sums = _sums(recent)
    hits, misses = sums[counters.CACHE_HITS, ""], sums[counters.CACHE_MISSES, ""]
    return hits / (hits + misses) if hits + misses else 1.0


def _counted(totals: Totals) -> Iterator[Metric]:
    for name, shown, text, label in _COUNTERS:
        family = CounterMetricFamily(shown, text, labels=[label] if label else [])
        found = {one: value for (counted, one), value in sorted(totals.items()) if counted == name}
        if not label:
            found = {"": sum(found.values())}
        for one, value in found.items():
            family.add_metric([one] if label else [], value)
        yield family
    busy = CounterMetricFamily("drive_busy_seconds", "Time of drives at work", labels=["backend"])
    for (name, backend), value in sorted(totals.items()):
        if name == counters.DRIVE_BUSY_US:
            busy.add_metric([backend], value / 1e6)
    yield busy
    ended = CounterMetricFamily("wps_jobs_ended", "Jobs that ended", labels=["state", "process"])
    for (name, process), value in sorted(totals.items()):
        if name in counters.JOBS_ENDED.values():
            ended.add_metric([name.removeprefix("jobs_"), process], value)
    yield ended


def _searches(totals: Totals) -> Metric:
    family = HistogramMetricFamily(
        "catalog_search_seconds", "Searches, by what narrows them", labels=["query_class"]
    )
    numbers: dict[str, dict[str, int]] = defaultdict(dict)
    for one in found_searches(totals):
        numbers[one.query_class][one.bound] = one.number
    bounds = [f"{bound:g}" for bound in BOUNDS_S]
    for query_class, found in sorted(numbers.items()):
        seconds = totals.get((counters.SEARCH_US, query_class), 0) / 1e6
        family.add_metric([query_class], _cumulative(found, bounds), seconds)
    return family


def _waits(totals: Totals) -> Metric:
    family = HistogramMetricFamily(
        "stage_wait_seconds", "From asking for a file on tape to having it on disk"
    )
    found = {
        label: value for (name, label), value in totals.items() if name == counters.STAGE_WAITS
    }
    bounds = [str(bound) for bound in counters.WAIT_BOUNDS_S]
    seconds = totals.get((counters.STAGE_WAIT_US, ""), 0) / 1e6
    family.add_metric([], _cumulative(found, bounds), seconds)
    return family


def _cumulative(found: Mapping[str, int], bounds: Sequence[str]) -> list[tuple[str, float]]:
    """Return how many fit in each bound, those below included, as a histogram has them."""
    buckets: list[tuple[str, float]] = []
    total = 0
    for bound in (*bounds, counters.BEYOND):
        total += found.get(bound, 0)
        buckets.append((bound, total))
    return buckets


def _queue(reading: Reading) -> Iterator[Metric]:
    length = GaugeMetricFamily("stage_queue_length", "Recalls", labels=["state"])
    for state in ("queued", "running"):
        length.add_metric([state], reading.queue.length.get(state, 0))
    yield length
    oldest = reading.queue.oldest
    age_s = 0.0 if oldest is None else max(0.0, (reading.now - oldest).total_seconds())
    yield _gauge("stage_oldest_seconds", "Age of the oldest recall that waits", age_s)


def _drive_use(reading: Reading) -> Iterator[Metric]:
    """Yield drives, and how much of yesterday and today they were at work."""
    midnight = reading.now.replace(hour=0, minute=0, second=0, microsecond=0)
    span_s = (reading.now - midnight + timedelta(days=1)).total_seconds()
    sums = _sums(reading.recent)
    drives = GaugeMetricFamily("drives", "Drives, as configured", labels=["backend"])
    ratio = GaugeMetricFamily(
        "drive_busy_ratio", "Part of yesterday and today at work", labels=["backend"]
    )
    for backend, number in reading.drives.items():
        drives.add_metric([backend], number)
        busy_s = sums[counters.DRIVE_BUSY_US, backend] / 1e6
        ratio.add_metric([backend], min(1.0, busy_s / (number * span_s)))
    yield drives
    yield ratio


def _jobs(reading: Reading) -> Iterator[Metric]:
    family = GaugeMetricFamily("wps_jobs", "Jobs that wait or run", labels=["state", "process"])
    for one in reading.jobs:
        family.add_metric([one.state, one.process], one.number)
    yield family


def _mirrors(reading: Reading) -> Iterator[Metric]:
    shown: dict[str, tuple[str, dict[str, float]]] = {
        "mirror_backlog_products": ("Products announced and not here", {}),
        "mirror_backlog_bytes": ("Their size", {}),
        "mirror_oldest_seconds": ("Time since the first of them was announced", {}),
        "mirror_delay_seconds": ("From announcement to here, mean of the last 24 h", {}),
        "mirror_in_time_ratio": ("Part that came within 48 h of its announcement", {}),
    }
    for one in reading.mirrors:
        age_s = 0.0 if one.oldest is None else (reading.now - one.oldest).total_seconds()
        values = (one.backlog, one.backlog_bytes, age_s, one.delay_s, one.share_in_time)
        for (_, found), value in zip(shown.values(), values, strict=True):
            found[one.source] = value
    for name, (text, found) in shown.items():
        family = GaugeMetricFamily(name, text, labels=["source"])
        for source, value in found.items():
            family.add_metric([source], value)
        yield family


def _room(config: Config, pool: PoolState) -> Iterator[Metric]:
    family = GaugeMetricFamily("pool_bytes", "The disk pool, and its parts", labels=["part"])
    for part in ("budget", "used", "coming", "pinned", "evictable", "disk_only"):
        family.add_metric([part], getattr(pool, f"{part}_bytes"))
    yield family
    free = GaugeMetricFamily("disk_free_ratio", "Part of a disk that is free", labels=["folder"])
    for folder, share in free_shares(config).items():
        free.add_metric([folder], share)
    yield free


def free_shares(config: Config) -> dict[str, float]:
    """Return how much of the disks of pool and results is free, those that exist."""
    shares = {}
    for name, folder in (("pool", config.storage.path), ("results", config.results.path)):
        if folder.is_dir():
            usage = shutil.disk_usage(folder)
            shares[name] = usage.free / usage.total
    return shares


def _drives(config: Config) -> dict[str, int]:
    sections = [(config.tape.backend, config.tape), *config.further_tapes]
    return {name: section.drives for name, section in sections}


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _sums(counted: Iterable[DayCount]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for one in counted:
        sums[one.name, one.label] += one.value
    return sums
