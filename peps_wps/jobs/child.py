"""The first steps of the process of a job."""

import contextlib
from pathlib import Path

from catalog_db.engine import create_engine
from catalog_db.job_queue import Claim
from peps_wps import logs
from peps_wps.config import Config
from peps_wps.jobs.executor import Execution
from peps_wps.jobs.lifeline import die_with_parent
from peps_wps.staging import Archive

# proc(5): from -1000 to 1000, the processes with the highest are killed first.
OOM_SCORE = "500"


def main(config: Config, held: Claim, zygote: str) -> None:
    """Run one attempt at a job, in a process group of its own."""
    die_with_parent()
    # Where memory runs out, the job goes and not the service.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
    logs.configure(config.logging)
    engine = create_engine(config.catalog.url)
    Execution(config, engine, Archive(config, engine), held, zygote).run()
