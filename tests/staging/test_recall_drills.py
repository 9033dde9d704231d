"""Kill -9 at every step of recalls and evictions: nothing lost, nothing torn, nothing twice."""

import os
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import func, select, update

from catalog_db.tables import recall, replica
from tests.archive_world import HASTY, ArchiveWorld
from tests.staging.kills import STEPS, bytes_in, noted, work_until_killed

FILES, ROOM = 12, 5
SIZE = 4000
# Time passes by hand here: `pass_time` lets leases run out.
PATIENT = replace(HASTY, max_attempts=10_000, lease_s=600.0, backoff_s=0.0001)


class Clients:
    """Ask for products over and over, look at what they get, and let go of it."""

    def __init__(self, world: ArchiveWorld, rng: np.random.Generator) -> None:
        self._world = world
        self._rng = rng
        self.uids = [world.add(f"P{n}", rng.bytes(SIZE)) for n in range(FILES)]
        self.open: dict[str, list[str]] = {}
        self.served = 0

    def ask(self, number: int) -> None:
        for _ in range(number):
            wanted = [str(uid) for uid in self._rng.choice(self.uids, 2, replace=False)]
            purpose = f"{self.served}-{len(self.open)}-{self._rng.integers(10**9)}"
            request = self._world.archive.request(wanted, user=f"u{number}", purpose=purpose)
            self.open[request] = wanted

    def look(self) -> None:
        for request, wanted in list(self.open.items()):
            status = self._world.archive.status(request)
            assert status.failed is None
            if status.ready:
                for uid in wanted:
                    content = self._world.archive.path(uid).read_bytes()
                    assert content == self._world.contents[uid]
                self._world.archive.release(request)
                del self.open[request]
                self.served += 1


def pass_time(world: ArchiveWorld) -> None:
    """Let the leases of the dead run out, and what they left half done be old."""
    with world.engine.begin() as connection:
        connection.execute(update(recall).values(lease_until_us=1, not_before_us=1))
        condemned = replica.c.state == "evicting"
        connection.execute(update(replica).where(condemned).values(last_access_us=1))


def check(world: ArchiveWorld) -> None:
    """What holds at every moment."""
    budget = int(world.config.storage.budget_gb * 1e9)
    assert world.torn_files() == []
    assert bytes_in(world.config.storage.path) <= budget
    with world.engine.connect() as connection:
        promised = connection.execute(select(func.sum(replica.c.size_bytes))).scalar_one()
        active = connection.execute(
            select(recall.c.file).where(recall.c.state.in_(["queued", "running"]))
        ).scalars()
        assert max(Counter(active).values(), default=1) == 1
    assert (promised or 0) <= budget


@pytest.mark.drill
def test_kills_at_random_steps_lose_no_request_and_recall_nothing_twice(open_world, rng):
    world = open_world(PEPS_STORAGE_BUDGET_GB=str(ROOM * SIZE / 1e9), PEPS_TAPE_SPEED="10000000")
    clients = Clients(world, rng)
    wanted = 200 if os.environ.get("PEPS_DRILLS") else 20
    killed: Counter[str] = Counter()
    while killed.total() < wanted:
        clients.ask(3 - len(clients.open))
        step = str(rng.choice(list(STEPS)))
        if work_until_killed(world, PATIENT, step, int(rng.integers(1, 4))):
            killed[step] += 1
        check(world)
        pass_time(world)
        clients.look()
    while clients.open:
        world.service(PATIENT).run_once()
        world.start_engine()
        check(world)
        clients.look()

    assert Counter(noted(world, "published")).most_common(1)[0][1] == 1
    assert noted(world, "over-budget") == []
    assert {row.state for row in world.recalls()} == {"done"}
    assert clients.served >= wanted // 20
    if wanted == 200:
        assert killed.keys() == STEPS.keys()
