"""The staging layer under load: 10,000 requests of 50 users for 2,000 products on 50 tapes.

``python -m benchmarks.archive_load [sqlite|postgresql]``
"""

import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np

from tests.archive_world import ArchiveWorld
from tests.database import Databases
from tests.staging.load import Load, run


def main(kind: str = "sqlite") -> None:
    """Run the load once and print what came of it."""
    load = Load()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with closing(Databases(root)) as databases, databases.fresh(kind, root) as url:
            environ = {"PEPS_CATALOG_URL": url, "PEPS_TAPE_SPEED": "1000000000"}
            outcome = run(ArchiveWorld(root, **environ), load, np.random.default_rng(20210809))
    print(f"{load.requests} requests of {load.users} users for {load.products} products, {kind}")
    print(f"  files of requests: {dict(outcome.states)}; recalls: {dict(outcome.recalls)}")
    print(f"  mean waits of users: within {100 * outcome.unfairness:.1f} % of each other's mean")
    print(
        f"  a look at the full queue: {1000 * outcome.look_s:.1f} ms of CPU, "
        f"{1000 * outcome.first_look_s:.1f} after a start"
    )
    print(f"  {load.requests / outcome.ask_s:.0f} requests/s one after the other,")
    print(f"  {load.products / outcome.recall_s:.0f} recalls/s of one service and its drives")


if __name__ == "__main__":
    main(*sys.argv[1:])
