"""`peps recall list --all`, `retry`, `drop` and `peps pool`: the operator's view of the archive.

They work on the database of this machine, and ask no server.
"""

import argparse
import dataclasses
from collections.abc import Callable
from datetime import datetime

from catalog_db import gauges, times
from catalog_db.archive.intervening import drop_recall, retry_recall
from catalog_db.errors import RecallStateError
from peps_wps.cli.archive import is_there, open_services
from peps_wps.cli.terminal import JOB_FAILED, OK, USAGE, answer, answer_json, say
from peps_wps.cli.text import duration_text, size_text
from peps_wps.config import Config
from peps_wps.services import Services
from peps_wps.staging import PoolState, RecallStatus

STATES = ("queued", "running", "done", "failed", "cancelled")
# What is shown when no state is asked for: what waits, and what somebody should look at.
_USUAL_STATES = ("queued", "running", "failed")


def run_list(arguments: argparse.Namespace) -> int:
    """List the recalls of everybody, the oldest first."""
    unknown = [state for state in arguments.state if state not in STATES]
    if unknown:
        say(f"peps: {unknown[0]} is no state of a recall, expected {', '.join(STATES)}")
        return USAGE

    def show(services: Services) -> int:
        found = services.archive.recalls(
            states=arguments.state or _USUAL_STATES, user=arguments.user, limit=arguments.limit
        )
        now = times.now()
        if arguments.json:
            answer_json([_fields(one) for one in found])
        for one in () if arguments.json else found:
            answer(_line(one, now))
        return OK

    return _with_services(arguments, show)


def run_retry(arguments: argparse.Namespace) -> int:
    """Try recalls now: those that failed, and those that pause after a failure."""

    def retry(services: Services) -> int:
        def change(number: int) -> None:
            with services.engine.begin() as connection:
                retry_recall(connection, number, times.now())

        return _each(arguments, change, "queued")

    return _with_services(arguments, retry)


def run_drop(arguments: argparse.Namespace) -> int:
    """Give recalls up: who waits for one is told that it failed, and why."""

    def drop(services: Services) -> int:
        def change(number: int) -> None:
            with services.engine.begin() as connection:
                drop_recall(connection, number, arguments.reason, times.now())

        return _each(arguments, change, "failed")

    return _with_services(arguments, drop)


def pool(arguments: argparse.Namespace) -> int:
    """Show how full the disk pool is, and what is read from each tape backend."""

    def show(services: Services) -> int:
        state = services.archive.pool_state()
        backends = _backends(services)
        if arguments.json:
            answer_json({**dataclasses.asdict(state), "backends": backends})
            return OK
        for line in _pool_lines(state):
            answer(line)
        for name, found in backends.items():
            answer(
                f"{name:10} {found['drives']} drives, {found['running']} recalls running, "
                f"{found['queued']} waiting"
            )
        return OK

    return _with_services(arguments, show)


def _with_services(arguments: argparse.Namespace, run: Callable[[Services], int]) -> int:
    """Do something on the database of this machine, if there is one."""
    config = Config.load(var=arguments.var)
    if not is_there(config):
        say(f"peps: there is no database {config.catalog.url}: nothing was archived there yet")
        return USAGE
    services = open_services(config)
    try:
        return run(services)
    finally:
        services.engine.dispose()


def _each(arguments: argparse.Namespace, change: Callable[[int], None], done: str) -> int:
    """Change recalls; one that cannot be does not stop the others."""
    changed, code = [], OK
    for number in arguments.recalls:
        try:
            change(number)
        except RecallStateError as error:
            say(f"peps: {error}")
            code = JOB_FAILED
        else:
            changed.append(number)
            if not arguments.json:
                answer(f"{number}  {done}")
    if arguments.json:
        answer_json([{"recall": number, "state": done} for number in changed])
    return code


def _fields(status: RecallStatus) -> dict[str, object]:
    """Return what a machine is told of a recall."""
    recall = status.recall
    told = {
        field.name: getattr(recall, field.name)
        for field in dataclasses.fields(recall)
        if field.name != "backlog"
    }
    return {**told, "position": status.position, "expected_s": status.expected_s}


def _line(status: RecallStatus, now: datetime) -> str:
    """Return a line on a recall: the title comes last, as in a search."""
    recall = status.recall
    age_s = max(0.0, ((recall.finished or now) - recall.created).total_seconds())
    notes = [f"{recall.users} waiting", f"since {duration_text(age_s)}"]
    if recall.attempt > 1 or recall.error:
        notes.append(f"attempt {recall.attempt}")
    if status.position is not None:
        notes.append(f"place {status.position}")
    if recall.state == "running" and recall.size_bytes:
        share = recall.bytes_done / recall.size_bytes
        notes.append(f"{share:.0%} of {size_text(recall.size_bytes)}")
    if status.expected_s is not None:
        notes.append(f"{duration_text(status.expected_s)} to go")
    if recall.error:
        notes.append(recall.error)
    place = f"{recall.backend}:{recall.tape or '-'}"
    name = recall.title or recall.path
    return f"{recall.id:8}  {recall.state:9}  {place:18}  {name}  ({', '.join(notes)})"


def _pool_lines(state: PoolState) -> list[str]:
    """Return how full the pool is, a line for each part."""
    parts = {
        "budget": state.budget_bytes,
        "used": state.used_bytes,
        "coming": state.coming_bytes,
        "pinned": state.pinned_bytes,
        "evictable": state.evictable_bytes,
        "disk only": state.disk_only_bytes,
    }
    notes = {"used": f"{state.files} files", "disk only": "without a copy on tape, beside these"}
    return [
        f"{name:10} {size_text(size):>8}" + (f"  {notes[name]}" if name in notes else "")
        for name, size in parts.items()
    ]


def _backends(services: Services) -> dict[str, dict[str, int]]:
    """Return drives and active recalls of each tape backend."""
    config = services.config
    sections = [(config.tape.backend, config.tape), *config.further_tapes]
    with services.engine.connect() as connection:
        active = gauges.active_recalls(connection)
    return {
        name: {
            "drives": section.drives,
            **{state: active.get((name, state), 0) for state in ("running", "queued")},
        }
        for name, section in sections
    }
