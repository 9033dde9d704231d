"""Orders and status documents under load, over HTTP on a service of its own.

``python -m benchmarks.jobs [--database postgresql]``: on SQLite, or a PostgreSQL of its own.
Stand-in chains compute nothing: what is measured is the service.
"""

import argparse
import os
import tempfile
from pathlib import Path

from tests.database import KINDS, Databases
from tests.jobs.job_house import opened_house
from tests.jobs.load import burst, reading, stream
from tests.jobs.served_house import percentile


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    kind = parser.parse_args().database
    print(f"{kind}, load of the machine before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        databases = Databases(Path(name))
        try:
            for run in (orders_at_once, orders_in_a_stream, readers_of_progress):
                folder = Path(name) / run.__name__
                folder.mkdir()
                with databases.fresh(kind, folder) as url:
                    run(folder, url)
        finally:
            databases.close()


def orders_at_once(folder: Path, url: str) -> None:
    """200 orders by 20 threads, each with a connection of its own."""
    with opened_house(folder, database_url=url) as house:
        found = burst(house, 200, 20)
    print(
        f"200 orders at once: {found.accepted_s:.2f} s, "
        f"p50 {percentile(found.took_s, 50):.3f} s, p95 {percentile(found.took_s, 95):.3f} s, "
        f"{found.states}, at most {found.most_running} at once"
    )


def orders_in_a_stream(folder: Path, url: str) -> None:
    """Five orders a second for 20 s while two jobs run."""
    with opened_house(folder, database_url=url) as house:
        found = stream(house, 100, per_second=5, running=2)
    print(
        f"5 orders a second: p50 {percentile(found.took_s, 50):.3f} s, "
        f"p95 {percentile(found.took_s, 95):.3f} s, largest {max(found.took_s):.3f} s"
    )


def readers_of_progress(folder: Path, url: str) -> None:
    """20 jobs with 300 reports of progress each, read by 20 clients."""
    with opened_house(folder, database_url=url) as house:
        found = reading(house, 20, updates=300, seconds=6)
    print(
        f"20 jobs x 300 reports: {found.reads} documents read, {len(found.faults)} faults, "
        f"ends {sorted(set(found.states.values()))}, attempts {found.attempts}"
    )
    for fault in found.faults:
        print(f"  {fault}")


if __name__ == "__main__":
    main()
