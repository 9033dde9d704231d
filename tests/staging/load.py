"""Many requests of many users for few products: how the queue is shared, and whether all ends.

The library is simulated at a million times its speed, files are tiny; so what is measured is the
staging layer: its database, its pool, its engine.
"""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from sqlalchemy import select

from catalog_db import times
from catalog_db.catalogue import products
from catalog_db.tables import recall, request_file
from peps_wps.staging.ledgers import RecallRows
from storage.model import BatchLimits, Drive
from storage.recall import RecallPolicy
from storage.scheduling import next_batch
from tests.archive_world import ArchiveWorld
from tests.plain_product import plain_product

SIZE = 1000


@dataclass(frozen=True)
class Load:
    """How much is asked: the users come one after the other, each with as many requests."""

    requests: int = 10_000
    products: int = 2_000
    users: int = 50
    tapes: int = 50


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Parameters
    ----------
    states
        Files of requests by their state.
    recalls
        Recalls by their state.
    unfairness
        How far the mean wait of a user is from that of all, at most, of the latter. A wait is
        counted in recalls: the library's time does not pass here.
    first_look_s, look_s
        CPU of a service's first look at the full queue, and of the best of three after it: what
        waits, who had how much, which batch is next. Seconds.
    ask_s, recall_s
        To ask for everything, and to recall it, seconds.
    """

    states: Counter[str]
    recalls: Counter[str]
    unfairness: float
    first_look_s: float
    look_s: float
    ask_s: float
    recall_s: float


def run(world: ArchiveWorld, load: Load, rng: np.random.Generator) -> Outcome:
    """Ask for products, recall them all."""
    uids = _archive(world, load)
    begin = time.perf_counter()
    _ask(world, load, uids, rng)
    asked = time.perf_counter()
    first_look_s, *looks_s = _looks_s(world, 4)
    policy = RecallPolicy(lease_s=600, limits=BatchLimits(files=max(1, load.products // 200)))
    service = world.service(policy)
    while service.run_once():
        pass
    recalled = time.perf_counter()
    with world.engine.connect() as connection:
        states = Counter(connection.execute(select(request_file.c.state)).scalars())
        recalls = Counter(connection.execute(select(recall.c.state)).scalars())
    return Outcome(
        states,
        recalls,
        _unfairness(world),
        first_look_s,
        min(looks_s),
        asked - begin,
        recalled - asked,
    )


def _archive(world: ArchiveWorld, load: Load) -> list[str]:
    """Put the products on as many tapes as are wanted, all rows in one transaction."""
    content = world.root / "content"
    content.write_bytes(b"x" * SIZE)
    made, files = [], []
    for number in range(load.products):
        title = f"P{number:05}"
        path = f"F{number % load.tapes:03}/{title}.zip"
        files.append(world.archive.copy(content, path, tier="tape"))
        made.append(plain_product(title, size_bytes=SIZE, checksum=files[-1].checksum))
    uids = [products.product_uid("S1", product.title) for product in made]
    with world.engine.begin() as connection:
        products.insert_products(connection, made)
        keys = [world.archive.record(file, connection) for file in files]
        products.place(connection, dict(zip(uids, keys, strict=True)))
    return uids


def _ask(world: ArchiveWorld, load: Load, uids: list[str], rng: np.random.Generator) -> None:
    """Let the users come one after the other; together they want every product."""
    each = load.requests // load.users
    unwanted = list(rng.permutation(uids))
    for user in range(load.users):
        wanted = set(unwanted[user :: load.users])
        others = rng.permutation([uid for uid in uids if uid not in wanted])
        for uid in [*wanted, *others[: each - len(wanted)]]:
            world.archive.request([str(uid)], user=f"user{user}", purpose=f"load:{uid}")


def _looks_s(world: ArchiveWorld, count: int) -> list[float]:
    """Return the CPU that the choice of the next batch takes a service, look by look, seconds."""
    rows = RecallRows(world.engine, backend="simtape", budget_bytes=10**12, kept=timedelta(days=90))
    looks_s = []
    for _ in range(count):
        begin, now = time.process_time(), times.now()
        pending, served = rows.pending(now), rows.served_bytes(now)
        next_batch(pending, [Drive("drive-1")], now, max_wait=3600, served_bytes=served)
        looks_s.append(time.process_time() - begin)
    return looks_s


def _unfairness(world: ArchiveWorld) -> float:
    """Return how unequal the waits of the users were."""
    with world.engine.connect() as connection:
        finished = connection.execute(
            select(recall.c.file).order_by(recall.c.finished_us, recall.c.id)
        ).scalars()
        turn = {key: place for place, key in enumerate(finished, 1)}
        waits = defaultdict(list)
        for user, key in connection.execute(select(request_file.c.user, request_file.c.file)):
            waits[user].append(turn[key])
    means = np.array([np.mean(waits[user]) for user in sorted(waits)])
    return float(np.abs(means / means.mean() - 1).max())
