"""The first steps of the process of a job."""

from catalog_db.engine import create_engine
from catalog_db.processing.job_queue import Claim
from peps_wps import logs
from peps_wps.config import Config
from peps_wps.jobs.executor import Execution
from peps_wps.jobs.lifeline import be_killed_first, die_with_parent
from peps_wps.staging import Archive


def main(config: Config, held: Claim, zygote: str) -> None:
    """Run one attempt at a job, in a process group of its own."""
    die_with_parent()
    be_killed_first()
    logs.configure(config.logging)
    engine = create_engine(config.catalog.url)
    Execution(config, engine, Archive(config, engine), held, zygote).run()
