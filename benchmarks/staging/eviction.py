"""What the pool saves: a trace of readings against pools of some sizes, by several policies.

The trace mixes what an archive sees: some products that are popular for long, new ones that all
want for days, and time series of a place that are read through once in a while.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from storage.eviction import EvictionPolicy, inflation_after, victims
from storage.model import Replica
from storage.tape_geometry import LTO8

_START = datetime(2021, 8, 9, tzinfo=UTC)
_FREED_AT_ONCE = 0.01  # of the pool: room is made for a batch, not for a file
_SERIES = 60  # products of a place
_MEAN_BYTES = (0.56e9, 1.0e9, 4.1e9)
_KIND_SHARES = (0.60, 0.25, 0.15)

Choose = Callable[[Iterable[Replica], int], Sequence[Replica]]
Age = Callable[[float, Iterable[Replica]], float]
Worth = Callable[[Replica], float]


@dataclass(frozen=True)
class Policy:
    """Which files go, and the pool's inflation after some went."""

    name: str
    choose: Choose
    age: Age


@dataclass(frozen=True)
class Trace:
    """Sizes of the products (bytes), shape (product,); who is read in turn, shape (reading,)."""

    sizes: np.ndarray
    readings: np.ndarray


def draw_trace(products: int, readings: int, rng: np.random.Generator) -> Trace:
    """Return a trace: 55 % popular products, 25 % recent ones, 20 % time series.

    Popularity follows Zipf's law with exponent 1 over half of the products, in no order. The
    archive grows by the other half meanwhile, and the age of recent products asked for is
    exponential with a mean of 2 % of the archive. Sizes are those of Sentinel-2 L1C tiles and of
    Sentinel-1 GRD and SLC products, within 20 %, whoever asks for them.
    """
    ranked = rng.permutation(products)
    popularity = 1 / np.arange(1, products + 1)
    popularity /= popularity.sum()
    parts: list[np.ndarray] = []
    count = 0
    while count < readings:
        newest = products // 2 + (products - products // 2) * count // readings
        part = _part(ranked, popularity, newest, rng)
        parts.append(part)
        count += len(part)
    kinds = rng.choice(_MEAN_BYTES, products, p=_KIND_SHARES)
    sizes = (kinds * rng.uniform(0.8, 1.2, products)).astype(np.int64)
    return Trace(sizes, np.concatenate(parts)[:readings])


def _part(
    ranked: np.ndarray, popularity: np.ndarray, newest: int, rng: np.random.Generator
) -> np.ndarray:
    """Return a few readings of one kind."""
    products = len(ranked)
    kind = rng.choice(3, p=[0.55, 0.25, 0.20])
    if kind == 0:
        return rng.choice(ranked, _SERIES, p=popularity)
    if kind == 1:
        ages = rng.exponential(0.02 * products, _SERIES).astype(np.int64)
        recent: np.ndarray = np.maximum(newest - 1 - ages, 0)
        return recent
    places = products // _SERIES
    return rng.integers(places) + places * np.arange(_SERIES)


@cache
def recall_s(size_bytes: float) -> float:
    """Return about what a recall takes: change of tape, half a tape's winding, streaming."""
    geometry = LTO8.locate.geometry
    middle = geometry.capacity_bytes // (2 * geometry.wraps)
    change_s = LTO8.dismount_s(middle) + LTO8.mount_s()
    locate_s = LTO8.locate.locate_s(geometry.place(0), geometry.place(middle))
    return change_s + locate_s + size_bytes / LTO8.bandwidth_bytes_s


def saved(trace: Trace, policy: Policy, room_bytes: int) -> float:
    """Return which part of the time for recalls the pool saves."""
    costs_s = np.array([recall_s(size) for size in trace.sizes.tolist()])
    hits = np.fromiter(_hits(trace, policy, room_bytes), bool, len(trace.readings))
    asked_s = costs_s[trace.readings]
    return float(asked_s[hits].sum() / asked_s.sum())


def _hits(trace: Trace, policy: Policy, room_bytes: int) -> Iterator[bool]:
    """Yield for each reading whether the pool held the product."""
    pool: dict[int, Replica] = {}
    used, inflation = 0, 0.0
    for turn, product in enumerate(trace.readings.tolist()):
        yield product in pool
        size = int(trace.sizes[product])
        if product not in pool:
            used += size
            if used > room_bytes:
                needed = max(used - room_bytes, int(_FREED_AT_ONCE * room_bytes))
                gone = policy.choose(pool.values(), needed)
                inflation = policy.age(inflation, gone)
                used -= sum(one.size_bytes for one in gone)
                for one in gone:
                    del pool[int(one.path)]
            pool[product] = Replica(str(product), size, _START, 0)
        access = _START + timedelta(seconds=turn)
        seen = pool[product]
        pool[product] = replace(seen, hits=seen.hits + 1, last_access=access, inflation=inflation)


def _first_in(replicas: Iterable[Replica], needed_bytes: int) -> list[Replica]:
    """Return the first of the files in the order in which they came."""
    gone: list[Replica] = []
    for replica in replicas:
        if needed_bytes <= 0:
            break
        gone.append(replica)
        needed_bytes -= replica.size_bytes
    return gone


def _greedy(name: str, value: Worth) -> Policy:
    """Return the policy that lets go what is worth least, and ages by that."""

    def choose(replicas: Iterable[Replica], needed_bytes: int) -> list[Replica]:
        order = sorted(replicas, key=lambda one: (value(one), one.last_access))
        return _first_in(order, needed_bytes)

    return Policy(name, choose, lambda inflation, gone: max([inflation, *map(value, gone)]))


def _of_service(name: str, policy: EvictionPolicy) -> Policy:
    return Policy(name, lambda replicas, needed: victims(replicas, needed, policy), inflation_after)


def _gdsf_in_seconds(replica: Replica) -> float:
    return replica.inflation + replica.hits * recall_s(replica.size_bytes) / replica.size_bytes


POLICIES = (
    Policy("FIFO", _first_in, lambda inflation, _gone: inflation),
    _of_service("LRU", EvictionPolicy.LRU),
    _greedy("LFU with ageing", lambda one: one.inflation + one.hits),
    _of_service("GDSF", EvictionPolicy.GDSF),
    _greedy("GDSF, cost in seconds", _gdsf_in_seconds),
)
